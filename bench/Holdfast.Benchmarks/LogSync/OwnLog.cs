using Holdfast.Log;

namespace Holdfast.Benchmarks.LogSync;

/// Our own log, through its public library.
internal sealed class OwnLog : ISyncedLog, IStreamedLog
{
    private readonly SegmentedLog log;

    public OwnLog(string directory, int ringSegments) => log = SegmentedLog.Open(
        Host.CreateReal(),
        Path.Combine(directory, "log"),
        new Log.LogOptions { Purpose = "bench", SegmentBytes = 64u << 20, RingSegments = ringSegments });

    void ISyncedLog.Append(ReadOnlySpan<byte> record)
    {
        log.Append(record);
        DropSealed();
    }

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> record)
    {
        _ = await log.AppendAsync(record);
        DropSealed();
    }

    void IStreamedLog.Append(ReadOnlySpan<byte> record)
    {
        log.Append(record, durability: Durability.None);
        DropSealed();
    }

    public void Flush() => log.Flush();

    public void Dispose() => log.Dispose();

    // What a journal does once a restore point covers a segment.
    private void DropSealed()
    {
        IReadOnlyList<LogSegment> segments = log.Segments;
        if (segments.Count > 2 && segments[0].IsSealed) log.Drop(segments[0]);
    }
}
