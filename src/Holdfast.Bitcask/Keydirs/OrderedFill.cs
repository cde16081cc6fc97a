namespace Holdfast.Bitcask.Keydirs;

/// <summary>Fills an empty <see cref="OrderedKeydir"/> with sorted keys, leaf by leaf. For one thread.</summary>
internal sealed class OrderedFill
{
    // Three quarters full and exact: the first key that comes later makes room for more without a split.
    private const int KeysPerLeaf = OrderedLeaf.MaxKeys * 3 / 4;
    private const int ChildrenPerInner = OrderedInner.MaxChildren * 3 / 4;

    private readonly OrderedKeydir keydir;
    private readonly long epoch;
    private readonly List<OrderedNode> leaves = [];
    private readonly List<byte[]> separators = [];
    private readonly Location[] locations = new Location[KeysPerLeaf];
    private readonly int[] ends = new int[KeysPerLeaf];
    private byte[] keys = new byte[OrderedLeaf.MaxItemBytes];
    private int pending;
    private int itemBytes;
    private long count;
    private long memoryBytes;

    /// <summary>For <see cref="OrderedKeydir.BeginFill"/>.</summary>
    internal OrderedFill(OrderedKeydir keydir, long epoch)
    {
        this.keydir = keydir;
        this.epoch = epoch;
    }

    /// <summary>Adds a key above all added before.</summary>
    public void Append(ReadOnlySpan<byte> key, Location location)
    {
        int own = OrderedLeaf.ItemBytesOf(key.Length);
        int start = pending == 0 ? 0 : ends[pending - 1];
        if (pending > 0 && PendingKey(pending - 1).SequenceCompareTo(key) >= 0)
        {
            throw new ArgumentException("not above the last key");
        }

        if (pending == KeysPerLeaf || (pending > 0 && itemBytes + own > OrderedLeaf.MaxItemBytes))
        {
            separators.Add(OrderedNode.Between(PendingKey(pending - 1), key).ToArray());
            EndLeaf();
            start = 0;
        }

        if (keys.Length - start < key.Length) Array.Resize(ref keys, start + key.Length);
        key.CopyTo(keys.AsSpan(start));
        ends[pending] = start + key.Length;
        locations[pending++] = location;
        itemBytes += own;
        count++;
    }

    /// <summary>Gives the keydir what was added.</summary>
    public void Complete()
    {
        if (pending > 0) EndLeaf();
        if (leaves.Count > 0) keydir.Complete(Above(leaves, separators), count, memoryBytes);
    }

    private ReadOnlySpan<byte> PendingKey(int index) => keys.AsSpan((index == 0 ? 0 : ends[index - 1])..ends[index]);

    private void EndLeaf()
    {
        ReadOnlySpan<byte> first = PendingKey(0);
        int prefix = pending == 1 ? 0 : OrderedLeaf.SharedPrefix(first, PendingKey(pending - 1));
        OrderedLeaf leaf = OrderedLeaf.Exact(epoch, pending, itemBytes, first[..prefix]);
        for (int i = 0; i < pending; i++) leaf.Insert(i, PendingKey(i), locations[i]);
        leaves.Add(leaf);
        memoryBytes += leaf.Bytes;
        pending = itemBytes = 0;
    }

    private OrderedNode Above(List<OrderedNode> nodes, List<byte[]> between)
    {
        while (nodes.Count > 1)
        {
            var parents = new List<OrderedNode>();
            var betweenParents = new List<byte[]>();
            for (int start = 0; start < nodes.Count; start += ChildrenPerInner)
            {
                int children = Math.Min(ChildrenPerInner, nodes.Count - start);
                if (start > 0) betweenParents.Add(between[start - 1]);
                OrderedNode[] own = [.. nodes[start..(start + children)]];
                parents.Add(OrderedInner.Above(epoch, own, between[start..(start + children - 1)].ToArray()));
                memoryBytes += parents[^1].Bytes;
            }

            (nodes, between) = (parents, betweenParents);
        }

        return nodes[0];
    }
}
