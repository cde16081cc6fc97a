namespace Holdfast.Bitcask.Keydirs;

/// <summary>An <see cref="OrderedKeydir"/> as it was at one instant.</summary>
/// <param name="root">Of the tree; nothing below it changes but the marks of verified records.</param>
/// <param name="count">How many keys it has.</param>
internal sealed class OrderedSnapshot(OrderedNode root, long count) : KeydirSnapshot
{
    private OrderedNode? root = root;

    /// <inheritdoc/>
    public override long Count => count;

    private OrderedNode Root => root ?? throw new ObjectDisposedException(nameof(OrderedSnapshot));

    /// <summary>A cursor before the first key. For one thread; it may outlive the snapshot.</summary>
    public OrderedCursor OpenCursor() => new(Root);

    /// <inheritdoc/>
    public override bool TryFind(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location location) =>
        Root.LeafOf(key).TryFind(key, out location);

    /// <inheritdoc/>
    public override bool IsCurrent(ulong hash, ReadOnlySpan<byte> key, Location location) =>
        Root.LeafOf(key).TryFind(key, out Location found) && found.IsSameAs(location);

    /// <inheritdoc/>
    public override void Dispose() => root = null;
}
