namespace Holdfast.Files.Local;

/// <summary>A file descriptor that several may use at once; closed when the last gives it back.</summary>
/// <remarks>Not a SafeHandle: a finalizer for each opened file costs more than opening it, and the tree that owns all
/// of them closes them.</remarks>
internal sealed class Descriptor(int number, bool isPath, bool isWritable = false) : IDisposable
{
    private int uses = 1;

    /// <summary>For system calls.</summary>
    public int Number { get; } = number;

    /// <summary>
    /// Whether it only names the node (O_PATH): calls that need an open file go through /proc/self/fd.
    /// </summary>
    public bool IsPath { get; } = isPath;

    /// <summary>Whether the file is open for writing.</summary>
    public bool IsWritable { get; } = isWritable;

    /// <summary>Adds a use. The caller must know that there is one already.</summary>
    public Descriptor Use()
    {
        Interlocked.Increment(ref uses);
        return this;
    }

    /// <summary>Gives one use back.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref uses) == 0) _ = LibC.Close(Number);
    }

    /// <summary>Reads the attributes of what is open.</summary>
    public unsafe Errno ReadStatus(out Statx status)
    {
        byte empty = 0;
        fixed (Statx* target = &status)
        {
            return LibC.Statx(Number, &empty, At.EmptyPath, Statx.BasicStatsAndBirth, target) == 0
                ? Errno.None
                : LibC.LastError;
        }
    }
}
