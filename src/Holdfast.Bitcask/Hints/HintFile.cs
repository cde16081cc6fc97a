using Holdfast.Log;

namespace Holdfast.Bitcask.Hints;

/// <summary>A hint file that fits its segment. Stripes are read and checked singly, by any thread.</summary>
internal sealed class HintFile : IDisposable
{
    // The seam reads into spans; a stripe may be longer than one.
    private const int MaxReadBytes = 1 << 30;

    private readonly IDiskFile file;

    private HintFile(IDiskFile file, HintHeader header)
    {
        this.file = file;
        Header = header;
    }

    /// <summary>What the file says of its segment.</summary>
    public HintHeader Header { get; }

    /// <summary>Reads and checks the header.</summary>
    /// <param name="file">Owned by the result; the caller's when that is null.</param>
    /// <param name="expected">The segment that it must be of.</param>
    /// <param name="reason">Why it cannot be used, when the result is null.</param>
    public static HintFile? TryOpen(IDiskFile file, in HintIdentity expected, out string reason)
    {
        Span<byte> bytes = stackalloc byte[HintHeader.Size];
        HintHeader? header = HintHeader.TryDecode(bytes[..file.Read(0, bytes)], out reason);
        if (header is null) return null;
        HintIdentity found = header.Identity;
        long fileBytes = file.Length;
        reason =
            found.LogId != expected.LogId ? "it is of another log"
            : found.Segment != expected.Segment ? $"it is of segment {found.Segment:x8}, not {expected.Segment:x8}"
            : found.Incarnation != expected.Incarnation ? "it is of another use of the segment's file"
            : found.SegmentBytes != expected.SegmentBytes
                ? $"it is of a segment of {found.SegmentBytes} bytes, which has {expected.SegmentBytes}"
            : fileBytes - HintHeader.Size != header.EntriesBytes
                ? $"{fileBytes} bytes, but its entries end at {HintHeader.Size + (ulong)header.EntriesBytes}"
            : "";
        return reason.Length == 0 ? new HintFile(file, header) : null;
    }

    /// <summary>Reads a stripe and checks its CRC.</summary>
    /// <param name="stripe">Its number.</param>
    /// <param name="buffer">Where the entries are put.</param>
    /// <param name="entries">Valid until the buffer is used again.</param>
    /// <returns>False when the stripe is damaged.</returns>
    public unsafe bool TryReadStripe(int stripe, NativeBuffer buffer, out HintEntries entries)
    {
        HintStripe expected = Header.Stripes[stripe];
        // No more than the file's length, which was compared when it was opened.
        long bytes = Header.StripeBytes(stripe);
        byte* start = buffer.Require(bytes);
        entries = new HintEntries(start, start + bytes, expected.Entries);
        uint crc = 0;
        for (long done = 0; done < bytes;)
        {
            var piece = new Span<byte>(start + done, (int)Math.Min(bytes - done, MaxReadBytes));
            // Shorter: the file was cut since it was opened.
            if (file.Read(HintHeader.Size + expected.Offset + done, piece) != piece.Length) return false;
            crc = Crc32C.Append(crc, piece);
            done += piece.Length;
        }

        return crc == expected.Crc32C;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
