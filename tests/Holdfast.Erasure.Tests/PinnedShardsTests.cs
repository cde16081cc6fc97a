namespace Holdfast.Erasure.Tests;

public sealed class PinnedShardsTests
{
    [Fact]
    public unsafe void PointersAreToTheBuffers()
    {
        byte[] first = [1, 2, 3], second = [4, 5, 6, 7];
        using var pinned = new PinnedShards(first, second.AsMemory(1));
        Assert.Equal(3, pinned.Length);
        Assert.Equal([1, 2, 3], new ReadOnlySpan<byte>((byte*)pinned.Pointers[0], 3).ToArray());
        Assert.Equal([5, 6, 7], new ReadOnlySpan<byte>((byte*)pinned.Pointers[1], 3).ToArray());
    }

    [Fact]
    public void BuffersOfDifferentLengthsAreRefused()
    {
        Assert.Throws<ArgumentException>("shards", () => new PinnedShards(new byte[3], new byte[4]));
        Assert.Throws<ArgumentException>("shards", () => new PinnedShards(Array.Empty<byte>()));
    }

    [Fact]
    public void ThereAreNoPointersToWhatWasLetGo()
    {
        var pinned = new PinnedShards(new byte[3]);
        pinned.Dispose();
        pinned.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pinned.Pointers.Length);
    }

    [Fact]
    public void ManagedBuffersAreCodedWhereTheyLie()
    {
        byte[][] shards = [.. Enumerable.Range(0, 6).Select(_ => new byte[50])];
        var random = new Random(1);
        for (int i = 0; i < 4; i++) random.NextBytes(shards[i]);
        ReedSolomon code = ReedSolomon.Create(4, 2);
        using var pinned = new PinnedShards([.. shards.Select(shard => (ReadOnlyMemory<byte>)shard)]);
        code.Encode(pinned.Pointers[..4], pinned.Pointers[4..], pinned.Length);
        byte[] parity = new byte[100];
        code.Encode([.. shards.Take(4).SelectMany(shard => shard)], parity);
        Assert.Equal(parity, (byte[])[.. shards[4], .. shards[5]]);
    }
}
