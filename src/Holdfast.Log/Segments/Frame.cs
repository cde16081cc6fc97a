using System.Numerics;

namespace Holdfast.Log.Segments;

/// <summary>What a frame is.</summary>
internal enum FrameKind
{
    /// <summary>No frame: what zeros read as.</summary>
    None = 0,

    /// <summary>An entry; with it its group is whole.</summary>
    Entry = 1,

    /// <summary>An entry whose group goes on.</summary>
    EntryOfGroup = 2,

    /// <summary>A note of the log to itself: a watermark.</summary>
    Control = 3,
}

/// <summary>The frame around each payload. Layout: docs/formats/log.md, "Frame".</summary>
internal static class Frame
{
    /// <summary>Size of what precedes the payload, bytes.</summary>
    public const int HeaderBytes = 8;

    /// <summary>Frames begin at multiples of this.</summary>
    public const int Alignment = 8;

    /// <summary>The longest payload, bytes.</summary>
    public const int MaxPayloadBytes = (1 << 30) - 1;

    /// <summary>Size of the payload of a watermark, bytes.</summary>
    public const int WatermarkPayloadBytes = 8;

    /// <summary>Size of a watermark's frame, bytes.</summary>
    public const int WatermarkBytes = HeaderBytes + WatermarkPayloadBytes;

    private const int KindShift = 30;

    /// <summary>The word of a watermark's frame.</summary>
    public static uint WatermarkWord => Word(FrameKind.Control, WatermarkPayloadBytes);

    public static uint Word(FrameKind kind, int payloadBytes) => ((uint)kind << KindShift) | (uint)payloadBytes;

    public static FrameKind KindOf(uint word) => (FrameKind)(word >> KindShift);

    public static int PayloadBytesOf(uint word) => (int)(word & MaxPayloadBytes);

    /// <summary>Size of a frame with its padding, bytes.</summary>
    public static long SizeOf(long payloadBytes) => (HeaderBytes + payloadBytes + (Alignment - 1)) & -Alignment;

    public static int Align(int length) => (length + (Alignment - 1)) & -Alignment;

    /// <summary>What the checksums of all frames of a segment begin with.</summary>
    public static uint ChecksumSeed(ulong incarnation) => BitOperations.Crc32C(uint.MaxValue, incarnation);

    /// <summary>The checksum of a frame as far as its payload; to be continued with <see cref="Crc32C.Append"/>.</summary>
    /// <param name="seed">From <see cref="ChecksumSeed"/>.</param>
    /// <param name="position">Where the frame lies.</param>
    /// <param name="word">Its length and kind.</param>
    public static uint BeginChecksum(uint seed, LogPosition position, uint word) =>
        ~BitOperations.Crc32C(BitOperations.Crc32C(seed, position.Value), word);
}
