using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Stores;

/// What a store promises of single calls: limits, expiry, batches, watching, closing, reading only.
public sealed class StoreTests
{
    public static TheoryData<int> ValueSizes =>
        [0, 1, (1 << 20) - 100, (1 << 20) - 37, (1 << 20) - 28, 1 << 20, (1 << 20) + 1, 20 << 20];

    [Theory]
    [MemberData(nameof(ValueSizes))]
    public void ValuesOfAnySizeComeBack(int size)
    {
        using var directory = new TemporaryDirectory(inMemory: true);
        string path = $"{directory.Path}/kv";
        byte[] value = new byte[size];
        new Random(size).NextBytes(value);
        BitcaskOptions options = StoreTesting.Small with { SegmentBytes = 4 << 20 };
        using (BitcaskStore store = BitcaskStore.Open(path, options))
        {
            store.Put("small", "before");
            store.Put(StoreTesting.Bytes("k"), value);
            store.Put("small", "after");
            Check(store);
            store.Merge(MergeScope.All, CancellationToken.None);
            Check(store);
        }

        using BitcaskStore reopened = BitcaskStore.Open(path, options);
        Check(reopened);

        void Check(BitcaskStore store)
        {
            Assert.Equal(value, store.Get(StoreTesting.Bytes("k")));
            using ValueLease lease = store.Lease(StoreTesting.Bytes("k"))!;
            Assert.True(lease.Value.SequenceEqual(value));
            byte[] target = new byte[size];
            Assert.True(store.TryGet(StoreTesting.Bytes("k"), target, out int length));
            Assert.Equal(size, length);
            Assert.Equal(value, target);
            Assert.Equal("after", store.Get("small"));
        }
    }

    [Theory]
    [InlineData(KeydirKind.Compact)]
    [InlineData(KeydirKind.Ordered)]
    public void KeysOfAnySizeComeBack(KeydirKind keydir)
    {
        SimulatedHost host = SimulatedHost.Create(1);
        BitcaskOptions options = StoreTesting.Small with { Keydir = keydir };
        int[] sizes = [1, 2, 3, 4, 7, 8, 15, 16, 17, 255, 256, 4096, 65_534, 65_535];
        using (BitcaskStore store = BitcaskStore.Open(host, "/kv", options))
        {
            foreach (int size in sizes) store.Put(KeyOf(size), StoreTesting.Bytes($"{size}"));
            store.Merge(MergeScope.All);
        }

        using BitcaskStore reopened = BitcaskStore.Open(host, "/kv", options);
        Assert.Equal(sizes.Length, reopened.Count);
        foreach (int size in sizes) Assert.Equal(StoreTesting.Bytes($"{size}"), reopened.Get(KeyOf(size)));
        Assert.Throws<ArgumentException>(() => reopened.Put(KeyOf(65_536), default));
        Assert.Throws<ArgumentException>(() => reopened.Put(default, default));
        Assert.Throws<ArgumentException>(() => reopened.Delete(KeyOf(65_536)));
        Assert.Throws<ArgumentException>(() => new WriteBatch().Put(default, default));
        Assert.Null(reopened.Get(KeyOf(65_536)));

        static byte[] KeyOf(int size) => [.. Enumerable.Range(0, size).Select(i => (byte)(i * 7))];
    }

    [Fact]
    public void AValueThatDoesNotFitLeavesTheTargetAlone()
    {
        using BitcaskStore store = BitcaskStore.Open(SimulatedHost.Create(1), "/kv", StoreTesting.Small);
        store.Put("k", "value");
        byte[] target = [9, 9];
        Assert.True(store.TryGet(StoreTesting.Bytes("k"), target, out int length));
        Assert.Equal(5, length);
        Assert.Equal([9, 9], target);
        Assert.False(store.TryGet(StoreTesting.Bytes("none"), target, out length));
        Assert.Equal(0, length);
    }

    [Fact]
    public void DeletingWhatIsAbsentWritesNothing()
    {
        using BitcaskStore store = BitcaskStore.Open(SimulatedHost.Create(1), "/kv", StoreTesting.Small);
        Assert.False(store.Delete("none"));
        Assert.Equal(0UL, store.Sequence);
        store.Put("k", "v");
        Assert.True(store.Delete("k"));
        Assert.False(store.Delete("k"));
        Assert.Equal(2UL, store.Sequence);
    }

