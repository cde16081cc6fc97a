using Holdfast.Files;

namespace Holdfast.Vault.Restoring;

/// <summary>What the stages of one restore share.</summary>
internal sealed class RestoreContext(OpenVault vault, RestoreRequest request, Caller caller)
{
    private long added;
    private long modified;
    private long unmodified;
    private long skipped;
    private long deleted;
    private long directories;
    private long bytesWritten;
    private long errors;
    private long damaged;
    private long unverified;

    public OpenVault Vault => vault;

    public RestoreRequest Request => request;

    public IFileTree Target => request.Target;

    public Caller Caller => caller;

    /// <summary>The file system of the target's root.</summary>
    public required ulong RootDevice { get; init; }

    public int Workers { get; } = Math.Max(1, request.Workers);

    public CancellationToken Cancellation => caller.Cancellation;

    public void CountDirectory() => Interlocked.Increment(ref directories);

    public void CountWritten(long bytes) => Interlocked.Add(ref bytesWritten, bytes);

    public void CountSkipped() => Interlocked.Increment(ref skipped);

    public void CountUnmodified() => Interlocked.Increment(ref unmodified);

    public void CountAdded(byte[] path)
    {
        Interlocked.Increment(ref added);
        request.OnChange?.Invoke(new TreeChange(ChangeKind.Added, path));
    }

    public void CountModified(byte[] path)
    {
        Interlocked.Increment(ref modified);
        request.OnChange?.Invoke(new TreeChange(ChangeKind.Modified, path));
    }

    public void CountDeleted(byte[] path)
    {
        Interlocked.Increment(ref deleted);
        request.OnChange?.Invoke(new TreeChange(ChangeKind.Deleted, path));
    }

    public void Fail(byte[] path, string message)
    {
        // What fails because the run was stopped is nobody's fault.
        Cancellation.ThrowIfCancellationRequested();
        Interlocked.Increment(ref errors);
        request.Progress.AddError();
        request.OnNotice?.Invoke(new ItemNotice(IsError: true, path, message));
    }

    public void FailDamaged(byte[] path, string message)
    {
        Interlocked.Increment(ref damaged);
        Fail(path, message);
    }

    public void FailVerification(byte[] path, string message)
    {
        Interlocked.Increment(ref unverified);
        Fail(path, message);
    }

    public RestoreSummary Summary(TimeSpan duration) => new()
    {
        FilesAdded = added,
        FilesModified = modified,
        FilesUnmodified = unmodified,
        FilesSkipped = skipped,
        Deleted = deleted,
        Directories = directories,
        BytesWritten = bytesWritten,
        Errors = errors,
        Damaged = damaged,
        Unverified = unverified,
        Duration = duration,
    };
}
