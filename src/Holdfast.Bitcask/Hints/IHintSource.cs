namespace Holdfast.Bitcask.Hints;

/// <summary>The entries of one segment, stripe by stripe. For any number of threads.</summary>
internal interface IHintSource
{
    /// <summary>Number of the segment.</summary>
    uint Segment { get; }

    /// <summary>The entries of a stripe, checked.</summary>
    /// <param name="stripe">0 to <see cref="HintStripe.Count"/> − 1.</param>
    /// <param name="buffer">The caller's. The entries may lie in it, and are valid until it is used again.</param>
    HintEntries ReadStripe(int stripe, NativeBuffer buffer);
}
