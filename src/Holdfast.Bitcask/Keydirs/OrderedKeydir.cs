namespace Holdfast.Bitcask.Keydirs;

/// <summary>A keydir that holds the keys, in the order of their bytes: a B+ tree.</summary>
/// <remarks>
/// Readers take no lock: they walk down references that are replaced in one step, and a leaf tells them if it changed
/// while they looked. What they still hold when it is replaced stays as it was, so what they find was there after they
/// began. Changes are made under a lock for the time of one change of a leaf, now and then of its parents.
///
/// A snapshot is the root of its instant. Nodes that are older than it are not changed any more but copied, from the
/// root down. The collector frees what neither the keydir nor a snapshot needs.
///
/// The matcher is never asked: the keys are here.
/// </remarks>
internal sealed partial class OrderedKeydir : Keydir
{
    private readonly Lock gate = new();
    private OrderedNode root;
    private long epoch;
    private long count;
    private long memoryBytes;

    /// <summary>A keydir without keys.</summary>
    public OrderedKeydir()
    {
        root = NewRoot();
        memoryBytes = root.Bytes;
    }

    /// <inheritdoc/>
    public override long Count => Volatile.Read(ref count);

    /// <inheritdoc/>
    public override long MemoryBytes => Volatile.Read(ref memoryBytes);

    /// <summary>Starts to fill the keydir, which is empty, with sorted keys. Nobody else uses it till then.</summary>
    public OrderedFill BeginFill() => new(this, epoch);

    /// <inheritdoc/>
    public override bool TryFind(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location location) =>
        Volatile.Read(ref root).LeafOf(key).TryFind(key, out location);

    /// <inheritdoc/>
    public override bool Set(
        ulong hash, ReadOnlySpan<byte> key, Location location, IRecordMatch match, out Location replaced)
    {
        lock (gate)
        {
            OrderedLeaf leaf = Descend(key);
            bool isThere = leaf.Search(key, out int index);
            replaced = isThere ? leaf.LocationAt(index) : default;
            if (isThere) Own(leaf).SetLocation(index, location);
            else Insert(leaf, index, key, location);
            return isThere;
        }
    }

    /// <inheritdoc/>
    public override bool Remove(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location removed)
    {
        lock (gate)
        {
            OrderedLeaf leaf = Descend(key);
            bool isThere = leaf.Search(key, out int index);
            removed = isThere ? leaf.LocationAt(index) : default;
            if (isThere) RemoveAt(leaf, index);
            return isThere;
        }
    }

    /// <inheritdoc/>
    public override bool TryRemove(ulong hash, ReadOnlySpan<byte> key, Location from)
    {
        lock (gate)
        {
            OrderedLeaf leaf = Descend(key);
            if (!leaf.Search(key, out int index) || !leaf.LocationAt(index).IsSameAs(from)) return false;
            RemoveAt(leaf, index);
            return true;
        }
    }

    /// <inheritdoc/>
    public override bool TryMove(ulong hash, ReadOnlySpan<byte> key, Location from, Location to)
    {
        lock (gate)
        {
            OrderedLeaf leaf = Descend(key);
            if (!leaf.Search(key, out int index) || !leaf.LocationAt(index).IsSameAs(from)) return false;
            Own(leaf).SetLocation(index, to);
            return true;
        }
    }

    /// <inheritdoc/>
    public override void MarkVerified(ulong hash, ReadOnlySpan<byte> key, Location location)
    {
        if (!gate.TryEnter()) return;
        try
        {
            OrderedLeaf leaf = root.LeafOf(key);
            if (!leaf.Search(key, out int index)) return;
            Location current = leaf.LocationAt(index);
            // In a snapshot's leaf too: what was read is read for it as well, and one bit cannot be seen half written.
            if (current.IsSameAs(location) && !current.IsVerified) leaf.SetLocation(index, current.Verified);
        }
        finally
        {
            gate.Exit();
        }
    }

    /// <inheritdoc/>
    /// <remarks>An <see cref="OrderedSnapshot"/>.</remarks>
    public override KeydirSnapshot Snapshot()
    {
        lock (gate)
        {
            epoch++;
            return new OrderedSnapshot(root, count);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        lock (gate)
        {
            Volatile.Write(ref root, NewRoot());
            count = 0;
            memoryBytes = root.Bytes;
        }
    }

    /// <summary>Takes over what <see cref="OrderedFill"/> made.</summary>
    internal void Complete(OrderedNode filled, long keys, long bytes)
    {
        lock (gate)
        {
            if (count != 0) throw new InvalidOperationException($"a keydir with {count} keys cannot be filled");
            Volatile.Write(ref root, filled);
            count = keys;
            memoryBytes = bytes;
        }
    }

    private OrderedLeaf NewRoot() => OrderedLeaf.Exact(epoch, 0, 0, default);
}
