namespace Holdfast.Bitcask.Keydirs;

/// <summary>Walks over the keys of a snapshot both ways, in the order of their bytes. For one thread.</summary>
/// <remarks>
/// It stands before the first key, on a key, or behind the last. From before the first, <see cref="MoveNext"/> leads to
/// the first; from behind the last, <see cref="MovePrevious"/> leads to the last. So the keys below a bound, backward,
/// are <c>Seek(bound)</c>, whatever it says, and then <c>MovePrevious()</c> again and again.
/// </remarks>
internal sealed class OrderedCursor
{
    private readonly OrderedNode root;
    private readonly OrderedInner[] path;
    private readonly int[] taken;
    private OrderedLeaf leaf;
    private int index = -1;

    /// <summary>A cursor before the first key.</summary>
    /// <param name="root">Of a tree that does not change.</param>
    internal OrderedCursor(OrderedNode root)
    {
        this.root = root;
        int levels = 0;
        for (OrderedNode node = root; node is OrderedInner inner; node = inner[0]) levels++;
        path = new OrderedInner[levels];
        taken = new int[levels];
        leaf = Descend(root, 0, toLast: false);
    }

    /// <summary>The key it stands on; valid until the next move. Else an error of the caller.</summary>
    public ReadOnlySpan<byte> Key => leaf.KeyAt(CheckedIndex);

    /// <summary>Where the record of that key lies.</summary>
    public Location Location => leaf.LocationAt(CheckedIndex);

    private bool IsOnKey => (uint)index < (uint)leaf.Count;

    private int CheckedIndex => IsOnKey ? index : throw new InvalidOperationException("the cursor stands on no key");

    /// <summary>Goes to the first key not below this one; false = there is none, it stands behind the last.</summary>
    public bool Seek(ReadOnlySpan<byte> key)
    {
        OrderedNode node = root;
        for (int level = 0; node is OrderedInner inner; level++)
        {
            path[level] = inner;
            taken[level] = inner.IndexOf(key);
            node = inner[taken[level]];
        }

        leaf = (OrderedLeaf)node;
        leaf.Search(key, out index);
        return IsOnKey || MoveToNextLeaf();
    }

    /// <summary>Goes to the first key; false = there are none.</summary>
    public bool SeekFirst()
    {
        leaf = Descend(root, 0, toLast: false);
        index = 0;
        return IsOnKey;
    }

    /// <summary>Goes to the last key; false = there are none.</summary>
    public bool SeekLast()
    {
        leaf = Descend(root, 0, toLast: true);
        index = leaf.Count - 1;
        return IsOnKey;
    }

    /// <summary>Goes to the next key; false = it stands behind the last.</summary>
    public bool MoveNext()
    {
        if (index < leaf.Count) index++;
        return IsOnKey || MoveToNextLeaf();
    }

    /// <summary>Goes to the previous key; false = it stands before the first.</summary>
    public bool MovePrevious()
    {
        if (index >= 0) index--;
        return IsOnKey || MoveToPreviousLeaf();
    }

    private bool MoveToNextLeaf()
    {
        for (int level = path.Length - 1; level >= 0; level--)
        {
            if (taken[level] + 1 >= path[level].Count) continue;
            taken[level]++;
            leaf = Descend(path[level][taken[level]], level + 1, toLast: false);
            index = 0;
            return true;
        }

        return false;
    }

    private bool MoveToPreviousLeaf()
    {
        for (int level = path.Length - 1; level >= 0; level--)
        {
            if (taken[level] == 0) continue;
            taken[level]--;
            leaf = Descend(path[level][taken[level]], level + 1, toLast: true);
            index = leaf.Count - 1;
            return true;
        }

        return false;
    }

    private OrderedLeaf Descend(OrderedNode node, int level, bool toLast)
    {
        for (; node is OrderedInner inner; level++)
        {
            path[level] = inner;
            taken[level] = toLast ? inner.Count - 1 : 0;
            node = inner[taken[level]];
        }

        return (OrderedLeaf)node;
    }
}
