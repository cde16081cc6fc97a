using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

/// Alone: what other tests allocate and let go of meanwhile would count.
[CollectionDefinition(nameof(OrderedKeydirMemoryTests), DisableParallelization = true)]
[Collection(nameof(OrderedKeydirMemoryTests))]
public sealed class OrderedKeydirMemoryTests
{
    [Fact]
    public void TheMemoryThatIsToldIsWhatTheCollectorSees()
    {
        var random = new Random(1);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var keydir = new OrderedKeydir();
        byte[] key = new byte[16];
        for (int i = 0; i < 300_000; i++)
        {
            random.NextBytes(key);
            keydir.Set(0, key, new Location(1, 8, 8), NoMatch.Instance, out _);
        }

        long seen = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.InRange(keydir.MemoryBytes, seen * 0.8, seen * 1.2);
        GC.KeepAlive(keydir);
    }
}
