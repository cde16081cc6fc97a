using Holdfast.Databases.RocksDb;
using Holdfast.Log;

namespace Holdfast.Databases.Tests.RocksDb;

public sealed class RocksDatabaseTests : RocksTest
{
    private static readonly RocksOptions Create = new() { CreateIfMissing = true };

    [Fact]
    public void WhatWasPutIsFoundAfterReopening()
    {
        using (RocksDatabase database = RocksDatabase.Open(DatabasePath, Create))
        {
            database.Put("a"u8, "1"u8);
            database.Put("b"u8, ""u8, durability: RocksDurability.Synced);
            database.Put("c"u8, "3"u8, durability: RocksDurability.Unlogged);
            database.Delete("a"u8);
        }

        using RocksDatabase again = RocksDatabase.Open(DatabasePath);
        Assert.Null(again.Get("a"u8));
        Assert.Equal([], again.Get("b"u8)!);
        Assert.Equal("3"u8.ToArray(), again.Get("c"u8)!);
        using RocksValue? pinned = again.GetPinned("c"u8);
        Assert.Equal(1, pinned!.Length);
        Assert.True(pinned.Span.SequenceEqual("3"u8));
    }

    [Fact]
    public void ABatchOverColumnFamiliesIsMadeWhole()
    {
        using (RocksDatabase database = RocksDatabase.Open(DatabasePath, Create))
        {
            RocksColumnFamily other = database.CreateColumnFamily("other");
            database.Put("x"u8, "0"u8);
            using var batch = new RocksBatch();
            batch.Put(database.Default, "a"u8, "1"u8);
            batch.Put(other, "a"u8, "2"u8);
            batch.Delete(database.Default, "x"u8);
            batch.Put(other, "r1"u8, "r"u8);
            batch.DeleteRange(other, "r"u8, "s"u8);
            Assert.Equal(5, batch.Count);
            ulong before = database.LatestSequence;
            database.Write(batch);
            Assert.Equal(before + 5, database.LatestSequence);
        }

        Assert.Equal(["default", "other"], RocksDatabase.ListColumnFamilies(DatabasePath).Order(StringComparer.Ordinal));
        using RocksDatabase again = RocksDatabase.Open(DatabasePath);
        RocksColumnFamily found = again.FindColumnFamily("other")!;
        Assert.Equal("1"u8.ToArray(), again.Get("a"u8)!);
        Assert.Equal("2"u8.ToArray(), again.Get("a"u8, found)!);
        Assert.Null(again.Get("x"u8));
        Assert.Null(again.Get("r1"u8, found));

        again.DropColumnFamily(found);
        Assert.Null(again.FindColumnFamily("other"));
        Assert.Throws<ObjectDisposedException>(() => again.Get("a"u8, found));
        Assert.Equal(["default"], RocksDatabase.ListColumnFamilies(DatabasePath));
    }

