using System.Text;
using Holdfast.Files;
using Xunit;

namespace Holdfast.Testing;

/// <summary>What every writable file tree must do. One subclass per implementation.</summary>
public abstract partial class FileTreeContract : IAsyncLifetime
{
    private static readonly UnixTime LongAgo = new(1_000_000_000, 123_456_789);

    /// <summary>The tree under test: empty, writable.</summary>
    protected IFileTree Tree { get; private set; } = null!;

    /// <summary>The process itself.</summary>
    protected Caller Caller { get; private set; } = null!;

    /// <summary>Makes an empty writable tree whose root belongs to this process.</summary>
    protected abstract ValueTask<IFileTree> CreateTreeAsync();

    /// <summary>Ends it.</summary>
    protected abstract ValueTask DestroyTreeAsync(IFileTree tree);

    /// <summary>Whether handles must work; where not, they must be answered with EOPNOTSUPP.</summary>
    protected virtual bool HasHandles => true;

    /// <summary>Whether holes are kept, not only read as zeros.</summary>
    protected virtual bool KeepsHoles => true;

    public async ValueTask InitializeAsync()
    {
        Tree = await CreateTreeAsync();
        var nobody = new Caller { Uid = 0, Gid = 0 };
        NodeAttributes root = (await Tree.GetAttributesAsync(nobody, Tree.Root)).Value;
        Caller = new Caller { Uid = root.Uid, Gid = root.Gid, ProcessId = Environment.ProcessId };
    }

    public async ValueTask DisposeAsync()
    {
        await DestroyTreeAsync(Tree);
        GC.SuppressFinalize(this);
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected async Task<Node> LookUp(NodeId directory, string name) =>
        (await Tree.LookupAsync(Caller, directory, Bytes(name))).Value;

    protected async Task<Errno> LookUpError(NodeId directory, string name) =>
        (await Tree.LookupAsync(Caller, directory, Bytes(name))).Error;

    protected async Task<NodeAttributes> Attributes(NodeId node) =>
        (await Tree.GetAttributesAsync(Caller, node)).Value;

    protected async Task<Node> MakeDirectory(NodeId parent, string name) =>
        (await Tree.CreateDirectoryAsync(Caller, parent, Bytes(name), 0x1ED)).Value.Node;

    protected async Task<Node> MakeSymlink(NodeId parent, string name, string target) =>
        (await Tree.CreateSymlinkAsync(Caller, parent, Bytes(name), Bytes(target))).Value.Node;

    protected async Task<OpenedNode> Open(
        NodeId parent, string name, CreateMode create = CreateMode.OpenExisting,
        OpenAccess access = OpenAccess.Read | OpenAccess.Write) =>
        (await Tree.OpenAtAsync(Caller, parent, Bytes(name), new OpenRequest(access, create, 0x1A4))).Value;

    /// <summary>Makes a file and leaves its node referenced.</summary>
    protected async Task<Node> MakeFile(NodeId parent, string name, string content = "")
    {
        OpenedNode opened = await Open(parent, name, CreateMode.CreateNew);
        if (content.Length > 0) await Write(opened.File, 0, Bytes(content));
        Tree.Close(opened.File);
        return opened.Node;
    }

    protected async Task Write(OpenId file, long offset, ReadOnlyMemory<byte> content)
    {
        WriteOutcome outcome = (await Tree.WriteAsync(Caller, file, offset, content, Stability.Unstable)).Value;
        Assert.Equal(content.Length, outcome.Written);
    }

    protected async Task<byte[]> Read(OpenId file, long offset, int length)
    {
        var target = new byte[length];
        int read = (await Tree.ReadAsync(Caller, file, offset, target)).Value;
        return target[..read];
    }

    protected async Task<string> Content(NodeId node)
    {
        OpenId file = (await Tree.OpenAsync(Caller, node, OpenAccess.Read)).Value;
        byte[] content = await Read(file, 0, 1 << 20);
        Tree.Close(file);
        return Encoding.UTF8.GetString(content);
    }

    protected async Task<List<string>> Names(NodeId directory)
    {
        var scan = new DirectoryScan();
        int count = (await Tree.ScanAsync(Caller, directory, scan)).Value;
        Assert.Equal(count, scan.Count);
        var names = new List<string>();
        for (int i = 0; i < scan.Count; i++) names.Add(Encoding.UTF8.GetString(scan.NameOf(i).Span));
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    protected async Task SetOldTimes(NodeId node)
    {
        var changes = new AttributeChanges { AccessTime = LongAgo, ModifyTime = LongAgo };
        Assert.Equal(Errno.None, (await Tree.SetAttributesAsync(Caller, node, changes)).Error);
    }
}
