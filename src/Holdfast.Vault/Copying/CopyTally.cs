namespace Holdfast.Vault.Copying;

/// <summary>Counts what a copy did. May be used from any thread.</summary>
internal sealed class CopyTally
{
    private long bytesRead;
    private long copied;
    private long there;

    /// <summary>Bytes of chunks read from the other vault, before compression.</summary>
    public long BytesRead => Interlocked.Read(ref bytesRead);

    /// <summary>Chunks that the vault did not have.</summary>
    public long Copied => Interlocked.Read(ref copied);

    /// <summary>Chunks that it had.</summary>
    public long There => Interlocked.Read(ref there);

    public void AddRead(long bytes) => Interlocked.Add(ref bytesRead, bytes);

    public void AddCopied() => Interlocked.Increment(ref copied);

    public void AddThere() => Interlocked.Increment(ref there);
}