    [Theory]
    [InlineData(KeydirKind.Compact)]
    [InlineData(KeydirKind.Ordered)]
    public void AKeyThatExpiredIsAbsentEverywhere(KeydirKind keydir)
    {
        SimulatedHost host = SimulatedHost.Create(1);
        BitcaskOptions options = StoreTesting.Small with { Keydir = keydir };
        DateTimeOffset end = host.Clock.GetUtcNow().AddSeconds(10);
        BitcaskStore store = BitcaskStore.Open(host, "/kv", options);
        store.Put("k", "older");
        store.Put(StoreTesting.Bytes("k"), StoreTesting.Bytes("v"), end);
        store.Put(StoreTesting.Bytes("other"), StoreTesting.Bytes("v"), end);
        host.Clock.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.Equal("v", store.Get("k"));

        host.Clock.Advance(TimeSpan.FromTicks(1));

        Assert.Null(store.Get("k"));
        Assert.False(store.Exists(StoreTesting.Bytes("k")));
        Assert.Null(store.Lease(StoreTesting.Bytes("k")));
        Assert.Equal("", StoreTesting.Describe(store));
        Assert.False(store.Delete("other"));
        Assert.Equal(1, store.Count);
        store.Dispose();
        store = BitcaskStore.Open(host, "/kv", options);
        Assert.Null(store.Get("k"));
        store.Merge(MergeScope.All);
        Assert.Equal(0, store.Count);
        // The time of day is set back: what a merge has buried stays so.
        host.Clock.SetTimeOfDay(end.AddDays(-1));
        Assert.Null(store.Get("k"));
        store.Dispose();
        using BitcaskStore last = BitcaskStore.Open(host, "/kv", options);
        Assert.Equal("", StoreTesting.Describe(last));
    }

