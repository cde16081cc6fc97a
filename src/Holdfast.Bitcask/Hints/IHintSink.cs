namespace Holdfast.Bitcask.Hints;

/// <summary>Takes the current records that a <see cref="HintMerge"/> finds.</summary>
internal interface IHintSink
{
    /// <summary>The current record of a key, a put. They come sorted by hash, those of equal hash by key.</summary>
    /// <param name="hash">Of the key.</param>
    /// <param name="entry">Valid during the call.</param>
    /// <param name="segment">Where it lies.</param>
    void Add(ulong hash, HintEntry entry, uint segment);

    /// <summary>The last word on a key is that it was deleted. In the same order.</summary>
    /// <param name="hash">Of the key.</param>
    /// <param name="entry">Valid during the call.</param>
    void AddTombstone(ulong hash, HintEntry entry);
}
