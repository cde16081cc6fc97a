using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

/// <summary>The compact keydir, case by case: what happens between two steps of a call, and what it costs.</summary>
public sealed class CompactKeydirTests : IDisposable
{
    private const int Key = 7;
    private const int Other = 8;

    private static readonly ulong Hash = CompactRecords.Hash(3, 1_000);
    private static readonly ulong HashInFront = CompactRecords.Hash(3, 999);

    private readonly ReadEpochs epochs = new();
    private readonly CompactRecords records = new(100_000);
    private readonly CompactKeydir keydir;

    public CompactKeydirTests()
    {
        keydir = new CompactKeydir(epochs);
    }

    /// After each test: all memory came back.
    public void Dispose()
    {
        keydir.Dispose();
        epochs.Drain();
        Assert.Equal(0, keydir.MemoryBytes);
    }

    [Fact]
    public void AStoreWithoutKeysCostsLittle()
    {
        Assert.Equal(0, keydir.Count);
        Assert.InRange(keydir.MemoryBytes, 1, 300 * 1024);
        Assert.False(keydir.TryFind(Hash, CompactRecords.KeyBytes(Key), records, out _));
        Assert.False(keydir.Remove(Hash, CompactRecords.KeyBytes(Key), records, out _));
        Assert.False(keydir.TryMove(Hash, CompactRecords.KeyBytes(Key), records.Add(Key), records.Add(Key)));
        Assert.False(keydir.TryRemove(Hash, CompactRecords.KeyBytes(Key), records.Add(Key)));
        keydir.MarkVerified(Hash, CompactRecords.KeyBytes(Key), records.Add(Key));
    }

    [Fact]
    public void NobodyIsAskedAboutAKeyOfWhichNoBitsAreThere()
    {
        Set(Key, Hash);

        Assert.False(keydir.TryFind(
            CompactRecords.Hash(3, 1_001), CompactRecords.KeyBytes(Other), records, out _));
        Assert.Equal(0, records.Asked);
    }

