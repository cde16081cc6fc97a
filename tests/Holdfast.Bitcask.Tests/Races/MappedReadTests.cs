using System.Globalization;
using System.Text;
using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Races;

/// Reads of mapped segments, on a real disk, while the segments go away: what goes wrong here ends the process.
public sealed class MappedReadTests
{
    private const int Keys = 50;

    [Fact]
    public void ALeaseStaysReadableWhenItsSegmentWasMergedAwayAndTheStoreIsClosed()
    {
        using var directory = new TemporaryDirectory(inMemory: true);
        string path = $"{directory.Path}/kv";
        ValueLease lease;
        using (BitcaskStore store = BitcaskStore.Open(path, StoreTesting.Small))
        {
            store.Put("k", StoreTesting.Padded("leased", 1000));
            lease = store.Lease(StoreTesting.Bytes("k"))!;
            store.Put("k", "new");
            store.Merge(MergeScope.All);
            Assert.Equal(StoreTesting.Padded("leased", 1000), Encoding.UTF8.GetString(lease.Value));
            // Its space is still taken: the segment is held.
            Assert.True(File.Exists($"{path}/00000001.log"));
        }

        Assert.Equal(StoreTesting.Padded("leased", 1000), Encoding.UTF8.GetString(lease.Value));
        lease.Dispose();
        Assert.Throws<ObjectDisposedException>(() => lease.Value.Length);
        using BitcaskStore reopened = BitcaskStore.Open(path, StoreTesting.Small);
        Assert.Equal("new", reopened.Get("k"));
        Assert.False(File.Exists($"{path}/00000001.log"));
    }

    [Fact]
    public void TheSegmentOfALeaseGoesWithTheLease()
    {
        using var directory = new TemporaryDirectory(inMemory: true);
        string path = $"{directory.Path}/kv";
        using BitcaskStore store = BitcaskStore.Open(path, StoreTesting.Small);
        store.Put("k", StoreTesting.Padded("leased", 1000));
        ValueLease lease = store.Lease(StoreTesting.Bytes("k"))!;
        store.Delete("k");
        store.Merge(MergeScope.All);
        Assert.True(File.Exists($"{path}/00000001.log"));

        lease.Dispose();

        Assert.False(File.Exists($"{path}/00000001.log"));
    }

    [Fact]
    public void ASnapshotReadsOnWhenTheStoreIsClosed()
    {
        using var directory = new TemporaryDirectory(inMemory: true);
        BitcaskStore store = BitcaskStore.Open($"{directory.Path}/kv", StoreTesting.Small);
        for (int i = 0; i < Keys; i++) store.Put($"k{i}", StoreTesting.Padded($"{i}", 400));
        StoreSnapshot snapshot = store.Snapshot();
        using SnapshotReader reader = snapshot.OpenReader();
        Assert.True(reader.TryRead());
        store.Merge(MergeScope.All);
        store.Dispose();

        int count = 1;
        while (reader.TryRead()) count++;

        Assert.Equal(Keys, count);
        Assert.Equal(StoreTesting.Padded("7", 400), Encoding.UTF8.GetString(snapshot.Get(StoreTesting.Bytes("k7"))!));
        snapshot.Dispose();
    }

    /// Reads, writes, leases, snapshots, merges and a checkpoint are going on when the store is closed.
    [Theory]
    [InlineData(1, KeydirKind.Compact)]
    [InlineData(2, KeydirKind.Ordered)]
    public void AStoreCanBeClosedWhateverGoesOn(int seed, KeydirKind keydir)
    {
        for (int round = 0; round < 12; round++)
        {
            using var directory = new TemporaryDirectory(inMemory: true);
            string path = $"{directory.Path}/kv";
            BitcaskOptions options = StoreTesting.Small with { Keydir = keydir, MaintainInBackground = round % 2 == 0 };
            BitcaskStore store = BitcaskStore.Open(path, options);
            for (int i = 0; i < Keys; i++) store.Put($"k{i}", StoreTesting.Padded("0", 300));
            using var reached = new CountdownEvent(6);
            Thread[] threads =
            [
                Start(store, reached, i => store.Get($"k{i % Keys}")),
                Start(store, reached, i => store.Put($"k{i % Keys}", StoreTesting.Padded($"{i}", 200 + (i % 200)))),
                Start(store, reached, i => ReadLease(store, $"k{i % Keys}")),
                Start(store, reached, i => store.Merge(i % 2 == 0 ? MergeScope.All : MergeScope.Due, CancellationToken.None)),
                Start(store, reached, i => store.Checkpoint($"{directory.Path}/copy{i}", CancellationToken.None)),
                Start(store, reached, _ => ReadSnapshot(store)),
            ];
            reached.Wait(TestContext.Current.CancellationToken);

            store.Dispose();

            foreach (Thread thread in threads) thread.Join();
            using BitcaskStore reopened = BitcaskStore.Open(path, options);
            Assert.True(reopened.Count == Keys, string.Create(CultureInfo.InvariantCulture, $"seed {seed}, round {round}: {reopened.Count} keys"));
            Assert.Empty(reopened.Damages);
        }
    }

    private static void ReadLease(BitcaskStore store, string key)
    {
        using ValueLease lease = store.Lease(StoreTesting.Bytes(key))!;
        Assert.Equal((byte)'.', lease.Value[^1]);
    }

    private static void ReadSnapshot(BitcaskStore store)
    {
        using StoreSnapshot snapshot = store.Snapshot();
        Assert.Equal(Keys, StoreTesting.ReadAll(snapshot).Count);
    }

    // Does something until the store is closed; it has reached its work when it was done twice.
    private static Thread Start(BitcaskStore store, CountdownEvent reached, Action<int> action)
    {
        var thread = new Thread(() =>
        {
            try
            {
                for (int i = 0; ; i++)
                {
                    if (i == 2) reached.Signal();
                    action(i);
                }
            }
            catch (Exception closed) when (closed is ObjectDisposedException or OperationCanceledException)
            {
                Assert.Throws<ObjectDisposedException>(() => store.Get("k1"));
            }
        });
        thread.Start();
        return thread;
    }
}
