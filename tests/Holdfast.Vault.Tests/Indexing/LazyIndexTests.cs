using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Indexing;

/// <summary>Goal: index objects are read when nothing nearer answers, and then once; and no answer depends on how it was found.</summary>
public sealed class LazyIndexTests : IDisposable
{
    private static readonly SessionId Session = new(0, 0x78);
    private readonly ObjectSealer sealer = TestKeys.Sealer();
    private readonly MemoryObjectStore objects = new();
    private readonly FaultyObjectStore store;
    private readonly List<Exception> damages = [];
    private readonly Random random = new(41);
    private readonly VaultIndex index;

    public LazyIndexTests()
    {
        store = new FaultyObjectStore(objects);
        index = new VaultIndex(store, sealer, 1 << 20, damages.Add);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => index.Dispose();

    [Fact]
    public async Task ExpectedPacksAnswerWithoutTheIndex()
    {
        PackFooter[] packs = [await PutPackAsync(0, 100), await PutPackAsync(1, 100), await PutPackAsync(2, 100)];
        await PutIndexAsync(0, packs);
        index.Expect([packs[0].Pack, packs[1].Pack]);

        foreach (PackFooter pack in packs[..2])
        {
            for (int i = 0; i < pack.Chunks.Length; i++)
            {
                ChunkLocation? found = await index.FindAsync(pack.Chunks[i].Id, ObjectKind.DataPack, Token);
                Assert.True(found?.Footer.Pack == pack.Pack && found.Value.Ordinal == i);
            }
        }

        Assert.Equal(0, store.CallCount(StoreMethod.List));
        Assert.Empty(index.Readers);

        // The third is not among them: now all is loaded, once.
        Assert.Equal(packs[2].Pack, (await index.FindAsync(packs[2].Chunks[7].Id, ObjectKind.DataPack, Token))?.Footer.Pack);
        for (int i = 0; i < 20; i++) Assert.Null(await index.FindAsync(TestKeys.RandomId(random), ObjectKind.DataPack, Token));
        Assert.Equal(1, store.CallCount(StoreMethod.List));
        Assert.Single(index.Readers);
    }

    [Fact]
    public async Task AnExpectedPackThatIsGoneIsToldOfAndItsChunksAreFoundElsewhere()
    {
        PackFooter gone = await PutPackAsync(0, 10);
        PackFooter copy = await PutPackAsync(1, [.. gone.Chunks.Select(chunk => chunk.Id)]);
        await PutIndexAsync(0, [gone, copy]);
        await objects.DeleteAsync(gone.Pack.ObjectName, Token);
        index.Expect([gone.Pack]);

        foreach (PackChunk chunk in gone.Chunks) Assert.Equal(copy.Pack, (await FindAsync(chunk.Id))?.Footer.Pack);
        Assert.Contains(gone.Pack.ObjectName, Assert.Single(damages).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ManyWhoAskAtOnceLoadItOnce()
    {
        PackFooter[] packs = [.. await Task.WhenAll(Enumerable.Range(0, 6).Select(i => PutPackAsync((uint)i, 300)))];
        await PutIndexAsync(0, packs[..3]);
        await PutIndexAsync(1, packs[3..]);
        index.Expect([packs[0].Pack, packs[4].Pack]);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(
            async () =>
            {
                var own = new Random(worker);
                for (int i = 0; i < 400; i++)
                {
                    PackFooter pack = packs[own.Next(packs.Length)];
                    int ordinal = own.Next(pack.Chunks.Length);
                    ChunkLocation? found = await FindAsync(pack.Chunks[ordinal].Id);
                    Assert.True(found?.Footer.Pack == pack.Pack && found.Value.Ordinal == ordinal, $"worker {worker}, step {i}");
                }
            },
            Token)));

        Assert.Equal(1, store.CallCount(StoreMethod.List));
    }

    /// <summary>Every footer and every page has to be read again and again.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(20_000)]
    public async Task WithNextToNoMemoryAllIsFoundAllTheSame(long memoryBytes)
    {
        PackFooter[] packs = [.. await Task.WhenAll(Enumerable.Range(0, 9).Select(i => PutPackAsync((uint)i, 120 + (i * 40))))];
        for (int i = 0; i < 3; i++) await PutIndexAsync((uint)i, packs[(3 * i)..(3 * (i + 1))]);
        using var small = new VaultIndex(store, sealer, memoryBytes, damages.Add);
        small.Expect([.. packs.Take(4).Select(pack => pack.Pack)]);
        for (int i = 0; i < 1000; i++)
        {
            PackFooter pack = packs[random.Next(packs.Length)];
            int ordinal = random.Next(pack.Chunks.Length);
            ChunkLocation? found = await small.FindAsync(pack.Chunks[ordinal].Id, ObjectKind.DataPack, Token);
            Assert.True(found?.Footer.Pack == pack.Pack && found.Value.Ordinal == ordinal, $"step {i}");
        }

        Assert.Empty(damages);
    }

    [Fact]
    public async Task AChunkThatTwoIndexObjectsListIsFoundInEachPlace()
    {
        PackFooter first = await PutPackAsync(0, 50);
        PackFooter second = await PutPackAsync(1, [TestKeys.RandomId(random), .. first.Chunks.Select(chunk => chunk.Id)]);
        await PutIndexAsync(0, [first]);
        await PutIndexAsync(1, [second]);
        foreach (PackChunk chunk in first.Chunks)
        {
            List<ChunkLocation> all = await index.FindAllAsync(chunk.Id, ObjectKind.DataPack, Token);
            Assert.Equal([first.Pack, second.Pack], all.Select(location => location.Footer.Pack).Order());
            Assert.All(all, location => Assert.Equal(chunk.Id, location.Chunk.Id));
        }
    }

    [Fact]
    public async Task WhatTurnedOutBrokenCountsOnlyWhereItIsWhole()
    {
        PackFooter first = await PutPackAsync(0, 5);
        ChunkId id = first.Chunks[3].Id;
        PackFooter second = await PutPackAsync(1, [TestKeys.RandomId(random), id]);
        await PutIndexAsync(0, [first, second]);
        ChunkLocation found = (await FindAsync(id))!.Value;
        Assert.True(index.TryFindAtHand(id, ObjectKind.DataPack, out _));

        index.SetBroken(found);
        ChunkLocation other = (await index.FindSoundAsync(id, ObjectKind.DataPack, Token))!.Value;
        Assert.NotEqual(found.Footer.Pack, other.Footer.Pack);
        Assert.Equal(id, other.Chunk.Id);

        index.SetBroken(other);
        Assert.Null(await index.FindSoundAsync(id, ObjectKind.DataPack, Token));
        Assert.False(index.TryFindAtHand(id, ObjectKind.DataPack, out _));
        // Who only wants to read may still try.
        Assert.NotNull(await FindAsync(id));
    }

    /// <summary>A chunk whose group came from somebody who is not trusted is read, but no new point relies on it.</summary>
    [Fact]
    public async Task WhatAStrangerSealedCountsOnlyForReading()
    {
        PackFooter own = await PutPackAsync(0, 3);
        PackFooter moved = await PutCopyAsync(1, own, own.WriterId), strange = await PutCopyAsync(2, own, 99), unknown = await PutCopyAsync(3, own, PackKey.NoOrigin);
        foreach ((PackFooter listed, bool counts) in ((PackFooter, bool)[])[(moved, true), (strange, false), (unknown, false)])
        {
            using var fresh = new VaultIndex(objects, sealer, 1 << 20, damages.Add);
            fresh.Unindexed.Add(listed);
            ChunkId id = listed.Chunks[1].Id;

            Assert.Equal(listed.Pack, (await fresh.FindAsync(id, ObjectKind.DataPack, Token))?.Footer.Pack);
            Assert.Equal(counts ? listed.Pack : null, (await fresh.FindSoundAsync(id, ObjectKind.DataPack, Token))?.Footer.Pack);
        }

        // Where there is another copy, that one counts.
        await PutIndexAsync(0, [strange, own, unknown]);
        _ = await index.TryGetFooterAsync(strange.Pack, Token);
        Assert.False(index.TryFindAtHand(own.Chunks[1].Id, ObjectKind.DataPack, out _));
        Assert.Equal(own.Pack, (await index.FindSoundAsync(own.Chunks[1].Id, ObjectKind.DataPack, Token))?.Footer.Pack);
    }

    [Fact]
    public async Task PacksThatWereRemovedInOrderCostOneListingAndAreNoDamage()
    {
        PackFooter[] gone = [.. await Task.WhenAll(Enumerable.Range(0, 10).Select(i => PutPackAsync((uint)i, 5)))];
        PackFooter copy = await PutPackAsync(20, [.. gone.SelectMany(pack => pack.Chunks.Select(chunk => chunk.Id))]);
        await PutIndexAsync(0, [copy]);
        foreach (PackFooter pack in gone) await objects.DeleteAsync(pack.Pack.ObjectName, Token);
        index.RemovalSource = _ => Task.FromResult<IReadOnlySet<PackId>>(gone.Select(pack => pack.Pack).ToHashSet());
        index.Expect([.. gone.Select(pack => pack.Pack)]);

        foreach (PackChunk chunk in copy.Chunks) Assert.Equal(copy.Pack, (await FindAsync(chunk.Id))?.Footer.Pack);

        Assert.Empty(damages);
        // When the first was gone, and when the index was loaded.
        Assert.Equal((2, 1 + 1), (store.CallCount(StoreMethod.List), store.CallCount(StoreMethod.Stat)));
    }

    [Fact]
    public async Task APackThatIsRemovedIsTakenLastAndNoNewPointReliesOnIt()
    {
        PackFooter first = await PutPackAsync(0, 20);
        PackFooter second = await PutPackAsync(1, [.. first.Chunks.Take(10).Select(chunk => chunk.Id)]);
        await PutIndexAsync(0, [first, second]);
        foreach (PackChunk chunk in first.Chunks) Assert.NotNull(await FindAsync(chunk.Id));

        index.SetRemoved(new HashSet<PackId> { first.Pack });
        for (int i = 0; i < 20; i++)
        {
            ChunkId id = first.Chunks[i].Id;
            Assert.Equal(i < 10 ? second.Pack : first.Pack, (await FindAsync(id))?.Footer.Pack);
            Assert.Equal(i < 10 ? second.Pack : null, (await index.FindSoundAsync(id, ObjectKind.DataPack, Token))?.Footer.Pack);
        }

        // A removal can be taken back.
        index.SetRemoved(new HashSet<PackId>());
        Assert.NotNull(await index.FindSoundAsync(first.Chunks[15].Id, ObjectKind.DataPack, Token));
        Assert.Empty(damages);
    }

    private ValueTask<ChunkLocation?> FindAsync(ChunkId id) => index.FindAsync(id, ObjectKind.DataPack, Token);

    private Task<PackFooter> PutPackAsync(uint number, int chunks) =>
        PutPackAsync(number, [.. Enumerable.Range(0, chunks).Select(_ => TestKeys.RandomId(random))]);

    private async Task<PackFooter> PutPackAsync(uint number, ChunkId[] ids)
    {
        using var builder = new PackBuilder(sealer, Compressor.DefaultLevel);
        builder.Begin(new PackId(ObjectKind.DataPack, Session, number));
        foreach (ChunkId id in ids) builder.Add(id, [1]);
        PackFooter footer = builder.Finish(out ReadOnlyMemory<byte> content);
        await objects.PutIfAbsentAsync(footer.Pack.ObjectName, content, Token);
        return footer;
    }

    /// <summary>A pack that holds the groups of another as they are.</summary>
    private async Task<PackFooter> PutCopyAsync(uint number, PackFooter source, ulong origin)
    {
        using var builder = new PackBuilder(sealer, Compressor.DefaultLevel);
        builder.BeginCopies(new PackId(ObjectKind.DataPack, Session, number));
        var reader = new PackReader(objects, sealer);
        foreach (PackGroup group in source.Groups)
        {
            byte[] bytes = new byte[group.SealedBytes];
            await reader.ReadSealedAsync(source, group.Offset, bytes, Token);
            Assert.True(builder.TryCopyGroup(
                source.KeyOf(group) with { OriginId = origin }, group, source.Chunks.AsSpan(group.FirstChunk, group.ChunkCount), bytes));
        }

        PackFooter footer = builder.Finish(out ReadOnlyMemory<byte> content);
        await objects.PutIfAbsentAsync(footer.Pack.ObjectName, content, Token);
        return footer;
    }

    private async Task PutIndexAsync(uint number, IReadOnlyList<PackFooter> footers)
    {
        string name = IndexObject.Name(Session, number);
        await objects.PutIfAbsentAsync(name, IndexObject.Build(sealer, name, footers), Token);
    }
}