    [Fact]
    public void KeysOfOneHashAreToldApartByTheirRecords()
    {
        Location[] locations = new Location[200];
        for (int key = 0; key < locations.Length; key++)
        {
            locations[key] = Set(key, Hash);
        }

        Assert.Equal(locations.Length, keydir.Count);
        for (int key = 0; key < locations.Length; key++)
        {
            Assert.True(Find(key, Hash, out Location found));
            Assert.True(found.IsSameAs(locations[key]));
        }

        for (int key = 0; key < locations.Length; key += 2)
        {
            Assert.True(keydir.Remove(Hash, CompactRecords.KeyBytes(key), records, out Location removed));
            Assert.True(removed.IsSameAs(locations[key]));
        }

        for (int key = 0; key < locations.Length; key++)
        {
            Assert.Equal(key % 2 == 1, Find(key, Hash, out _));
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(uint.MaxValue)]
    [InlineData(uint.MaxValue - 1)]
    public void KeysOfTheFirstAndTheLastFingerprintAreFound(uint fingerprint)
    {
        ulong hash = CompactRecords.Hash(CompactKeydir.PartitionCount - 1, fingerprint);
        for (int key = 0; key < 100; key++)
        {
            Set(key, hash);
            Assert.True(Find(key, hash, out _));
            Assert.False(Find(key + 1, hash, out _));
        }

        for (int key = 0; key < 100; key++)
        {
            Assert.True(keydir.Remove(hash, CompactRecords.KeyBytes(key), records, out _));
        }

        Assert.Equal(0, keydir.Count);
    }

    [Fact]
    public void AKeyThatIsMovedWhileItsRecordIsReadIsFound()
    {
        Location from = Set(Key, Hash);
        Location to = records.Add(Key);
        records.BeforeNextMatch = _ =>
        {
            Assert.True(keydir.TryMove(Hash, CompactRecords.KeyBytes(Key), from, to));
            records.Drop(from);
        };

        Assert.True(Find(Key, Hash, out Location found));
        Assert.True(found.IsSameAs(to));
    }

    [Fact]
    public void AKeyIsFoundWhoseTableGrowsWhileAnotherRecordIsRead()
    {
        Set(Other, Hash);
        Location location = Set(Key, Hash);
        records.BeforeNextMatch = _ =>
        {
            for (int key = 100; key < 300; key++)
            {
                Set(key, CompactRecords.Hash(3, (uint)key));
            }
        };

        int token = epochs.Enter();
        bool isFound = Find(Key, Hash, out Location found);
        epochs.Exit(token);
        Assert.True(isFound);
        Assert.True(found.IsSameAs(location));
    }

    [Fact]
    public void AMoveWhileTheRecordIsReadIsWhatSetReplaces()
    {
        Location last = records.Add(Key);
        Location to = MoveBeforeNextMatch();

        Assert.True(keydir.Set(Hash, CompactRecords.KeyBytes(Key), last, records, out Location replaced));

        Assert.True(replaced.IsSameAs(to));
        Assert.True(Find(Key, Hash, out Location found));
        Assert.True(found.IsSameAs(last));
        Assert.Equal(1, keydir.Count);
    }

    [Fact]
    public void AMoveWhileTheRecordIsReadIsWhatRemoveRemoves()
    {
        Location to = MoveBeforeNextMatch();

        Assert.True(keydir.Remove(Hash, CompactRecords.KeyBytes(Key), records, out Location removed));

        Assert.True(removed.IsSameAs(to));
        Assert.Equal(0, keydir.Count);
    }

    [Fact]
    public void AKeyThatIsRemovedWhileItsRecordIsReadIsAddedBySet()
    {
        Location from = Set(Key, Hash);
        records.BeforeNextMatch = _ => Assert.True(keydir.TryRemove(Hash, CompactRecords.KeyBytes(Key), from));

        Assert.False(keydir.Set(Hash, CompactRecords.KeyBytes(Key), records.Add(Key), records, out _));

        Assert.Equal(1, keydir.Count);
    }

    [Fact]
    public void AMoveOfARecordThatIsNoLongerCurrentDoesNothing()
    {
        Location first = Set(Key, Hash);
        Location second = Set(Key, Hash);

        Assert.False(keydir.TryMove(Hash, CompactRecords.KeyBytes(Key), first, records.Add(Key)));
        Assert.False(keydir.TryRemove(Hash, CompactRecords.KeyBytes(Key), first));
        Assert.True(Find(Key, Hash, out Location found));
        Assert.True(found.IsSameAs(second));
    }

    [Fact]
    public void AFailureToReadARecordLeavesTheKeydirUsable()
    {
        Location first = Set(Key, Hash);
        records.BeforeNextMatch = _ => throw new IOException("read");
        Assert.Throws<IOException>(() => keydir.Set(Hash, CompactRecords.KeyBytes(Key), first, records, out _));
        records.BeforeNextMatch = _ => throw new IOException("read");
        Assert.Throws<IOException>(() => keydir.Remove(Hash, CompactRecords.KeyBytes(Key), records, out _));
        records.BeforeNextMatch = _ => throw new IOException("read");
        Assert.Throws<IOException>(() => Find(Key, Hash, out _));

        Assert.True(keydir.Remove(Hash, CompactRecords.KeyBytes(Key), records, out Location removed));
        Assert.True(removed.IsSameAs(first));
    }

    [Fact]
    public void VerifiedHoldsForTheRecordAndNotForTheNextOneOfTheKey()
    {
        Location first = Set(Key, Hash);
        keydir.MarkVerified(Hash, CompactRecords.KeyBytes(Key), first);
        Assert.True(Find(Key, Hash, out Location found) && found.IsVerified && found.IsSameAs(first));

        Set(Key, Hash);
        keydir.MarkVerified(Hash, CompactRecords.KeyBytes(Key), first);

        Assert.True(Find(Key, Hash, out found) && !found.IsVerified);
    }

    [Fact]
    public void ASnapshotOutlivesTheKeydir()
    {
        Location location = Set(Key, Hash);
        KeydirSnapshot snapshot = keydir.Snapshot();
        Set(Key, Hash);
        keydir.Dispose();
        epochs.Drain();

        Assert.True(snapshot.TryFind(Hash, CompactRecords.KeyBytes(Key), records, out Location found));
        Assert.True(found.IsSameAs(location));
        snapshot.Dispose();
        snapshot.Dispose();
        Assert.Throws<ObjectDisposedException>(() => snapshot.IsCurrent(Hash, CompactRecords.KeyBytes(Key), location));
    }

    [Fact]
    public void MarkingARecordVerifiedCopiesNothingThatASnapshotHas()
    {
        Location location = Set(Key, Hash);
        using KeydirSnapshot snapshot = keydir.Snapshot();
        long before = keydir.MemoryBytes;

        keydir.MarkVerified(Hash, CompactRecords.KeyBytes(Key), location);

        Assert.Equal(before, keydir.MemoryBytes);
        Assert.True(snapshot.TryFind(Hash, CompactRecords.KeyBytes(Key), records, out Location found));
        Assert.False(found.IsVerified);
    }

    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(2, 1, 1)]
    [InlineData(3, 5, 5)]
    [InlineData(4, 2_000, 2_000)]
    [InlineData(5, 2_000, 1_000_000)] // enough for memory of one piece
    public void AFilledPartitionIsAsIfItsKeysHadBeenSet(int seed, int count, long maxKeys)
    {
        var random = new Random(seed);
        var entries = new KeydirEntry[count];
        var filled = new CompactKeydir(epochs);
        for (int key = 0; key < count; key++)
        {
            // Some of equal fingerprint, some of the last one.
            uint fingerprint = random.Next(10) == 0 ? uint.MaxValue : (uint)random.NextInt64(1L << 32) & ~7u;
            ulong hash = CompactRecords.Hash(9, fingerprint, (uint)key);
            entries[key] = new KeydirEntry(hash, records.Add(key));
            keydir.Set(hash, CompactRecords.KeyBytes(key), entries[key].Location, records, out _);
        }

        KeydirEntry[] sorted = [.. entries.OrderBy(entry => entry.Hash)];
        filled.BeginFill(maxKeys);
        filled.Fill(9, sorted);
        filled.EndFill();

        Assert.Equal(count, filled.Count);
        for (int key = 0; key < count; key++)
        {
            Assert.True(
                filled.TryFind(entries[key].Hash, CompactRecords.KeyBytes(key), records, out Location found),
                $"seed {seed}, key {key}");
            Assert.True(found.IsSameAs(entries[key].Location), $"seed {seed}, key {key}");
            Assert.True(filled.Remove(entries[key].Hash, CompactRecords.KeyBytes(key), records, out _));
        }

        Assert.Equal(0, filled.Count);
        filled.Dispose();
    }

