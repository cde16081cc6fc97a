namespace Holdfast.Bitcask.Keydirs;

/// <content>How the tree changes. All under the lock.</content>
internal sealed partial class OrderedKeydir
{
    // Nodes have half of 64 children at least when they come into being, and the height shrinks only at the root.
    private const int MaxLevels = 16;

    // A node with fewer is joined with a neighbour if both then leave room for some time of growing.
    private const int FewKeys = OrderedLeaf.MaxKeys / 4;
    private const int FewChildren = OrderedInner.MaxChildren / 4;
    private const int MaxJoinedKeys = OrderedLeaf.MaxKeys * 5 / 8;
    private const int MaxJoinedChildren = OrderedInner.MaxChildren * 5 / 8;
    private const int MaxJoinedItemBytes = OrderedLeaf.MaxItemBytes / 2;

    // The way down that Descend took: the node of each level above the leaf, and which child of it was taken.
    private readonly OrderedInner[] path = new OrderedInner[MaxLevels];
    private readonly int[] taken = new int[MaxLevels];
    private int leafLevel;

    private OrderedLeaf Descend(ReadOnlySpan<byte> key)
    {
        OrderedNode node = root;
        for (leafLevel = 0; node is OrderedInner inner; leafLevel++)
        {
            path[leafLevel] = inner;
            taken[leafLevel] = inner.IndexOf(key);
            node = inner[taken[leafLevel]];
        }

        return (OrderedLeaf)node;
    }

    /// <summary>The leaf that <see cref="Descend"/> found, or its copy that may be changed.</summary>
    private OrderedLeaf Own(OrderedLeaf leaf)
    {
        if (leaf.Epoch == epoch) return leaf;
        OrderedLeaf copy = leaf.Copy(epoch);
        Replace(leafLevel, leaf, copy);
        return copy;
    }

    private void Insert(OrderedLeaf leaf, int index, ReadOnlySpan<byte> key, Location location)
    {
        Volatile.Write(ref count, count + 1);
        int itemBytes = leaf.ItemBytes + OrderedLeaf.ItemBytesOf(key.Length);
        if (leaf.Epoch == epoch && leaf.HasRoomFor(key))
        {
            leaf.Insert(index, key, location);
        }
        else if (leaf.Count == 0 || (leaf.Count < OrderedLeaf.MaxKeys && itemBytes <= OrderedLeaf.MaxItemBytes))
        {
            OrderedLeaf larger = leaf.WithRoomFor(epoch, key);
            larger.Insert(index, key, location);
            Replace(leafLevel, leaf, larger);
        }
        else
        {
            InsertAndSplit(leaf, index, key, location);
        }
    }

    private void InsertAndSplit(OrderedLeaf leaf, int index, ReadOnlySpan<byte> key, Location location)
    {
        int keys = leaf.Count, own = OrderedLeaf.ItemBytesOf(key.Length);
        ReadOnlySpan<byte> first = index == 0 ? key : leaf.KeyAt(0);
        ReadOnlySpan<byte> last = index == keys ? key : leaf.KeyAt(keys - 1);
        // Of both halves together: a longer one would soon have to be given up for a key beside the half.
        ReadOnlySpan<byte> prefix = first[..OrderedLeaf.SharedPrefix(first, last)];

        // Old keys that go to the left, and what they take; the new key goes where it belongs.
        int leftKeys = 0, leftBytes = 0, total = leaf.ItemBytes + own;
        if (index == keys && leaf.IsAppendedTo)
        {
            (leftKeys, leftBytes) = (keys, leaf.ItemBytes);
        }
        else
        {
            for (; leftKeys < keys; leftKeys++)
            {
                int bytes = OrderedLeaf.ItemBytesOf(leaf.KeyAt(leftKeys).Length);
                int withNew = leftBytes + (index <= leftKeys ? own : 0);
                if (leftKeys + (index <= leftKeys ? 1 : 0) > 0 && withNew + (bytes / 2) > total / 2) break;
                leftBytes += bytes;
            }
        }

        bool isLeft = index < leftKeys || leftKeys == 0;
        int rightBytes = leaf.ItemBytes - leftBytes;
        if (isLeft) leftBytes += own;
        else rightBytes += own;
        OrderedLeaf left = leftKeys == keys && !isLeft
            ? OrderedLeaf.Exact(epoch, keys, leftBytes, prefix)
            : OrderedLeaf.Roomy(epoch, leftKeys + (isLeft ? 1 : 0), leftBytes, prefix);
        OrderedLeaf right = OrderedLeaf.Roomy(epoch, keys - leftKeys + (isLeft ? 0 : 1), rightBytes, prefix);
        left.Append(leaf, 0, leftKeys);
        right.Append(leaf, leftKeys, keys);
        if (isLeft) left.Insert(index, key, location);
        else right.Insert(index - leftKeys, key, location);
        if (leaf.IsAppendedTo) right.ContinueAppends();
        ReplaceByTwo(leafLevel, leaf, left, OrderedNode.Between(left.KeyAt(left.Count - 1), right.KeyAt(0)), right);
    }

