namespace Holdfast.Bitcask.Hints;

/// <summary>An entry that was met in a stripe. 16 bytes.</summary>
/// <param name="hash">Of the key.</param>
/// <param name="source">Index of the source that has it.</param>
/// <param name="offset">Where it lies in what that source has of the stripe, bytes.</param>
internal readonly struct StripeItem(ulong hash, uint source, uint offset) : IComparable<StripeItem>
{
    public readonly ulong Hash = hash;
    public readonly uint Source = source;
    public readonly uint Offset = offset;

    /// <summary>By hash; those of equal hash in the order in which their records were written.</summary>
    public int CompareTo(StripeItem other)
    {
        if (Hash != other.Hash) return Hash.CompareTo(other.Hash);
        return Source != other.Source ? Source.CompareTo(other.Source) : Offset.CompareTo(other.Offset);
    }
}
