using Microsoft.Win32.SafeHandles;

namespace Holdfast.Databases.Sqlite;

/// <summary>
/// Has a copy go to the disk while it grows, a little at a time: programs that write to the database sync too, and would wait behind all of it when it is
/// synced at its end. Not for several threads at once.
/// </summary>
/// <remarks>Advice alone: nothing is durable by it, and what cannot be written is told by the sync that follows.</remarks>
/// <param name="path">The copy.</param>
internal sealed class EarlyWriteback(string path) : IDisposable
{
    /// <summary>So much is under way at most: a disk has done with it in a few milliseconds.</summary>
    private const long StepBytes = 2 << 20;

    private readonly SafeFileHandle file = LibC.Open(path, LibC.OpenReadOnly | LibC.OpenCloseOnExec, 0);
    private long begun;

    /// <summary>The copy has grown: waits for what is under way, and begins with what came since.</summary>
    /// <param name="bytes">Its length.</param>
    public void Advance(long bytes)
    {
        // It begins anew where the copy does.
        if (bytes < begun) begun = 0;
        if (file.IsInvalid || bytes - begun < StepBytes) return;
        _ = LibC.SyncFileRange(file, 0, 0, LibC.WaitForWriteback);
        _ = LibC.SyncFileRange(file, 0, 0, LibC.StartWriteback);
        begun = bytes;
    }

    public void Dispose() => file.Dispose();
}
