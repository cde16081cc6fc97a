namespace Holdfast.Bitcask.Keydirs;

internal sealed class OrderedKeydir : Keydir
{
    public void Append(ReadOnlySpan<byte> key, Location location) => throw new NotSupportedException();
    public override long Count => 0;
    public override long MemoryBytes => 0;
    public override bool TryFind(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location location) => throw new NotSupportedException();
    public override bool Set(ulong hash, ReadOnlySpan<byte> key, Location location, IRecordMatch match, out Location replaced) => throw new NotSupportedException();
    public override bool Remove(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location removed) => throw new NotSupportedException();
    public override bool TryRemove(ulong hash, ReadOnlySpan<byte> key, Location from) => throw new NotSupportedException();
    public override bool TryMove(ulong hash, ReadOnlySpan<byte> key, Location from, Location to) => throw new NotSupportedException();
    public override void MarkVerified(ulong hash, ReadOnlySpan<byte> key, Location location) => throw new NotSupportedException();
    public override KeydirSnapshot Snapshot() => throw new NotSupportedException();
    public override void Dispose() { }
}
internal abstract class OrderedSnapshot : KeydirSnapshot { public abstract OrderedCursor OpenCursor(); }
internal abstract class OrderedCursor { public abstract ReadOnlySpan<byte> Key { get; } public abstract Location Location { get; } public abstract bool MoveNext(); public abstract bool MovePrevious(); public abstract bool SeekFirst(); public abstract bool SeekLast(); public abstract bool Seek(ReadOnlySpan<byte> key); }
