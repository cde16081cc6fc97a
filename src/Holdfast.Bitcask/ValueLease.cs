using Holdfast.Bitcask.Reading;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>A value that is read where it lies. It holds its segment until it is disposed of.</summary>
/// <remarks>
/// For any number of threads, but nobody may look at <see cref="Value"/> once it is disposed of. Where segments cannot
/// be mapped it holds a copy.
/// </remarks>
public sealed unsafe class ValueLease : IDisposable
{
    private readonly byte[]? copy;
    private readonly byte* start;
    private readonly int length;
    private LogSegment? segment;

    private ValueLease(LogSegment segment, byte* start, int length)
    {
        this.segment = segment;
        this.start = start;
        this.length = length;
    }

    private ValueLease(byte[] copy) => this.copy = copy;

    /// <summary>The value.</summary>
    public ReadOnlySpan<byte> Value
    {
        get
        {
            if (copy is not null) return copy;
            ObjectDisposedException.ThrowIf(Volatile.Read(ref segment) is null, this);
            return new ReadOnlySpan<byte>(start, length);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref segment, null)?.Release();

    /// <summary>The value of the record that was read last.</summary>
    internal static ValueLease Of(RecordReader reader, LogSegment segment)
    {
        int valueBytes = reader.Value.Length;
        int before = (int)reader.Location.Length - valueBytes;
        byte* frame = segment.TryGetPointer(reader.Location.Offset, (int)reader.Location.Length);
        return frame is not null && segment.TryAcquire()
            ? new ValueLease(segment, frame + before, valueBytes)
            : new ValueLease(reader.Value.ToArray());
    }
}
