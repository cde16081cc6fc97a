using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>A segment that is written beside the log and will stand for others in it (a merge).</summary>
/// <remarks>
/// Nothing of it is visible, and nothing is left of it after a crash, before <see cref="Commit"/>. For one thread.
/// </remarks>
public sealed class LogReplacement : IDisposable
{
    private readonly SegmentedLog log;
    private readonly SegmentHeader header;
    private readonly IReadOnlyList<LogSegment> replaced;
    private readonly IDiskFile file;
    private readonly SegmentAppender appender;
    private readonly object gate = new();
    private bool isCommitted;
    private bool isDisposed;

    internal LogReplacement(
        SegmentedLog log, SegmentHeader header, IReadOnlyList<LogSegment> replaced, IDiskFile file, int bufferBytes)
    {
        this.log = log;
        this.header = header;
        this.replaced = replaced;
        this.file = file;
        var hash = new ContentHash();
        hash.Append(header.Encode());
        appender = new SegmentAppender(
            gate, file, header, header.Length, header.Length, entryCount: 0, uint.MaxValue & -Frame.Alignment, bufferBytes, hash);
    }

    /// <summary>Its number: higher than those it replaces, lower than that of any segment begun later.</summary>
    public uint Number => header.Number;

    /// <summary>What was appended so far, bytes.</summary>
    public long Length => appender.Appended;

    /// <summary>How many entries were appended so far.</summary>
    public long EntryCount => appender.EntryCount;

    /// <summary>Appends an entry. Not durable before <see cref="Commit"/>.</summary>
    public LogPosition Append(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        long frameBytes = Frame.SizeOf((long)first.Length + second.Length);
        lock (gate)
        {
            if (!appender.HasCapacity(frameBytes)) throw new InvalidOperationException("the replacement is full");
            _ = appender.TryMakeRoom(frameBytes);
            return new LogPosition(header.Number, appender.Append(FrameKind.Entry, first, second, default));
        }
    }

    /// <summary>
    /// Makes it durable and a part of the log. From then on a crash leaves it, and not those it replaces; they are
    /// still listed until the caller has dropped them.
    /// </summary>
    /// <remarks>
    /// First all that was appended to the log meanwhile is made durable: what is not current because of such an append
    /// may be missing here.
    /// </remarks>
    public LogSegment Commit()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (isCommitted) throw new InvalidOperationException("it is committed already");
        log.Sync();
        SegmentSeal seal;
        byte[]? fileHash;
        lock (gate) seal = appender.Seal(out fileHash);
        LogSegment segment = log.Publish(file, header, seal, fileHash, replaced);
        isCommitted = true;
        return segment;
    }

    /// <summary>Closes it; without <see cref="Commit"/>, nothing has happened.</summary>
    public void Dispose()
    {
        if (isDisposed) return;
        isDisposed = true;
        appender.Dispose();
        if (!isCommitted) log.Abandon(replaced);
    }
}