    [Fact]
    public void AMergeKeepsTheExpiry()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        DateTimeOffset end = host.Clock.GetUtcNow().AddSeconds(10);
        using BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small);
        store.Put("k", "older");
        store.Put(StoreTesting.Bytes("k"), StoreTesting.Bytes("v"), end);
        store.Merge(MergeScope.All);
        using (StoreSnapshot snapshot = store.Snapshot())
        using (SnapshotReader reader = snapshot.OpenReader())
        {
            Assert.True(reader.TryRead());
            Assert.Equal(end, reader.Expires);
        }

        store.Put("k", "for ever");
        host.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal("for ever", store.Get("k"));
    }

    [Fact]
    public void OfSeveralChangesOfAKeyInABatchTheLastCounts()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using (BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small))
        {
            var batch = new WriteBatch();
            batch.Put(StoreTesting.Bytes("a"), StoreTesting.Bytes("1"));
            batch.Delete(StoreTesting.Bytes("a"));
            batch.Put(StoreTesting.Bytes("a"), StoreTesting.Bytes("2"));
            batch.Put(StoreTesting.Bytes("b"), StoreTesting.Bytes("1"));
            batch.Delete(StoreTesting.Bytes("b"));
            store.Write(batch);
            batch.Clear();
            store.Write(batch);
            Assert.Equal("a=2 ", StoreTesting.Describe(store));
            Assert.Equal(5UL, store.Sequence);
            Assert.Equal(1, store.Count);
        }

        Assert.Equal("a=2 ", StoreTesting.With(host, "/kv", StoreTesting.Small, StoreTesting.Describe));
    }

    [Fact]
    public void SequenceNumbersGoOnWhenEverythingWasDeletedAndMergedAway()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        LogId id;
        using (BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small))
        {
            id = store.Id;
            for (int i = 0; i < 20; i++) store.Put($"k{i}", StoreTesting.Padded("x", 500));
            for (int i = 0; i < 20; i++) store.Delete($"k{i}");
            for (int i = 0; i < 3; i++) store.Merge(MergeScope.All);
            Assert.InRange(store.GetStatistics().Bytes, 0, 1000);
        }

        using BitcaskStore reopened = BitcaskStore.Open(host, "/kv", StoreTesting.Small with { Create = false });
        Assert.Equal(40UL, reopened.Sequence);
        Assert.Equal(id, reopened.Id);
        Assert.Equal(0, reopened.Count);
    }

    /// Keys come and go, as in a queue: no record of a segment is worth a merge but for its tombstones.
    [Fact]
    public void AQueueGivesItsSpaceBack()
    {
        using BitcaskStore store = BitcaskStore.Open(
            SimulatedHost.Create(1), "/kv", StoreTesting.Small with { Merge = new MergeOptions() });
        for (int i = 0; i < 3000; i++)
        {
            store.Put($"entry{i:d6}", "x");
            if (i >= 10) Assert.True(store.Delete($"entry{i - 10:d6}"));
            if (i % 100 == 0) store.Maintain();
        }

        Assert.InRange(store.GetStatistics().Bytes, 0, 40_000);
    }

    [Fact]
    public void AStoreOfSmallSegmentsIsNotMergedWithoutNeed()
    {
        using BitcaskStore store = BitcaskStore.Open(
            SimulatedHost.Create(1), "/kv", StoreTesting.Small with { Merge = new MergeOptions() });
        for (int i = 0; i < 200; i++) store.Put($"k{i}", StoreTesting.Padded("x", 300));
        store.Maintain();
        IEnumerable<uint> before = [.. store.GetStatistics().Segments.Select(segment => segment.Number)];

        store.Maintain();

        Assert.Equal(before, store.GetStatistics().Segments.Select(segment => segment.Number));
    }

    [Fact]
    public async Task WatchersAreToldEveryChangeOfTheirKeysInOrder()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        IAsyncEnumerable<Change> changes;
        IAsyncEnumerable<Change> all;
        using (BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small))
        {
            store.Put("a1", "before");
            changes = store.WatchAsync(
                StoreTesting.Bytes("a"), cancellationToken: TestContext.Current.CancellationToken);
            all = store.WatchAsync(cancellationToken: TestContext.Current.CancellationToken);
            store.Put("a1", "x");
            store.Put("b", "y");
            store.Delete("a1");
            store.Delete("a1");
            var batch = new WriteBatch();
            batch.Put(StoreTesting.Bytes("a2"), StoreTesting.Bytes("z"));
            batch.Delete(StoreTesting.Bytes("b"));
            store.Write(batch);
            store.Merge(MergeScope.All, CancellationToken.None);
        }

        // Closing ends them, after what was told.
        Assert.Equal(["2 a1 x", "4 a1 ", "5 a2 z"], await ReadAsync(changes));
        Assert.Equal(["2 a1 x", "3 b y", "4 a1 ", "5 a2 z", "6 b "], await ReadAsync(all));
    }

    [Fact]
    public async Task AWatcherThatFallsBehindIsToldSoAndWritersDoNotWait()
    {
        using BitcaskStore store = BitcaskStore.Open(SimulatedHost.Create(1), "/kv", StoreTesting.Small);
        IAsyncEnumerable<Change> changes = store.WatchAsync(
            capacity: 2, cancellationToken: TestContext.Current.CancellationToken);
        for (int i = 0; i < 5; i++) store.Put("k", $"{i}");

        HoldfastException behind = await Assert.ThrowsAsync<HoldfastException>(async () => await ReadAsync(changes));

        Assert.Contains("fell behind", behind.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AClosedStoreSaysSo()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small);
        store.Put("k", "v");
        Transaction transaction = store.BeginTransaction();
        store.Dispose();
        store.Dispose();
        Action[] uses =
        [
            () => store.Get("k"), () => store.Put("k", "v"), () => store.Delete("k"),
            () => store.Write(new WriteBatch()),
            () => store.Exists(StoreTesting.Bytes("k")), () => store.Lease(StoreTesting.Bytes("k")),
            () => store.Snapshot(),
            () => store.Merge(), () => store.Maintain(), () => store.Checkpoint("/copy"), () => store.GetStatistics(),
            () => store.BeginTransaction(), () => transaction.TryCommit(), () => store.WatchAsync(),
        ];
        foreach (Action use in uses) Assert.Throws<ObjectDisposedException>(use);
    }

    [Fact]
    public void AStoreThatIsOnlyReadRefusesChanges()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using BitcaskStore owner = BitcaskStore.Open(host, "/kv", StoreTesting.Small);
        owner.Put("k", "v", Durability.Group);
        string[] before = [.. host.Disk.Paths()];
        using (BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small with { ReadOnly = true }))
        {
            Assert.Equal("v", store.Get("k"));
            Action[] uses =
            [
                () => store.Put("k", "v"), () => store.Delete("k"), () => Write(store),
                () => store.Merge(), () => store.Maintain(),
                () => store.Checkpoint("/copy"), () => store.BeginTransaction(),
            ];
            foreach (Action use in uses) Assert.Throws<InvalidOperationException>(use);
            Assert.Equal("v", store.Get("k"));
        }

        Assert.Equal(before, host.Disk.Paths());

        static void Write(BitcaskStore store)
        {
            var batch = new WriteBatch();
            batch.Put(StoreTesting.Bytes("k"), StoreTesting.Bytes("v"));
            store.Write(batch);
        }
    }

    [Fact]
    public void ASecondOwnerIsToldWhoTheFirstIs()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using BitcaskStore owner = BitcaskStore.Open(host, "/kv", StoreTesting.Small);
        HoldfastException busy = Assert.Throws<HoldfastException>(
            () => BitcaskStore.Open(host, "/kv", StoreTesting.Small));
        Assert.Equal(ErrorKind.Busy, busy.Kind);
        Assert.Contains($"process {Environment.ProcessId}", busy.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingStoreIsNotMadeUnlessAsked()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        HoldfastException missing = Assert.Throws<HoldfastException>(
            () => BitcaskStore.Open(host, "/kv", StoreTesting.Small with { Create = false }));
        Assert.Equal(ErrorKind.NotThere, missing.Kind);
        Assert.DoesNotContain("/kv/", host.Disk.Paths());
    }

    private static async Task<List<string>> ReadAsync(IAsyncEnumerable<Change> changes)
    {
        var told = new List<string>();
        await foreach (Change change in changes)
        {
            string value = change.Value is null ? "" : System.Text.Encoding.UTF8.GetString(change.Value);
            told.Add($"{change.Sequence} {System.Text.Encoding.UTF8.GetString(change.Key)} {value}");
        }

        return told;
    }
}
