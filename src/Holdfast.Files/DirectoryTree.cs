using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>The file tree of a plain directory on a local disk.</summary>
/// <remarks>
/// <para>All access goes through descriptors of directories below the root; no symlink is followed, ".." never leads
/// above the root, and a path may be longer than the kernel's limit for one. /proc must be mounted.</para>
/// <para>A referenced node is held by a descriptor, so it stays the same node whatever others do to its names. Beyond
/// 4096 of them the longest unused are closed and opened again by directory and name when needed: ESTALE is the answer
/// when others have moved, replaced or removed the node meanwhile.</para>
/// <para>Before and after attributes surround a change without another change through this object in between; programs
/// that work on the directory without it may slip in.</para>
/// <para>What is created is given to the caller's uid and gid where the process may do that; otherwise it keeps the
/// process's own. Calls complete synchronously. <see cref="Dispose"/> closes all that is open.</para>
/// </remarks>
public sealed partial class DirectoryTree : IFileTree, IDisposable
{
    private const int MaxHeldNodes = 4096;
    private const int ChangeLockCount = 256;

    private readonly NodeTable nodes;
    private readonly NativeBuffers buffers = new();
    private readonly Lock[] changeLocks = new Lock[ChangeLockCount];

    private DirectoryTree(Descriptor root, in Statx status, TreeLimits limits, int maxHeldNodes, bool birthTells)
    {
        nodes = new NodeTable(root, in status, maxHeldNodes, birthTells);
        Limits = limits;
        for (int i = 0; i < changeLocks.Length; i++) changeLocks[i] = new Lock();
    }

    /// <inheritdoc/>
    public NodeId Root => nodes.Root.Id;

    /// <inheritdoc/>
    public TreeLimits Limits { get; }

    internal NodeTable Nodes => nodes;

    /// <summary>Opens the tree of a directory.</summary>
    /// <param name="path">Bytes; relative to the working directory or absolute, of any length. Symlinks in it are
    /// followed.</param>
    /// <returns>The tree, to be disposed; or why the directory cannot be opened.</returns>
    public static Result<DirectoryTree> TryOpen(ReadOnlySpan<byte> path) => TryOpen(path, MaxHeldNodes);

    /// <inheritdoc/>
    /// <remarks>A plain directory does not know who changes it: it tells of nothing. A front door on it must not cache
    /// for longer than it accepts to be wrong.</remarks>
    public IDisposable Watch(Action<Invalidation> observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        return NothingToTell.Instance;
    }

    /// <inheritdoc/>
    public void Forget(NodeId node, ulong count) => nodes.Forget(node, count);

    /// <summary>Closes the directory and everything open in it. Nodes and open files may be used no more.</summary>
    public void Dispose()
    {
        nodes.Dispose();
        buffers.Dispose();
    }

    internal static unsafe Result<DirectoryTree> TryOpen(ReadOnlySpan<byte> path, int maxHeldNodes)
    {
        Result<Descriptor> opened = RootPath.Open(path);
        if (!opened.TryGetValue(out Descriptor? root)) return opened.Error;
        Errno error = root.ReadStatus(out Statx status);
        StatVfs fileSystem = default;
        if (error == Errno.None && LibC.StatVfs(root.Number, &fileSystem) != 0) error = LibC.LastError;
        if (error != Errno.None)
        {
            root.Dispose();
            return error;
        }

        const int linkMax = 0;
        long maxLinks = LibC.PathConf(root.Number, linkMax);
        var limits = new TreeLimits(
            MaxNameBytes: (int)Math.Clamp(fileSystem.MaxNameBytes, 1, EntryName.MaxBytes),
            MaxLinks: (uint)Math.Clamp(maxLinks, 1, uint.MaxValue),
            MaxFileBytes: long.MaxValue,
            TimeGranularityNanoseconds: 1,
            CaseSensitive: true);
        bool birthTells = !FileSystemKind.IsOverlay(root);
        return new DirectoryTree(root, in status, limits, DescriptorLimit.Raise(maxHeldNodes), birthTells);
    }

    /// <summary>
    /// Held around "before, change, after" of a node, so that no other change through this tree lies between.
    /// </summary>
    private Lock ChangeLockOf(TreeNode node) => changeLocks[node.Id.Value % ChangeLockCount];

    /// <summary>
    /// The locks of two nodes in the order in which everybody takes them. They may be one and the same.
    /// </summary>
    private (Lock First, Lock Second) ChangeLocksOf(TreeNode one, TreeNode other)
    {
        ulong a = one.Id.Value % ChangeLockCount, b = other.Id.Value % ChangeLockCount;
        return (changeLocks[Math.Min(a, b)], changeLocks[Math.Max(a, b)]);
    }

    private unsafe Errno WriteName(ReadOnlySpan<byte> name, byte* target) =>
        EntryName.Write(name, Limits.MaxNameBytes, target);

    private sealed class NothingToTell : IDisposable
    {
        public static readonly NothingToTell Instance = new();

        public void Dispose()
        {
        }
    }
}
