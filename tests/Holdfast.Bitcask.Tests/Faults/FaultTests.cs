using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Faults;

/// Goal: a call to the disk that fails costs nothing that was acknowledged, and leaves nothing half done.
/// Method: a workload is run once for each of its calls, which fails; what was acknowledged is compared with what is
/// found, at once and
/// after opening again.
public sealed class FaultTests
{
    private const string Directory = "/kv";

    [Theory]
    [InlineData(DiskException.InputOutput)]
    [InlineData(DiskException.NoSpace)]
    public void NothingAcknowledgedIsLostWhicheverCallFails(int errno)
    {
        for (int failAt = 1; ; failAt++)
        {
            SimulatedHost host = SimulatedHost.Create(failAt);
            var acknowledged = new SortedDictionary<string, string?>(StringComparer.Ordinal);
            var unsure = new SortedDictionary<string, string?>(StringComparer.Ordinal);
            bool wasReached;
            using (BitcaskStore store = BitcaskStore.Open(host, Directory, StoreTesting.Small with { Durability = Durability.Group }))
            {
                int failing = host.Disk.CallCount + failAt;
                host.Disk.Fault = call => call.Number == failing ? errno : null;
                Work(store, acknowledged, unsure);
                host.Disk.Fault = null;
                wasReached = host.Disk.CallCount >= failing;
                foreach ((string key, string? value) in acknowledged)
                {
                    // What a failed sync leaves of a later value is anyone's guess.
                    if (!unsure.ContainsKey(key)) Assert.Equal(value, store.Get(key));
                }

                Close(store);
            }

            using (BitcaskStore store = BitcaskStore.Open(host, Directory, StoreTesting.Small))
            {
                Compare(store, acknowledged, unsure, $"call {failAt}, opened again");
                string before = StoreTesting.Describe(store);
                store.Merge(MergeScope.All);
                Assert.Equal(before, StoreTesting.Describe(store));
                Assert.Empty(store.Damages);
            }

            if (!wasReached) return;
        }
    }

    [Fact]
    public void WritesGoOnWhenThereIsSpaceAgain()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using BitcaskStore store = BitcaskStore.Open(
            host, Directory, StoreTesting.Small with { Durability = Durability.Group });
        for (int i = 0; i < 5; i++) store.Put($"k{i}", StoreTesting.Padded($"{i}", 900));
        host.Disk.Capacity = host.Disk.UsedBytes;
        string before = "";
        int refused = 0;
        for (int i = 0; i < 2000 && refused < 3; i++)
        {
            try
            {
                store.Put("filler", StoreTesting.Padded($"{i}", 900));
                before = StoreTesting.Describe(store);
            }
            catch (DiskException full) when (full.IsNoSpace)
            {
                refused++;
                Assert.Equal(before, StoreTesting.Describe(store));
            }
        }

