using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Stores;

public sealed class DurabilityTests
{
    [Fact]
    public void AnIntervalAskedOfOneWriteHoldsInAStoreThatWasOpenedWithout()
    {
        SimulatedHost host = SimulatedHost.Create(seed: 1);
        using BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small);
        store.Put("key", "value", Durability.Interval);
        using (BitcaskStore lost = Open(host.Disk.Fork())) Assert.Null(lost.Get("key"));

        host.Clock.Advance(StoreTesting.Small.SyncInterval);

        using BitcaskStore kept = Open(host.Disk.Fork());
        Assert.Equal("value", kept.Get("key"));
    }

    [Theory]
    [InlineData(Durability.Group)]
    [InlineData(Durability.Each)]
    public void ThatAKeyIsAbsentIsDurableToo(Durability durability)
    {
        SimulatedHost host = SimulatedHost.Create(seed: 1);
        using BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small);
        store.Put("key", "value", Durability.Each);
        Assert.True(store.Delete(StoreTesting.Bytes("key"), Durability.None));

        Assert.False(store.Delete(StoreTesting.Bytes("key"), durability));

        using BitcaskStore reopened = Open(host.Disk.Fork());
        Assert.Null(reopened.Get("key"));
    }

    [Fact]
    public void DeletingWhatIsAbsentWritesNothing()
    {
        SimulatedHost host = SimulatedHost.Create(seed: 1);
        using BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small);
        store.Put("key", "value", Durability.Each);
        long before = store.GetStatistics().Bytes;
        for (int i = 0; i < 10; i++)
        {
            Assert.False(store.Delete(StoreTesting.Bytes("other"), Durability.Each));
            store.Write(new WriteBatch(), Durability.Each);
        }

        Assert.Equal(before, store.GetStatistics().Bytes);
    }

    private static BitcaskStore Open(SimulatedDisk disk) =>
        BitcaskStore.Open(new Host(disk, new SimulatedClock(), new SimulatedEntropy(2)), "/kv", StoreTesting.Small);
}