    [Fact]
    public void EntriesThatAreNotInOrderOrOfAnotherPartitionAreRefused()
    {
        KeydirEntry low = new(CompactRecords.Hash(2, 1), records.Add(1));
        KeydirEntry high = new(CompactRecords.Hash(2, 2), records.Add(2));

        Assert.Throws<ArgumentException>(() => keydir.Fill(2, [high, low]));
        Assert.Throws<ArgumentException>(() => keydir.Fill(1, [low, high]));
        Assert.Throws<ArgumentException>(() => keydir.Fill(3, [low, high]));
        keydir.Fill(2, [low, high]);
        Assert.Throws<InvalidOperationException>(() => keydir.Fill(2, [low, high]));
        Assert.Equal(2, keydir.Count);
    }

    [Fact]
    public void MemoryComesBackWhenKeysAreRemoved()
    {
        const int Keys = 60_000;
        long empty = keydir.MemoryBytes;
        for (int key = 0; key < Keys; key++)
        {
            Set(key, SpreadHash(key));
        }

        long full = keydir.MemoryBytes;
        for (int key = 0; key < Keys; key++)
        {
            Assert.True(keydir.Remove(SpreadHash(key), CompactRecords.KeyBytes(key), records, out _));
        }

        Assert.InRange(full, Keys * 18L, Keys * 32L);
        Assert.InRange(keydir.MemoryBytes, empty, 300 * 1024);
    }

    /// The figure of docs/formats/bitcask.md, "Limits and cost".
    [Fact]
    public void AKeyCosts18To24BytesHoweverManyThereAre()
    {
        const int Most = 2_000_000;
        var noMatch = new NoMatch();
        int checkAt = 100_000;
        for (int key = 0; key < Most; key++)
        {
            keydir.Set(SpreadHash(key), default, new Location(1, (uint)key * 8, 1), noMatch, out _);
            if (key + 1 == checkAt)
            {
                double bytes = (double)keydir.MemoryBytes / checkAt;
                Assert.True(bytes is > 18.8 and < 24, $"{checkAt} keys: {bytes:F2} bytes a key");
                checkAt += checkAt / 20;
            }
        }
    }

    private static ulong SpreadHash(int key) => KeyHash.Of(CompactRecords.KeyBytes(key), 1);

    /// <summary>Adds the key, and moves its record and its slot while that is read, as merges may.</summary>
    private Location MoveBeforeNextMatch()
    {
        Location inFront = Set(Other, HashInFront);
        Location from = Set(Key, Hash);
        Location to = records.Add(Key);
        records.BeforeNextMatch = _ =>
        {
            Assert.True(keydir.TryMove(Hash, CompactRecords.KeyBytes(Key), from, to));
            Assert.True(keydir.TryRemove(HashInFront, CompactRecords.KeyBytes(Other), inFront));
        };
        return to;
    }

    private Location Set(int key, ulong hash)
    {
        Location location = records.Add(key);
        keydir.Set(hash, CompactRecords.KeyBytes(key), location, records, out _);
        return location;
    }

    private bool Find(int key, ulong hash, out Location location) =>
        keydir.TryFind(hash, CompactRecords.KeyBytes(key), records, out location);

    /// <summary>No record is of any key: all keys are added.</summary>
    private sealed class NoMatch : IRecordMatch
    {
        public bool Matches(Location location, ReadOnlySpan<byte> key) => false;
    }
}
