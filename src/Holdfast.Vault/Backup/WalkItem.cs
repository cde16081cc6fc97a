using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Backup;

/// <summary>A source directory while something in it is still to be read.</summary>
internal sealed class SourceDirectory(IFileTree tree, NodeId node, byte[] path, bool owned)
{
    private int users = 1;

    public IFileTree Tree => tree;

    public NodeId Node => node;

    /// <summary>Absolute path.</summary>
    public byte[] Path => path;

    public void Use() => Interlocked.Increment(ref users);

    public void Release()
    {
        if (Interlocked.Decrement(ref users) == 0 && owned) tree.Forget(node, 1);
    }

    public byte[] PathOf(ReadOnlySpan<byte> name) => BytePath.Join(path, name);
}

/// <summary>A regular file on its way through a worker.</summary>
internal sealed class SourceFile
{
    public required SourceDirectory Directory { get; init; }

    /// <summary>Its attributes as scanned; a worker fills in the rest.</summary>
    public required TreeEntry Entry { get; init; }

    /// <summary>The name to open; of a root that is a file not its entry's.</summary>
    public required byte[] OpenName { get; init; }

    /// <summary>The file of the same name in the base, if any.</summary>
    public TreeEntry? Base { get; init; }

    /// <summary>The entry of the base that it has not changed since, as far as its attributes say; null when it must be read.</summary>
    public TreeEntry? Unchanged { get; init; }

    /// <summary>An earlier name of the same file: its content is taken over.</summary>
    public SourceFile? LinkOf { get; init; }

    /// <summary>Further names that the file is known to have. The matcher's alone.</summary>
    public uint NamesLeft { get; set; }

    /// <summary>It could not be read: it is left out.</summary>
    public bool Failed { get; set; }

    public byte[] Path => Directory.PathOf(OpenName);
}

/// <summary>Files that one worker takes at once.</summary>
internal sealed class FileBatch
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public List<SourceFile> Files { get; } = new(32);

    public long Bytes { get; set; }

    public Task Done => done.Task;

    public void SetDone() => done.TrySetResult();

    public void SetFailed(Exception error) => done.TrySetException(error);
}

internal enum WalkStep
{
    /// <summary>A directory begins; its entries follow.</summary>
    Enter,

    /// <summary>The last directory that began ends.</summary>
    Leave,

    /// <summary>An entry that needs no reading.</summary>
    Ready,

    /// <summary>A file; ready when its batch is done.</summary>
    File,

    /// <summary>A path of the base that is gone.</summary>
    Deleted,
}

/// <summary>One step of a walk, in the order in which the tree is put together.</summary>
/// <param name="Step">What it is.</param>
/// <param name="Entry">The entry; of <see cref="WalkStep.Deleted"/> the base's.</param>
/// <param name="Base">The base's entry of the same name, if any.</param>
/// <param name="File">Of <see cref="WalkStep.File"/>.</param>
/// <param name="Batch">Of <see cref="WalkStep.File"/>.</param>
internal readonly record struct WalkItem(
    WalkStep Step, TreeEntry? Entry, TreeEntry? Base, SourceFile? File = null, FileBatch? Batch = null);
