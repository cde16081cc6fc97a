using Holdfast.Files;

namespace Holdfast.Vault.Backup;

/// <summary>What is known of a backup before its vault is open: all that its source is listed with.</summary>
internal sealed class SourceContext(BackupRequest request, Caller caller, TimeProvider clock)
{
    // A node whose ctime lies so close before its reading may change again without a new ctime: clocks of file systems tick.
    private static readonly TimeSpan ClockTick = TimeSpan.FromMilliseconds(20);

    public BackupRequest Request => request;

    public Caller Caller => caller;

    public WorkProgress Progress => request.Progress;

    public void Fail(byte[] path, string message)
    {
        // What fails because the run was stopped is nobody's fault.
        caller.Cancellation.ThrowIfCancellationRequested();
        Progress.AddError();
        request.OnNotice?.Invoke(new ItemNotice(IsError: true, path, message));
    }

    public void Note(byte[] path, string message) => request.OnNotice?.Invoke(new ItemNotice(IsError: false, path, message));

    /// <summary>
    /// What changes from now on gets a later ctime than this. Asked before a node is read: a later ctime than that would not
    /// tell of a change while it is read.
    /// </summary>
    public UnixTime NextChangeTime() => UnixTime.From(clock.GetUtcNow() - ClockTick);
}