    private void RemoveAt(OrderedLeaf leaf, int index)
    {
        Volatile.Write(ref count, count - 1);
        if (leaf.Count == 1)
        {
            RemoveNode(leafLevel, leaf);
            return;
        }

        leaf = Own(leaf);
        leaf.Remove(index);
        if (leaf.Count <= FewKeys && leafLevel > 0) TryJoinLeaf(leaf);
    }

    private void TryJoinLeaf(OrderedLeaf leaf)
    {
        OrderedInner parent = path[leafLevel - 1];
        int index = taken[leafLevel - 1];
        for (int leftIndex = index; leftIndex >= index - 1; leftIndex--)
        {
            if (leftIndex < 0 || leftIndex + 1 >= parent.Count) continue;
            var left = (OrderedLeaf)parent[leftIndex];
            var right = (OrderedLeaf)parent[leftIndex + 1];
            int keys = left.Count + right.Count, itemBytes = left.ItemBytes + right.ItemBytes;
            if (keys > MaxJoinedKeys || itemBytes > MaxJoinedItemBytes) continue;

            ReadOnlySpan<byte> first = left.KeyAt(0), last = right.KeyAt(right.Count - 1);
            ReadOnlySpan<byte> prefix = first[..OrderedLeaf.SharedPrefix(first, last)];
            OrderedLeaf joined = OrderedLeaf.Roomy(epoch, keys, itemBytes, prefix);
            joined.Append(left, 0, left.Count);
            joined.Append(right, 0, right.Count);
            memoryBytes += joined.Bytes - left.Bytes - right.Bytes;
            ReplaceBySmaller(leafLevel - 1, parent, parent.WithMerged(epoch, leftIndex, joined));
            return;
        }
    }

    private void TryJoinInner(int level, OrderedInner inner)
    {
        OrderedInner parent = path[level - 1];
        int index = taken[level - 1];
        for (int leftIndex = index; leftIndex >= index - 1; leftIndex--)
        {
            if (leftIndex < 0 || leftIndex + 1 >= parent.Count) continue;
            var left = (OrderedInner)parent[leftIndex];
            var right = (OrderedInner)parent[leftIndex + 1];
            if (left.Count + right.Count > MaxJoinedChildren) continue;

            OrderedInner joined = left.Joined(epoch, parent.Separator(leftIndex), right);
            memoryBytes += joined.Bytes - left.Bytes - right.Bytes;
            ReplaceBySmaller(level - 1, parent, parent.WithMerged(epoch, leftIndex, joined));
            return;
        }
    }

    /// <summary>Takes out a node of the path that has nothing in it any more.</summary>
    private void RemoveNode(int level, OrderedNode node)
    {
        memoryBytes -= node.Bytes;
        if (level == 0)
        {
            Volatile.Write(ref root, NewRoot());
            memoryBytes += root.Bytes;
            return;
        }

        OrderedInner parent = path[level - 1];
        if (parent.Count == 1) RemoveNode(level - 1, parent);
        else ReplaceBySmaller(level - 1, parent, parent.Without(epoch, taken[level - 1]));
    }

    /// <summary>Puts a node that lost a child in the place of one of the path.</summary>
    private void ReplaceBySmaller(int level, OrderedInner old, OrderedInner smaller)
    {
        Replace(level, old, smaller);
        if (level > 0)
        {
            if (smaller.Count <= FewChildren) TryJoinInner(level, smaller);
            return;
        }

        // A root with one child is none.
        while (root is OrderedInner { Count: 1 } only)
        {
            memoryBytes -= only.Bytes;
            Volatile.Write(ref root, only[0]);
        }
    }

    /// <summary>Puts a node in the place of one of the path.</summary>
    private void Replace(int level, OrderedNode old, OrderedNode node)
    {
        memoryBytes += node.Bytes - old.Bytes;
        // Top down: each copy is reached before what hangs below it changes.
        for (int i = 0; i < level; i++)
        {
            if (path[i].Epoch == epoch) continue;
            path[i] = path[i].Copy(epoch);
            Link(i, path[i]);
        }

        Link(level, node);
    }

    private void ReplaceByTwo(
        int level, OrderedNode old, OrderedNode left, ReadOnlySpan<byte> separator, OrderedNode right)
    {
        memoryBytes += left.Bytes + right.Bytes - old.Bytes;
        if (level == 0)
        {
            Volatile.Write(ref root, OrderedInner.Above(epoch, left, separator, right));
            memoryBytes += root.Bytes;
            return;
        }

        OrderedInner parent = path[level - 1];
        OrderedInner wider = parent.WithSplit(epoch, taken[level - 1], left, separator, right);
        if (wider.Count <= OrderedInner.MaxChildren)
        {
            Replace(level - 1, parent, wider);
            return;
        }

        (OrderedInner leftInner, byte[] between, OrderedInner rightInner) = wider.Split(epoch);
        ReplaceByTwo(level - 1, parent, leftInner, between, rightInner);
    }

    private void Link(int level, OrderedNode node)
    {
        if (level == 0) Volatile.Write(ref root, node);
        else path[level - 1].SetChild(taken[level - 1], node);
    }
}
