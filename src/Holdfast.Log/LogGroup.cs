using System.Buffers;
using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>Entries to be appended together or not at all. To be used again after <see cref="Clear"/>.</summary>
/// <remarks>Not for several threads at once.</remarks>
public sealed class LogGroup
{
    /// <summary>How many bytes the frames of a group may take.</summary>
    public const long MaxFrameBytes = 1L << 31;

    private readonly ArrayBufferWriter<byte> bytes = new();
    private readonly List<(int Start, int Length)> payloads = [];
    private readonly List<LogPosition> positions = [];

    /// <summary>How many entries there are.</summary>
    public int Count => payloads.Count;

    /// <summary>What the frames will take, bytes.</summary>
    public long FrameBytes { get; private set; }

    /// <summary>Adds an entry.</summary>
    /// <param name="payloadBytes">Length of its payload.</param>
    /// <returns>The payload, to be filled before anything else is added.</returns>
    public Span<byte> Add(int payloadBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payloadBytes, Frame.MaxPayloadBytes);
        int start = bytes.WrittenCount;
        Span<byte> payload = payloadBytes == 0 ? [] : bytes.GetSpan(payloadBytes)[..payloadBytes];
        bytes.Advance(payloadBytes);
        payloads.Add((start, payloadBytes));
        FrameBytes += Frame.SizeOf(payloadBytes);
        return payload;
    }

    /// <summary>The payload of an entry; may still be changed.</summary>
    public Span<byte> PayloadAt(int index)
    {
        (int start, int length) = payloads[index];
        return System.Runtime.InteropServices.MemoryMarshal.AsMemory(bytes.WrittenMemory).Span.Slice(start, length);
    }

    /// <summary>Where an entry lies, after the group was appended.</summary>
    public LogPosition PositionAt(int index) => positions[index];

    /// <summary>Empties it; keeps its memory.</summary>
    public void Clear()
    {
        bytes.ResetWrittenCount();
        payloads.Clear();
        positions.Clear();
        FrameBytes = 0;
    }

    internal void SetPosition(int index, LogPosition position)
    {
        if (index < positions.Count) positions[index] = position;
        else positions.Add(position);
    }
}