    [Fact]
    public void AnIteratorGoesBothWaysAndSeesOneInstant()
    {
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Create);
        foreach (string key in (string[])["b", "d", "f"]) database.Put(Bytes(key), Bytes(key + key));
        using RocksIterator iterator = database.Iterate();
        database.Put("e"u8, "new"u8);
        Assert.Throws<InvalidOperationException>(() => iterator.MoveNext());
        Assert.True(iterator.Seek("c"u8));
        Assert.True(iterator.Key.SequenceEqual("d"u8));
        Assert.True(iterator.Value.SequenceEqual("dd"u8));
        Assert.True(iterator.MoveNext());
        Assert.True(iterator.Key.SequenceEqual("f"u8));
        Assert.False(iterator.MoveNext());
        Assert.False(iterator.IsValid);
        Assert.True(iterator.SeekBackward("e"u8));
        Assert.True(iterator.Key.SequenceEqual("d"u8));
        Assert.True(iterator.MovePrevious());
        Assert.True(iterator.Key.SequenceEqual("b"u8));
        Assert.False(iterator.MovePrevious());
        Assert.True(iterator.SeekToLast());
        Assert.True(iterator.Key.SequenceEqual("f"u8));
    }

    [Fact]
    public void ASnapshotKeepsWhatWas()
    {
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Create);
        database.Put("a"u8, "old"u8);
        using RocksSnapshot snapshot = database.TakeSnapshot();
        database.Put("a"u8, "new"u8);
        database.Flush();
        database.Compact();
        Assert.Equal("old"u8.ToArray(), database.Get("a"u8, snapshot: snapshot)!);
        Assert.Equal("new"u8.ToArray(), database.Get("a"u8)!);
        using RocksIterator iterator = database.Iterate(snapshot: snapshot);
        Assert.True(iterator.SeekToFirst());
        Assert.True(iterator.Value.SequenceEqual("old"u8));
        Assert.NotNull(database.GetProperty("rocksdb.stats"));
        Assert.Null(database.GetProperty("rocksdb.nonsense"));
    }

    /// Whatever outlives its database keeps it open beneath, and nothing crashes, in whatever order all of it goes.
    [Fact]
    public void WhatHangsOnADatabaseMayOutliveIt()
    {
        RocksDatabase database = RocksDatabase.Open(DatabasePath, Create);
        database.Put("a"u8, "1"u8);
        RocksSnapshot snapshot = database.TakeSnapshot();
        RocksIterator iterator = database.Iterate(snapshot: snapshot);
        RocksValue value = database.GetPinned("a"u8)!;
        database.Dispose();
        database.Dispose();
        Assert.Throws<ObjectDisposedException>(() => database.Get("a"u8));
        Assert.Throws<ObjectDisposedException>(() => database.Put("a"u8, "2"u8));
        Assert.Throws<ObjectDisposedException>(() => database.LatestSequence);
        snapshot.Dispose();
        Assert.True(iterator.SeekToFirst());
        Assert.True(value.Span.SequenceEqual("1"u8));
        Assert.Equal(ErrorKind.Busy, Assert.Throws<HoldfastException>(() => RocksDatabase.Open(DatabasePath)).Kind);

        iterator.Dispose();
        Assert.Throws<ObjectDisposedException>(() => iterator.Seek("a"u8));
        value.Dispose();
        Assert.Throws<ObjectDisposedException>(() => value.Length == value.Span.Length);
        using RocksDatabase again = RocksDatabase.Open(DatabasePath);
        Assert.NotNull(again.Get("a"u8));
    }

    [Fact]
    public void ErrorsSayWhatIsWrong()
    {
        HoldfastException none = Assert.Throws<HoldfastException>(() => RocksDatabase.Open(DatabasePath));
        Assert.Equal(ErrorKind.NotThere, none.Kind);
        using (RocksDatabase database = RocksDatabase.Open(DatabasePath, Create))
        {
            database.Put("a"u8, "1"u8);
            database.Flush();
            HoldfastException busy = Assert.Throws<HoldfastException>(() => RocksDatabase.Open(DatabasePath));
            Assert.Equal(ErrorKind.Busy, busy.Kind);
            Assert.Contains(DatabasePath, busy.Message, StringComparison.Ordinal);
        }

        string table = Directory.GetFiles(DatabasePath, "*.sst").Single();
        Flip(table, 5);
        using RocksDatabase damaged = RocksDatabase.Open(DatabasePath);
        Assert.Equal(ErrorKind.Damage, Assert.Throws<HoldfastException>(() => damaged.Get("a"u8)).Kind);
    }

    [Fact]
    public void ManyThreadsMayUseADatabaseThatIsDisposedMeanwhile()
    {
        RocksDatabase database = RocksDatabase.Open(DatabasePath, Create);
        int running = 0;
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(number => new Thread(() =>
        {
            try
            {
                for (int i = 0; ; i++)
                {
                    database.Put(Bytes($"{number}-{i % 100}"), Bytes("value"));
                    _ = database.Get(Bytes($"{number}-{i % 100}"));
                    using RocksIterator iterator = database.Iterate();
                    iterator.SeekToFirst();
                    if (i == 20) Interlocked.Increment(ref running);
                }
            }
            catch (ObjectDisposedException)
            {
                // What it waits for.
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref running) == threads.Length, TimeSpan.FromSeconds(60)));
        database.Dispose();
        foreach (Thread thread in threads) thread.Join();
        using RocksDatabase again = RocksDatabase.Open(DatabasePath);
        Assert.NotNull(again.Get("3-7"u8));
    }
}