        Assert.Equal(3, refused);
        host.Disk.Capacity = long.MaxValue;
        store.Put("after", "all");
        Assert.Equal("all", store.Get("after"));
        store.Merge(MergeScope.All);
        Assert.Equal("all", store.Get("after"));
        Assert.Equal($"after=all {before}", StoreTesting.Describe(store));
    }

    /// A merge frees space even where there is none for a hint, and can be repeated.
    [Fact]
    public void AMergeWhoseHintCannotBeWrittenIsDoneAndTheNextOneToo()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using BitcaskStore store = BitcaskStore.Open(host, Directory, StoreTesting.Small);
        for (int i = 0; i < 30; i++) store.Put($"k{i % 5}", StoreTesting.Padded($"{i}", 600));
        string before = StoreTesting.Describe(store);
        bool isSealed = false;
        host.Disk.Fault = call =>
        {
            isSealed |= Races.MergePoints.IsSealOfReplacement(call);
            return isSealed && call.Kind == DiskCallKind.CreateUnnamed ? DiskException.NoSpace : null;
        };

        MergeReport report = store.Merge(MergeScope.All);

        host.Disk.Fault = null;
        Assert.True(report.BytesAfter < report.BytesBefore, report.ToString());
        Assert.Equal(before, StoreTesting.Describe(store));
        // And the active one.
        Assert.Equal(
            report.SegmentsAfter + 1, host.Disk.Paths().Count(path => path.EndsWith(".log", StringComparison.Ordinal)));
        store.Put("k1", "again");
        store.Merge(MergeScope.All);
        store.Maintain();
        Assert.All(store.GetStatistics().Segments, segment => Assert.True(segment.HasHint || !segment.IsSealed));
    }

    [Fact]
    public void AfterAFailedSyncTheStoreTakesNoWritesAndGoesOnReading()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using (BitcaskStore store = BitcaskStore.Open(host, Directory, StoreTesting.Small))
        {
            store.Put("k", "safe", Durability.Group);
            host.Disk.Fault = call =>
                call.Kind is DiskCallKind.Sync or DiskCallKind.WriteDurably ? DiskException.InputOutput : null;
            Assert.ThrowsAny<HoldfastException>(() => store.Put("k2", "lost", Durability.Each));
            host.Disk.Fault = null;

            HoldfastException refusal = Assert.ThrowsAny<HoldfastException>(() => store.Put("k3", "refused"));

            Assert.Contains("an earlier write failed", refusal.Message, StringComparison.Ordinal);
            Assert.Equal("safe", store.Get("k"));
            Close(store);
        }

        Assert.Equal("safe", StoreTesting.With(host, Directory, StoreTesting.Small, store => store.Get("k")));
    }

    /// The record is in the log, and the keydir could not compare keys: memory and disk would tell different things.
    [Fact]
    public void AWriteThatTheKeydirCouldNotTakeIsTheLast()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using (BitcaskStore store = BitcaskStore.Open(host, Directory, StoreTesting.Small)) store.Put("k", "old");
        using (BitcaskStore store = BitcaskStore.Open(host, Directory, StoreTesting.Small))
        {
            host.Disk.Fault = call => call.Kind == DiskCallKind.Read ? DiskException.InputOutput : null;
            Assert.Throws<DiskException>(() => store.Put("k", "new"));
            host.Disk.Fault = null;

            Assert.ThrowsAny<HoldfastException>(() => store.Put("other", "x"));
            Assert.Equal("old", store.Get("k"));
        }

        Assert.Contains(
            StoreTesting.With(host, Directory, StoreTesting.Small, store => store.Get("k")), (string[])["old", "new"]);
    }

    private static void Work(
        BitcaskStore store, SortedDictionary<string, string?> acknowledged, SortedDictionary<string, string?> unsure)
    {
        for (int i = 0; i < 14; i++)
        {
            string key = $"k{i % 6}";
            string value = StoreTesting.Padded($"{i}", (i % 4) * 500);
            Try(() => store.Put(key, value), key, value);
            if (i % 5 == 4) Try(() => store.Delete($"k{i % 4}"), $"k{i % 4}", null);
            if (i % 6 == 5) Try(() => store.Merge(MergeScope.All), null, null);
            if (i % 7 == 6) Try(() => store.Maintain(), null, null);
        }

        void Try(Action action, string? key, string? value)
        {
            try
            {
                action();
                if (key is null) return;
                acknowledged[key] = value;
                unsure.Remove(key);
            }
            catch (DiskException full) when (full.IsNoSpace && key is not null)
            {
                // Nothing has changed; but for a sync that found no space: then it is as with any other error.
                unsure[key] = value;
            }
            catch (HoldfastException)
            {
                if (key is not null) unsure.TryAdd(key, value);
            }
        }
    }

    private static void Compare(
        BitcaskStore store, SortedDictionary<string, string?> acknowledged, SortedDictionary<string, string?> unsure,
        string where)
    {
        SortedDictionary<string, string> found = StoreTesting.ReadAll(store);
        foreach ((string key, string? value) in acknowledged)
        {
            string? held = found.GetValueOrDefault(key);
            bool mayBe = held == value || (unsure.TryGetValue(key, out string? other) && held == other);
            Assert.True(mayBe, $"{where}: {key} is '{held}', acknowledged '{value}'");
            Assert.Equal(held, store.Get(key));
        }

        Assert.All(found.Keys, key => Assert.True(acknowledged.ContainsKey(key) || unsure.ContainsKey(key), $"{where}: {key}"));
    }

    private static void Close(BitcaskStore store)
    {
        try
        {
            store.Dispose();
        }
        catch (HoldfastException)
        {
            // It has let go of the directory; what was not durable is not.
        }
    }
}
