using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Indexing;

/// <summary>Goal: the cache never names a place where the chunk is not, forgets only what had to make room, and finds the rest.</summary>
public sealed class FooterCacheTests
{
    private static readonly SessionId Session = new(0, 0x77);

    /// <summary>Room for everything: all that was added is found where it is.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void WithRoomForAllEverythingIsFoundAndNothingElse(int seed)
    {
        var random = new Random(seed);
        var cache = new FooterCache(64 << 20);
        var model = new Dictionary<ChunkId, (PackId Pack, int Ordinal)>();
        var footers = new List<PackFooter>();
        // Beyond the first table, and its successors.
        for (uint number = 0; number < 60; number++)
        {
            PackFooter footer = Footer(random, number, number % 5 == 0 ? ObjectKind.TreePack : ObjectKind.DataPack, random.Next(1, 1500));
            for (int i = 0; i < footer.Chunks.Length; i++) model.Add(footer.Chunks[i].Id, (footer.Pack, i));
            cache.Add(footer);
            footers.Add(footer);
            // Twice is once.
            if (number % 7 == 0) cache.Add(footer);
        }

        foreach ((ChunkId id, (PackId pack, int ordinal)) in model)
        {
            ObjectKind other = pack.Kind == ObjectKind.DataPack ? ObjectKind.TreePack : ObjectKind.DataPack;
            Assert.False(cache.TryFind(id, other, out _), $"seed {seed}: {id} found in a pack of the other kind");
            Assert.True(cache.TryFind(id, pack.Kind, out ChunkLocation location), $"seed {seed}: {id} not found");
            Assert.True(location.Footer.Pack == pack && location.Ordinal == ordinal, $"seed {seed}: {id}");
        }

        Assert.All(footers, footer => Assert.Same(footer, cache.TryGet(footer.Pack)));
        for (int i = 0; i < 10_000; i++) Assert.False(cache.TryFind(TestKeys.RandomId(random), ObjectKind.DataPack, out _));
    }

    /// <summary>What shares tag, set and slot with a known id, but is another: only the whole id counts.</summary>
    [Fact]
    public void IdsThatDifferInAnyBitAreOthers()
    {
        var random = new Random(3);
        var cache = new FooterCache(1 << 20);
        PackFooter footer = Footer(random, 0, ObjectKind.DataPack, 20);
        cache.Add(footer);
        foreach (PackChunk chunk in footer.Chunks)
        {
            Assert.True(cache.TryFind(chunk.Id, ObjectKind.DataPack, out ChunkLocation location));
            Assert.Equal(chunk.Id, location.Chunk.Id);
            for (int bit = 0; bit < 64; bit++)
            {
                ulong flip = 1UL << bit;
                ChunkId id = chunk.Id;
                foreach (ChunkId other in (ChunkId[])[id with { W0 = id.W0 ^ flip }, id with { W1 = id.W1 ^ flip }, id with { W2 = id.W2 ^ flip }, id with { W3 = id.W3 ^ flip }])
                {
                    Assert.False(cache.TryFind(other, ObjectKind.DataPack, out _), $"bit {bit}");
                }
            }
        }
    }

    /// <summary>Slots are used again, and places of the table point to footers that are others by now.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void WhateverIsEvictedAHitIsTrueAndTheNewestIsThere(int seed)
    {
        const int packs = 40;
        const long maxBytes = 200_000;
        var random = new Random(seed);
        var cache = new FooterCache(maxBytes);
        PackFooter[] footers =
        [
            .. Enumerable.Range(0, packs).Select(i => Footer(random, (uint)i, ObjectKind.DataPack, i == 0 ? 5000 : random.Next(1, 600))),
        ];
        for (int step = 0; step < 3000; step++)
        {
            PackFooter footer = footers[random.Next(packs)];
            switch (random.Next(3))
            {
                case 0:
                    cache.Add(footer);
                    Assert.True(cache.TryGet(footer.Pack) == footer, $"seed {seed}, step {step}: what was just added is gone");
                    break;
                case 1:
                    PackFooter? got = cache.TryGet(footer.Pack);
                    Assert.True(got is null || got == footer, $"seed {seed}, step {step}");
                    break;
                default:
                    int ordinal = random.Next(footer.Chunks.Length);
                    bool isFound = cache.TryFind(footer.Chunks[ordinal].Id, ObjectKind.DataPack, out ChunkLocation location);
                    if (isFound) Assert.True(location.Footer == footer && location.Ordinal == ordinal, $"seed {seed}, step {step}");
                    Assert.False(isFound && cache.TryGet(footer.Pack) is null, $"seed {seed}, step {step}: found in a footer that was let go");
                    break;
            }

            PackFooter[] kept = [.. footers.Where(each => cache.TryGet(each.Pack) is not null)];
            // 80 bytes a chunk, as the cache reckons; one larger than all of the room may be there alone.
            long bytes = kept.Sum(each => 200 + (each.Chunks.Length * 80L));
            Assert.True(kept.Length == 1 || bytes <= maxBytes, $"seed {seed}, step {step}: {kept.Length} footers of {bytes} bytes");
        }
    }

