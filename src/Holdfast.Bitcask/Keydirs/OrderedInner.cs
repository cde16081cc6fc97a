namespace Holdfast.Bitcask.Keydirs;

/// <summary>An inner node: children, and between each two of them a key that tells them apart.</summary>
/// <remarks>
/// Immutable but for the references to the children. Child <em>i</em> holds the keys from separator <em>i</em> − 1 on
/// and below separator <em>i</em>. Separators are as short as possible.
/// </remarks>
internal sealed class OrderedInner : OrderedNode
{
    /// <summary>Most children.</summary>
    public const int MaxChildren = 64;

    private readonly OrderedNode[] children;
    private readonly uint[] heads;
    private readonly int[] ends;
    private readonly byte[] separators;
    private readonly int prefixBytes;

    /// <summary>Makes a node.</summary>
    /// <param name="epoch">The keydir's.</param>
    /// <param name="children">One or more. Owned.</param>
    /// <param name="ends">For each separator, one fewer than children, where it ends. Owned.</param>
    /// <param name="separators">The separators, one behind the other. Owned.</param>
    private OrderedInner(long epoch, OrderedNode[] children, int[] ends, byte[] separators)
        : base(epoch)
    {
        this.children = children;
        this.ends = ends;
        this.separators = separators;
        if (ends.Length > 0) prefixBytes = Separator(0).CommonPrefixLength(Separator(ends.Length - 1));
        heads = new uint[ends.Length];
        for (int i = 0; i < heads.Length; i++) heads[i] = OrderedSearch.HeadOf(Separator(i), prefixBytes);
    }

    private OrderedInner(long epoch, OrderedInner copied)
        : base(epoch)
    {
        children = [.. copied.children];
        heads = copied.heads;
        ends = copied.ends;
        separators = copied.separators;
        prefixBytes = copied.prefixBytes;
    }

    /// <summary>How many children.</summary>
    public int Count => children.Length;

    /// <inheritdoc/>
    public override int Bytes =>
        (5 * ObjectBytes) + 40 + (children.Length * 8) + (heads.Length * 8) + separators.Length;

    /// <summary>A child. Any thread may ask while the writer replaces it.</summary>
    public OrderedNode this[int index] => Volatile.Read(ref children[index]);

    /// <summary>A node with two children.</summary>
    public static OrderedInner Above(long epoch, OrderedNode left, ReadOnlySpan<byte> separator, OrderedNode right) =>
        new(epoch, [left, right], [separator.Length], separator.ToArray());

    /// <summary>A node above many children.</summary>
    /// <param name="epoch">The keydir's.</param>
    /// <param name="children">One or more, at most <see cref="MaxChildren"/>.</param>
    /// <param name="separators">One fewer.</param>
    public static OrderedInner Above(long epoch, ReadOnlySpan<OrderedNode> children, ReadOnlySpan<byte[]> separators)
    {
        int bytes = 0;
        int[] ends = new int[separators.Length];
        for (int i = 0; i < ends.Length; i++) ends[i] = bytes += separators[i].Length;
        byte[] packed = new byte[bytes];
        for (int i = 0; i < ends.Length; i++) separators[i].CopyTo(packed, ends[i] - separators[i].Length);
        return new OrderedInner(epoch, children.ToArray(), ends, packed);
    }

    /// <summary>Which child holds a key, if any does.</summary>
    public int IndexOf(ReadOnlySpan<byte> key)
    {
        if (heads.Length == 0) return 0;
        if (prefixBytes > 0)
        {
            int order = key[..Math.Min(key.Length, prefixBytes)].SequenceCompareTo(separators.AsSpan(0, prefixBytes));
            if (order != 0) return order < 0 ? 0 : heads.Length;
        }

        uint head = OrderedSearch.HeadOf(key, prefixBytes);
        int low = OrderedSearch.CountBelow(heads, head), high = low;
        while (high < heads.Length && heads[high] == head) high++;
        // Among equal heads: the first separator above the key.
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (Separator(middle).SequenceCompareTo(key) <= 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    /// <summary>The separator in front of child <paramref name="index"/> + 1.</summary>
    public ReadOnlySpan<byte> Separator(int index) =>
        separators.AsSpan((index == 0 ? 0 : ends[index - 1])..ends[index]);

    /// <summary>Puts another node in a child's place. The node is of the keydir's epoch.</summary>
    public void SetChild(int index, OrderedNode child) => Volatile.Write(ref children[index], child);

    /// <summary>The same node in another epoch.</summary>
    public OrderedInner Copy(long epoch) => new(epoch, this);

    /// <summary>The same node with two children in the place of one.</summary>
    public OrderedInner WithSplit(
        long epoch, int index, OrderedNode left, ReadOnlySpan<byte> separator, OrderedNode right)
    {
        OrderedNode[] more = [.. children.AsSpan(0, index), left, right, .. children.AsSpan(index + 1)];
        int at = index == 0 ? 0 : ends[index - 1];
        byte[] bytes = [.. separators.AsSpan(0, at), .. separator, .. separators.AsSpan(at)];
        int[] newEnds = [.. ends.AsSpan(0, index), at + separator.Length, .. ends.AsSpan(index)];
        for (int i = index + 1; i < newEnds.Length; i++) newEnds[i] += separator.Length;
        return new OrderedInner(epoch, more, newEnds, bytes);
    }

    /// <summary>The same node without a child; its neighbour takes over what keys it could hold.</summary>
    public OrderedInner Without(long epoch, int index)
    {
        OrderedNode[] fewer = [.. children.AsSpan(0, index), .. children.AsSpan(index + 1)];
        int separator = Math.Max(0, index - 1);
        int start = separator == 0 ? 0 : ends[separator - 1], end = ends[separator];
        byte[] bytes = [.. separators.AsSpan(0, start), .. separators.AsSpan(end)];
        int[] newEnds = [.. ends.AsSpan(0, separator), .. ends.AsSpan(separator + 1)];
        for (int i = separator; i < newEnds.Length; i++) newEnds[i] -= end - start;
        return new OrderedInner(epoch, fewer, newEnds, bytes);
    }

    /// <summary>The same node with one child in the place of <paramref name="index"/> and the next one.</summary>
    public OrderedInner WithMerged(long epoch, int index, OrderedNode merged)
    {
        OrderedInner fewer = Without(epoch, index + 1);
        fewer.children[index] = merged;
        return fewer;
    }

    /// <summary>Two nodes in the place of one, about equally large.</summary>
    public (OrderedInner Left, byte[] Separator, OrderedInner Right) Split(long epoch)
    {
        int half = Count / 2;
        return (Slice(epoch, 0, half), Separator(half - 1).ToArray(), Slice(epoch, half, Count));
    }

    /// <summary>One node in the place of two.</summary>
    public OrderedInner Joined(long epoch, ReadOnlySpan<byte> separator, OrderedInner right)
    {
        int shift = separators.Length + separator.Length;
        int[] newEnds = [.. ends, shift, .. right.ends];
        for (int i = ends.Length + 1; i < newEnds.Length; i++) newEnds[i] += shift;
        return new OrderedInner(
            epoch, [.. children, .. right.children], newEnds, [.. separators, .. separator, .. right.separators]);
    }

    private OrderedInner Slice(long epoch, int start, int end)
    {
        int first = start == 0 ? 0 : ends[start - 1], last = end == start + 1 ? first : ends[end - 2];
        int[] newEnds = ends[start..(end - 1)];
        for (int i = 0; i < newEnds.Length; i++) newEnds[i] -= first;
        return new OrderedInner(epoch, children[start..end], newEnds, separators[first..last]);
    }
}
