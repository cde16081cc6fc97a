using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>How far a reader of a log that is written goes.</summary>
public enum LogReadBound
{
    /// <summary>To what is durable: nothing that a crash could take back.</summary>
    Durable,

    /// <summary>To what was appended.</summary>
    Appended,
}

/// <summary>Reads entries in order, from anywhere, and may follow the tail.</summary>
/// <remarks>For one thread at a time. Holds at most one segment, so that it is not removed meanwhile.</remarks>
public sealed class LogReader : IDisposable
{
    private readonly SegmentedLog log;
    private readonly LogReadBound bound;
    private LogPosition from;
    private LogSegment? segment;
    private SegmentScanner? scanner;

    internal LogReader(SegmentedLog log, LogPosition from, LogReadBound bound)
    {
        this.log = log;
        this.from = from;
        this.bound = bound;
    }

    /// <summary>Where the current entry lies.</summary>
    public LogPosition Position { get; private set; }

    /// <summary>The current entry; valid until the next step.</summary>
    public ReadOnlySpan<byte> Payload => scanner is null ? [] : scanner.Payload;

    /// <summary>The damage met by the last step; null when it met an entry or the end.</summary>
    public LogDamage? Damage { get; private set; }

    /// <summary>Goes to the next entry.</summary>
    /// <returns>
    /// True at an entry, or at damage (see <see cref="Damage"/>), which the next step skips. False when there is no
    /// more now; more may come.
    /// </returns>
    public bool TryRead()
    {
        Damage = null;
        while (true)
        {
            if (segment is null && !TryEnter()) return false;
            scanner!.End = scanner.Durable = log.ReadableEnd(segment!, bound);
            switch (scanner.Next())
            {
                case ScanStep.Entry:
                    Position = scanner.Position;
                    from = new LogPosition(segment!.Number, scanner.Offset);
                    return true;
                case ScanStep.Damage:
                    Damage = scanner.Damage;
                    return true;
                default:
                    if (!segment!.IsSealed && !segment.IsDropped && !log.IsReadOnly) return false;
                    // It was sealed after its end was looked at.
                    if (scanner.End < segment.Readable) continue;
                    if (segment.Number == uint.MaxValue) return false;
                    from = new LogPosition(segment.Number + 1, 0);
                    Leave();
                    break;
            }
        }
    }

    /// <summary>Goes to the next entry, and waits for one at the tail.</summary>
    /// <returns>
    /// True at an entry or damage; false when the log was closed: what was appended just before may not have been read.
    /// </returns>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task change = log.ChangeAsync();
            if (TryRead()) return true;
            if (log.IsClosed) return false;
            await change.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lets go of the log.</summary>
    public void Dispose() => Leave();

    // Enters the segment that the next entry is in; false when there is none yet.
    private bool TryEnter()
    {
        foreach (LogSegment candidate in log.Segments)
        {
            if (candidate.Number < from.Segment || !candidate.TryAcquire()) continue;
            if (!candidate.HasFile)
            {
                candidate.Release();
                return false;
            }

            segment = candidate;
            long start = candidate.Number == from.Segment ? from.Offset : 0;
            scanner = new SegmentScanner(
                candidate.Reader, candidate.Path, candidate.Header, 0, 0, start < candidate.FirstOffset ? 0 : start);
            return true;
        }

        return false;
    }

    private void Leave()
    {
        scanner?.Dispose();
        scanner = null;
        segment?.Release();
        segment = null;
    }
}
