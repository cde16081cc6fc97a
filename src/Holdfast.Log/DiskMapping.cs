namespace Holdfast.Log;

/// <summary>The first bytes of a file in memory, for reading. From <see cref="IDiskFile.TryMap"/>.</summary>
/// <remarks>
/// Only bytes that the file has may be touched, and none that it may lose to a SetLength meanwhile: whoever reads
/// others, or some that the disk fails to give, ends the process (SIGBUS). There is no finalizer, since pointers into
/// the mapping do not keep this object alive: one that is forgotten stays mapped.
/// </remarks>
public sealed unsafe class DiskMapping : IDisposable
{
    private byte* start;

    internal DiskMapping(byte* start, long length)
    {
        this.start = start;
        Length = length;
    }

    /// <summary>The file's first byte. Valid until the mapping is disposed of.</summary>
    /// <exception cref="ObjectDisposedException">It was.</exception>
    public byte* Start
    {
        get
        {
            ObjectDisposedException.ThrowIf(start is null, this);
            return start;
        }
    }

    /// <summary>How many bytes are mapped; not how many the file has.</summary>
    public long Length { get; }

    /// <summary>Ends the mapping. Nobody may be reading through it.</summary>
    public void Dispose()
    {
        if (start is null) return;
        _ = LibC.Unmap(start, (nint)Length);
        start = null;
    }
}
