using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Files;

namespace Holdfast.Databases.Backup;

/// <summary>
/// A checkpoint as a backup sees it: read-only, and a file that never changes has its identity for its inode number, and its mtime for its ctime.
/// So it looks unchanged wherever and however it was staged, and is read once in its life. Files belong to whom they belong in the database.
/// </summary>
internal sealed class CheckpointTree : IFileTree
{
    private static readonly Caller Nobody = new() { Uid = 0, Gid = 0 };

    private readonly DirectoryTree tree;
    private readonly Dictionary<ulong, Face> faces;

    private CheckpointTree(DirectoryTree tree, Dictionary<ulong, Face> faces)
    {
        this.tree = tree;
        this.faces = faces;
    }

    public NodeId Root => tree.Root;

    public TreeLimits Limits => tree.Limits;

    /// <summary>Wraps the directory of a checkpoint.</summary>
    /// <param name="checkpoint">Its tree; the caller disposes it.</param>
    /// <param name="files">The files that it was captured with.</param>
    /// <param name="model">
    /// Finds the attributes that a file has in the database, by its name; those of the database's directory for an empty name.
    /// </param>
    public static async Task<CheckpointTree> OpenAsync(
        DirectoryTree checkpoint, IReadOnlyList<CapturedFile> files, Func<ReadOnlyMemory<byte>, NodeAttributes?> model)
    {
        var identities = files.Where(file => file.Identity is not null).ToDictionary(file => file.Name, file => file.Identity!, StringComparer.Ordinal);
        var faces = new Dictionary<ulong, Face>();
        NodeAttributes root = (await checkpoint.GetAttributesAsync(Nobody, checkpoint.Root).ConfigureAwait(false)).Value;
        NodeAttributes? directory = model(default);
        faces[root.Inode] = new Face(directory, 0);
        var scan = new DirectoryScan();
        _ = await checkpoint.ScanAsync(Nobody, checkpoint.Root, scan).ConfigureAwait(false);
        for (int i = 0; i < scan.Count; i++)
        {
            ulong identity = identities.TryGetValue(Encoding.UTF8.GetString(scan.NameOf(i).Span), out string? text) ? NumberOf(text) : 0;
            faces[scan.AttributesOf(i).Inode] = new Face(model(scan.NameOf(i)) ?? directory, identity);
        }

        return new CheckpointTree(checkpoint, faces);
    }

    public IDisposable Watch(Action<Invalidation> observer) => tree.Watch(observer);

    public void Forget(NodeId node, ulong count) => tree.Forget(node, count);

    public Result<int> EncodeHandle(NodeId node, Span<byte> target) => tree.EncodeHandle(node, target);

    public async ValueTask<Result<Node>> ResolveHandleAsync(Caller caller, ReadOnlyMemory<byte> handle) =>
        Shown(await tree.ResolveHandleAsync(caller, handle).ConfigureAwait(false));

