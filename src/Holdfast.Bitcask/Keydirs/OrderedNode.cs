namespace Holdfast.Bitcask.Keydirs;

/// <summary>A node of the tree of an <see cref="OrderedKeydir"/>.</summary>
/// <param name="epoch">
/// The keydir's when the node was made. It is changed in place only while that is the keydir's epoch still; later it
/// may belong to a snapshot and is replaced by a copy instead.
/// </param>
internal abstract class OrderedNode(long epoch)
{
    /// <summary>What an object or array takes before its content, bytes.</summary>
    protected const int ObjectBytes = 24;

    /// <summary>See the constructor.</summary>
    public long Epoch => epoch;

    /// <summary>Memory of the node itself, bytes.</summary>
    public abstract int Bytes { get; }

    /// <summary>The shortest key above one and not above the next: what tells two leaves apart.</summary>
    public static ReadOnlySpan<byte> Between(ReadOnlySpan<byte> key, ReadOnlySpan<byte> next) =>
        next[..(key.CommonPrefixLength(next) + 1)];

    /// <summary>The leaf below this node that has a key, if any has.</summary>
    public OrderedLeaf LeafOf(ReadOnlySpan<byte> key)
    {
        OrderedNode node = this;
        while (node is OrderedInner inner) node = inner[inner.IndexOf(key)];
        return (OrderedLeaf)node;
    }
}
