using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

/// <summary>An ordered keydir beside a dictionary that says what it must hold.</summary>
internal sealed class OrderedModel
{
    private uint lastOffset;

    public OrderedKeydir Keydir { get; init; } = new();

    public SortedDictionary<byte[], Location> Expected { get; init; } = new(ByteOrder.Instance);

    public Location NewLocation() => new(1 + (lastOffset % 5), lastOffset += 8, lastOffset);

    public void Set(byte[] key)
    {
        Location location = NewLocation();
        bool isThere = Keydir.Set(0, key, location, NoMatch.Instance, out Location replaced);
        Assert.Equal(Expected.TryGetValue(key, out Location before), isThere);
        Assert.Equal(before, replaced);
        Expected[key] = location;
    }

    public void Remove(byte[] key)
    {
        bool isThere = Keydir.Remove(0, key, NoMatch.Instance, out Location removed);
        Assert.Equal(Expected.Remove(key, out Location before), isThere);
        Assert.Equal(before, removed);
    }

    public void AssertSame(string because)
    {
        Assert.True(Expected.Count == Keydir.Count, because);
        using KeydirSnapshot snapshot = Keydir.Snapshot();
        AssertSame((OrderedSnapshot)snapshot, Expected, because);
        foreach ((byte[] key, Location location) in Expected)
        {
            bool isFound = Keydir.TryFind(0, key, NoMatch.Instance, out Location found);
            Assert.True(isFound && found.Equals(location), because);
        }
    }

    public static void AssertSame(
        OrderedSnapshot snapshot, IReadOnlyDictionary<byte[], Location> expected, string because)
    {
        Assert.True(expected.Count == snapshot.Count, because);
        OrderedCursor cursor = snapshot.OpenCursor();
        foreach ((byte[] key, Location location) in expected)
        {
            Assert.True(cursor.MoveNext(), because);
            Assert.True(cursor.Key.SequenceEqual(key) && cursor.Location.IsSameAs(location), because);
        }

        Assert.False(cursor.MoveNext(), because);
        foreach ((byte[] key, Location location) in expected.Reverse())
        {
            Assert.True(cursor.MovePrevious(), because);
            Assert.True(cursor.Key.SequenceEqual(key) && cursor.Location.IsSameAs(location), because);
        }

        Assert.False(cursor.MovePrevious(), because);
    }
}

/// <summary>Keys as unsigned bytes.</summary>
internal sealed class ByteOrder : IComparer<byte[]>
{
    public static readonly ByteOrder Instance = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}

/// <summary>Must not be asked: an ordered keydir has the keys.</summary>
internal sealed class NoMatch : IRecordMatch
{
    public static readonly NoMatch Instance = new();

    public bool Matches(Location location, ReadOnlySpan<byte> key) => throw new InvalidOperationException("asked");
}