    public async ValueTask<Result<Node>> LookupAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) =>
        Shown(await tree.LookupAsync(caller, directory, name).ConfigureAwait(false));

    public async ValueTask<Result<NodeAttributes>> GetAttributesAsync(Caller caller, NodeId node) =>
        Shown(await tree.GetAttributesAsync(caller, node).ConfigureAwait(false));

    public ValueTask<Result<ReadOnlyMemory<byte>>> ReadLinkAsync(Caller caller, NodeId node) => tree.ReadLinkAsync(caller, node);

    public ValueTask<Result<bool>> ListAsync(Caller caller, NodeId directory, ulong after, ICollection<DirectoryEntry> page, int maxEntries) =>
        tree.ListAsync(caller, directory, after, page, maxEntries);

    public async ValueTask<Result<int>> ScanAsync(Caller caller, NodeId directory, DirectoryScan scan)
    {
        var real = new DirectoryScan();
        Result<int> scanned = await tree.ScanAsync(caller, directory, real).ConfigureAwait(false);
        scan.Clear();
        if (!scanned.Ok) return scanned;
        for (int i = 0; i < real.Count; i++) scan.Add(real.NameOf(i).Span, Shown(real.AttributesOf(i)), real.ErrorOf(i));
        return scan.Count;
    }

    public ValueTask<Result<OpenId>> OpenAsync(Caller caller, NodeId node, OpenAccess access) => tree.OpenAsync(caller, node, access);

    public async ValueTask<Result<OpenedNode>> OpenAtAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name, OpenRequest request)
    {
        if (request.Create != CreateMode.OpenExisting) return Errno.ReadOnly;
        Result<OpenedNode> opened = await tree.OpenAtAsync(caller, directory, name, request).ConfigureAwait(false);
        if (!opened.Ok) return opened;
        Node node = opened.Value.Node;
        return opened.Value with { Node = node with { Attributes = Shown(node.Attributes) } };
    }

    public ValueTask<Result<int>> ReadAsync(Caller caller, OpenId file, long offset, Memory<byte> target) => tree.ReadAsync(caller, file, offset, target);

    public ValueTask<Result<FileExtent>> FindExtentAsync(Caller caller, OpenId file, long offset) => tree.FindExtentAsync(caller, file, offset);

    public async ValueTask<Result<NodeAttributes>> GetOpenAttributesAsync(Caller caller, OpenId file) =>
        Shown(await tree.GetOpenAttributesAsync(caller, file).ConfigureAwait(false));

    public void Close(OpenId file) => tree.Close(file);

    public ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>>> ListXattrsAsync(Caller caller, NodeId node) => tree.ListXattrsAsync(caller, node);

    public ValueTask<Result<ReadOnlyMemory<byte>>> GetXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name) => tree.GetXattrAsync(caller, node, name);

    public ValueTask<Result<FileSystemSpace>> GetSpaceAsync(Caller caller, NodeId node) => tree.GetSpaceAsync(caller, node);

    public ValueTask<Result<Mutation>> SetAttributesAsync(Caller caller, NodeId node, AttributeChanges changes) => RefusedAsync<Mutation>();

    public ValueTask<Result<WriteOutcome>> WriteAsync(Caller caller, OpenId file, long offset, ReadOnlyMemory<byte> source, Stability stability) =>
        RefusedAsync<WriteOutcome>();

    public ValueTask<Result<NodeAttributes>> CommitAsync(Caller caller, OpenId file, Stability stability) => RefusedAsync<NodeAttributes>();

    public ValueTask<Result<CreatedNode>> CreateDirectoryAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name, uint mode) => RefusedAsync<CreatedNode>();

    public ValueTask<Result<CreatedNode>> CreateSymlinkAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target) =>
        RefusedAsync<CreatedNode>();

    public ValueTask<Result<CreatedNode>> CreateSpecialAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, NodeKind kind, uint mode, uint major, uint minor) => RefusedAsync<CreatedNode>();

    public ValueTask<Result<TwoDirectoryMutation>> LinkAsync(Caller caller, NodeId node, NodeId directory, ReadOnlyMemory<byte> name) =>
        RefusedAsync<TwoDirectoryMutation>();

    public ValueTask<Result<Mutation>> UnlinkAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) => RefusedAsync<Mutation>();

    public ValueTask<Result<Mutation>> RemoveDirectoryAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) => RefusedAsync<Mutation>();

    public ValueTask<Result<TwoDirectoryMutation>> RenameAsync(
        Caller caller, NodeId fromDirectory, ReadOnlyMemory<byte> fromName, NodeId toDirectory, ReadOnlyMemory<byte> toName, RenameMode mode) =>
        RefusedAsync<TwoDirectoryMutation>();

    public ValueTask<Result<Mutation>> SetXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, XattrMode mode) =>
        RefusedAsync<Mutation>();

    public ValueTask<Result<Mutation>> RemoveXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name) => RefusedAsync<Mutation>();

    public ValueTask<Result<NodeAttributes>> CommitDirectoryAsync(Caller caller, NodeId directory) => RefusedAsync<NodeAttributes>();

    public ValueTask<Result<bool>> CommitAllAsync(Caller caller) => RefusedAsync<bool>();

    private static ValueTask<Result<T>> RefusedAsync<T>() => new(Errno.ReadOnly);

    // 64 bits beside name, size and mtime, which must agree too.
    private static ulong NumberOf(string identity) => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(identity))) | 1;

    private Result<Node> Shown(Result<Node> node) => node.Ok ? node.Value with { Attributes = Shown(node.Value.Attributes) } : node;

    private Result<NodeAttributes> Shown(Result<NodeAttributes> attributes) => attributes.Ok ? Shown(attributes.Value) : attributes;

    private NodeAttributes Shown(NodeAttributes attributes)
    {
        if (!faces.TryGetValue(attributes.Inode, out Face face)) return attributes;
        if (face.Model is { } model)
        {
            attributes.Uid = model.Uid;
            attributes.Gid = model.Gid;
            if (model.Kind == attributes.Kind) attributes.Mode = model.Mode;
        }

        if (attributes.Kind != NodeKind.Regular) return attributes;
        // The other name is that in the database.
        attributes.LinkCount = 1;
        if (face.Identity == 0) return attributes;
        attributes.Inode = face.Identity;
        attributes.ChangeTime = attributes.ModifyTime;
        return attributes;
    }

    /// <summary>What a file is shown with.</summary>
    /// <param name="Model">Its attributes in the database; null where it is not there.</param>
    /// <param name="Identity">A number made of its identity; 0 for none.</param>
    private readonly record struct Face(NodeAttributes? Model, ulong Identity);
}