    [Fact]
    public void WhatIsUsedOutlivesWhatIsNot()
    {
        var random = new Random(4);
        PackFooter[] footers = [.. Enumerable.Range(0, 50).Select(i => Footer(random, (uint)i, ObjectKind.DataPack, 100))];
        // Room for ten.
        var cache = new FooterCache(10 * 8200);
        cache.Add(footers[0]);
        foreach (PackFooter footer in footers[1..])
        {
            Assert.True(cache.TryFind(footers[0].Chunks[5].Id, ObjectKind.DataPack, out _), footer.Pack.ObjectName);
            cache.Add(footer);
        }

        Assert.Null(cache.TryGet(footers[1].Pack));
        Assert.Same(footers[0], cache.TryGet(footers[0].Pack));
    }

    /// <summary>Growth and eviction while others look: no hit may be wrong, and nobody may fail.</summary>
    [Fact]
    public async Task ReadersAndWritersAtOnceSeeNothingThatIsNotSo()
    {
        const int seed = 9, packs = 120;
        var random = new Random(seed);
        var cache = new FooterCache(400_000);
        PackFooter[] footers = [.. Enumerable.Range(0, packs).Select(i => Footer(random, (uint)i, ObjectKind.DataPack, random.Next(1, 200)))];
        long hits = 0;
        Task[] tasks =
        [
            .. Enumerable.Range(0, 4).Select(worker => Task.Run(
                () =>
                {
                    var own = new Random(seed + worker);
                    for (int step = 0; step < 40_000; step++)
                    {
                        PackFooter footer = footers[own.Next(packs)];
                        int ordinal = own.Next(footer.Chunks.Length);
                        if (cache.TryFind(footer.Chunks[ordinal].Id, ObjectKind.DataPack, out ChunkLocation location))
                        {
                            Interlocked.Increment(ref hits);
                            if (location.Footer != footer || location.Ordinal != ordinal) throw new InvalidOperationException($"seed {seed}: a wrong place");
                        }
                        else if (step % 4 == 0)
                        {
                            cache.Add(footer);
                        }
                    }
                },
                TestContext.Current.CancellationToken)),
        ];
        await Task.WhenAll(tasks);

        Assert.NotEqual(0, hits);
    }

    /// <summary>Ids made so that all belong in one place of the table: adding and looking must not take the square of their number.</summary>
    [Fact]
    public async Task IdsThatAllCollideHoldUpNobody()
    {
        const int packs = 8, chunks = 60_000;
        var random = new Random(6);
        var cache = new FooterCache(100 << 20);
        PackFooter honest = Footer(random, packs, ObjectKind.DataPack, 1000);
        Task work = Task.Run(
            () =>
            {
                for (uint number = 0; number < packs; number++)
                {
                    PackFooter footer = Footer(random, number, ObjectKind.DataPack, chunks);
                    for (int i = 0; i < chunks; i++) footer.Chunks[i] = footer.Chunks[i] with { Id = footer.Chunks[i].Id with { W2 = 0, W3 = 0 } };
                    cache.Add(footer);
                    for (int i = 0; i < chunks; i += 100)
                    {
                        bool isFound = cache.TryFind(footer.Chunks[i].Id, ObjectKind.DataPack, out ChunkLocation location);
                        if (isFound) Assert.Equal(footer.Chunks[i].Id, location.Chunk.Id);
                    }
                }

                cache.Add(honest);
            },
            TestContext.Current.CancellationToken);
        await work.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        foreach (PackChunk chunk in honest.Chunks) Assert.True(cache.TryFind(chunk.Id, ObjectKind.DataPack, out _), chunk.Id.ToString());
    }

    private static PackFooter Footer(Random random, uint number, ObjectKind kind, int chunks) => new()
    {
        Pack = new PackId(kind, Session, number),
        WriterId = 1,
        Epoch = 1,
        Cipher = CipherKind.AesGcm,
        KeyId = 0,
        SealedKey = [],
        PackBytes = 1000,
        FooterBytes = 100,
        Groups = [],
        Chunks = [.. Enumerable.Range(0, chunks).Select(i => new PackChunk(TestKeys.RandomId(random), 0, i, 1))],
    };
}
