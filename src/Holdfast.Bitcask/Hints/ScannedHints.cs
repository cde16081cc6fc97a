namespace Holdfast.Bitcask.Hints;

/// <summary>What was found by reading a segment that has no hint. For any number of threads.</summary>
/// <remarks>For opening, which puts entries in order itself; a hint file is made later.</remarks>
internal sealed unsafe class ScannedHints : IHintSource, IDisposable
{
    private readonly IReadOnlyList<ScannedPiece> pieces;

    /// <summary>Joins pieces.</summary>
    /// <param name="segment">Number of the segment.</param>
    /// <param name="pieces">All of the segment, in order. Owned, and not added to any more.</param>
    public ScannedHints(uint segment, IReadOnlyList<ScannedPiece> pieces)
    {
        Segment = segment;
        this.pieces = pieces;
        foreach (ScannedPiece piece in pieces)
        {
            Entries += piece.Entries;
            HighestSequence = Math.Max(HighestSequence, piece.HighestSequence);
        }
    }

    /// <inheritdoc/>
    public uint Segment { get; }

    /// <inheritdoc/>
    public long SegmentBytes => long.MaxValue;

    /// <inheritdoc/>
    public long Entries { get; }

    /// <inheritdoc/>
    public bool IsSorted => false;

    /// <summary>Highest sequence number in the segment; 0 = it has no record.</summary>
    public ulong HighestSequence { get; }

    /// <inheritdoc/>
    public HintEntries ReadStripe(int stripe, NativeBuffer buffer)
    {
        long bytes = 0;
        uint count = 0;
        foreach (ScannedPiece piece in pieces)
        {
            bytes += piece.BytesOf(stripe);
            count += piece.CountOf(stripe);
        }

        byte* start = buffer.Require(bytes);
        byte* to = start + bytes;
        for (int i = pieces.Count - 1; i >= 0; i--) to = pieces[i].CopyTo(stripe, to);
        return new HintEntries(start, start + bytes, count);
    }

    /// <inheritdoc/>
    public void Reject() => throw new InvalidOperationException($"hints of {Segment:x8} that were made from it make no sense");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ScannedPiece piece in pieces) piece.Dispose();
    }
}
