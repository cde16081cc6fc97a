namespace Holdfast.Bitcask.Hints;

/// <summary>The entries of one segment, stripe by stripe. For any number of threads.</summary>
internal interface IHintSource
{
    /// <summary>Number of the segment.</summary>
    uint Segment { get; }

    /// <summary>Length of the segment's file as far as is known: no frame ends behind it; bytes.</summary>
    long SegmentBytes { get; }

    /// <summary>How many entries there are in all stripes, or were in a file that turned out to be damaged.</summary>
    long Entries { get; }

    /// <summary>
    /// Whether the entries of a stripe are sorted by hash, those of equal hash by key, one for each key. If not, they
    /// come in the order of their records, and of a key the last one counts.
    /// </summary>
    bool IsSorted { get; }

    /// <summary>The entries of a stripe. Their CRC is right; that they can be walked is for <see cref="StripeItems"/> to find.</summary>
    /// <param name="stripe">0 to <see cref="HintStripe.Count"/> − 1.</param>
    /// <param name="buffer">The caller's. The entries may lie in it, and are valid until it is used again.</param>
    HintEntries ReadStripe(int stripe, NativeBuffer buffer);

    /// <summary>Tells that entries which were read make no sense: they are to be read again, made from the segment.</summary>
    /// <exception cref="InvalidOperationException">They were made from the segment.</exception>
    void Reject();
}
