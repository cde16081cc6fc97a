using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Indexing;

public sealed class IndexTests : IDisposable
{
    private static readonly SessionId Session = new(0, 0x77);
    private readonly ObjectSealer sealer = TestKeys.Sealer();
    private readonly MemoryObjectStore store = new();
    private readonly List<Exception> damages = [];
    private readonly VaultIndex index;

    public IndexTests() => index = new VaultIndex(store, sealer, 1 << 20, damages.Add);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => index.Dispose();

    [Fact]
    public async Task AllChunksOfAllPacksAreFoundAndNoOthers()
    {
        const int seed = 31;
        var random = new Random(seed);
        var places = new Dictionary<ChunkId, (PackId Pack, int Ordinal)>();
        uint number = 0;
        for (uint i = 0; i < 4; i++)
        {
            var footers = new List<PackFooter>();
            for (int p = random.Next(1, 4); p > 0; p--)
            {
                PackFooter footer = await PutPackAsync(
                    number++, [.. Enumerable.Range(0, random.Next(1, 3000)).Select(_ => TestKeys.RandomId(random))]);
                for (int c = 0; c < footer.Chunks.Length; c++) places[footer.Chunks[c].Id] = (footer.Pack, c);
                footers.Add(footer);
            }

            await PutIndexAsync(i, footers);
        }

        PackFooter unlisted = await PutPackAsync(number, [TestKeys.RandomId(random), TestKeys.RandomId(random)]);
        places[unlisted.Chunks[1].Id] = (unlisted.Pack, 1);
        await index.RefreshAsync(Token);
        index.Unindexed.Add(unlisted);

        foreach ((ChunkId id, (PackId pack, int ordinal)) in places)
        {
            ChunkLocation? found = await index.FindAsync(id, ObjectKind.DataPack, Token);
            Assert.True(found?.Footer.Pack == pack && found.Value.Ordinal == ordinal, $"seed {seed}, {id}");
            Assert.Equal(id, found.Value.Chunk.Id);
        }

        ChunkId some = places.Keys.First();
        Assert.Null(await index.FindAsync(some, ObjectKind.TreePack, Token));
        for (int i = 0; i < 2000; i++) Assert.Null(await index.FindAsync(TestKeys.RandomId(random), ObjectKind.DataPack, Token));
        // The same page and the same filter bits, but another chunk.
        Assert.Null(await index.FindAsync(some with { W3 = some.W3 ^ 1 }, ObjectKind.DataPack, Token));
        index.Unindexed.Remove(new HashSet<PackId> { unlisted.Pack });
        Assert.Null(await index.FindAsync(unlisted.Chunks[1].Id, ObjectKind.DataPack, Token));
        Assert.Empty(damages);
    }

    [Fact]
    public async Task IdsThatBeginAlikeAreToldApartByTheFooter()
    {
        ChunkId[] ids = [.. Enumerable.Range(0, 50).Select(i => new ChunkId(0xAAAA, 0xBBBB_0000_0000_0000, 0, (ulong)i))];
        PackFooter first = await PutPackAsync(0, ids[..25]), second = await PutPackAsync(1, ids[25..40]);
        await PutIndexAsync(0, [first, second]);
        await index.RefreshAsync(Token);

        for (int i = 0; i < 40; i++) Assert.Equal(ids[i], (await index.FindAsync(ids[i], ObjectKind.DataPack, Token))?.Chunk.Id);
        for (int i = 40; i < 50; i++) Assert.Null(await index.FindAsync(ids[i], ObjectKind.DataPack, Token));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(IndexObject.EntriesPerPage - 1)]
    [InlineData(IndexObject.EntriesPerPage)]
    [InlineData(IndexObject.EntriesPerPage + 1)]
    [InlineData((2 * IndexObject.EntriesPerPage) + 1)]
    public async Task EveryEntryIsFoundAroundTheEndsOfPages(int count)
    {
        ChunkId[] ids = [.. Enumerable.Range(0, count).Select(i => new ChunkId(((ulong)i << 50) + 5, 0, 0, 0))];
        IndexReader reader = await OpenIndexAsync([Footer(0, ids)]);

        for (int i = 0; i < count; i++) Assert.Equal([i], await OrdinalsAsync(reader, ids[i]));
        Assert.Empty(await OrdinalsAsync(reader, ids[0] with { W0 = 0 }));
        Assert.Empty(await OrdinalsAsync(reader, ids[^1] with { W0 = ulong.MaxValue }));
        Assert.Empty(await OrdinalsAsync(reader, ids[0] with { W1 = 1UL << 32 }));
        Assert.Equal(count, reader.EntryCount);
        int all = 0;
        await foreach ((ulong high, _, _, ushort ordinal) in reader.ReadAllAsync(Token))
        {
            Assert.Equal(ids[ordinal].W0, high);
            all++;
        }

        Assert.Equal(count, all);
    }

    [Theory]
    [InlineData(IndexObject.EntriesPerPage - 4, 10)]
    [InlineData(IndexObject.EntriesPerPage - 1, 2)]
    [InlineData(IndexObject.EntriesPerPage, 3)]
    [InlineData(100, (2 * IndexObject.EntriesPerPage) + 7)]
    [InlineData(0, IndexObject.EntriesPerPage + 1)]
    public async Task EqualEntriesAreAllFoundWhereTheyStraddlePages(int before, int equal)
    {
        var same = new ChunkId(1UL << 40, 7UL << 32, 0, 0);
        ChunkId[] ids =
        [
            .. Enumerable.Range(0, before).Select(i => new ChunkId((ulong)i, 0, 0, 0)),
            .. Enumerable.Repeat(same, equal),
            // Equal in what the fences hold, but not in the four bytes behind.
            same with { W1 = 6UL << 32 },
            same with { W1 = 8UL << 32 },
            new ChunkId(ulong.MaxValue, 0, 0, 0),
        ];
        IndexReader reader = await OpenIndexAsync([Footer(0, ids)]);

        Assert.Equal(Enumerable.Range(before, equal), (await OrdinalsAsync(reader, same)).Order());
        Assert.Equal([ids.Length - 3], await OrdinalsAsync(reader, ids[^3]));
        Assert.Equal([ids.Length - 2], await OrdinalsAsync(reader, ids[^2]));
        Assert.Equal([ids.Length - 1], await OrdinalsAsync(reader, ids[^1]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(100_000)]
    public void TheFilterMissesNothingAndIsSeldomWrong(int count)
    {
        var random = new Random(count);
        ChunkId[] ids = [.. Enumerable.Range(0, count).Select(_ => TestKeys.RandomId(random))];
        using var built = IndexFilter.ForCount(count);
        foreach (ChunkId id in ids) built.Add(id);
        byte[] encoded = new byte[built.EncodedBytes];
        built.Encode(encoded);
        using var filter = IndexFilter.Decode(encoded);

        Assert.All(ids, id => Assert.True(filter.MayContain(id)));
        int wrong = 0;
        for (int i = 0; i < 20_000; i++) wrong += filter.MayContain(TestKeys.RandomId(random)) ? 1 : 0;
        Assert.True(wrong < 20_000 * 0.03, $"{wrong} of 20000 are taken for known");
    }

    [Fact]
    public void TheFilterSetsTheBitsOfTheDocument()
    {
        var id = ChunkId.Decode(TestKeys.Content(32));
        using var filter = IndexFilter.ForCount(1000);
        filter.Add(id);
        byte[] encoded = new byte[filter.EncodedBytes];
        filter.Encode(encoded);

        byte[] expected = new byte[encoded.Length];
        ReadOnlySpan<byte> name = TestKeys.Content(32);
        ulong x = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(name);
        ulong y = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(name[4..]);
        int block = (int)((x * (ulong)(encoded.Length / 64)) >> 32);
        for (int j = 0; j <= 5; j++)
        {
            int bit = (int)(y >> (9 * j)) & 511;
            expected[(block * 64) + (bit / 8)] |= (byte)(1 << (bit % 8));
        }

        Assert.Equal(expected, encoded);
    }

    [Fact]
    public async Task EveryChangedByteIsNoticedAndToldAndHidesNoOtherIndex()
    {
        PackFooter footer = await PutPackAsync(0, [new ChunkId(1, 2, 3, 4), new ChunkId(5, 6, 7, 8)]);
        await PutIndexAsync(0, [footer]);
        string name = IndexObject.Name(Session, 0);
        byte[] content = (await Storage.ObjectStoreExtensions.TryGetAsync(store, name, 1 << 20, Token))!;
        for (int i = 0; i < content.Length; i++)
        {
            byte[] changed = [.. content];
            changed[i] ^= 0x20;
            store.Overwrite(name, changed);
            using var fresh = new VaultIndex(store, sealer, 1 << 20, damages.Add);
            damages.Clear();
            await fresh.RefreshAsync(Token);

            // Not loaded at all, or, where a page is damaged, made up for by the pack's footer.
            ChunkLocation? found = await fresh.FindAsync(new ChunkId(1, 2, 3, 4), ObjectKind.DataPack, Token);
            Assert.True(found is null || found.Value.Footer.Pack == footer.Pack, $"byte {i}");
            Assert.True(damages.Count == 1, $"byte {i}");
            Assert.IsType<DamageException>(damages[0]);
        }

        for (int length = 0; length < content.Length; length += 7)
        {
            store.Overwrite(name, content[..length]);
            using var fresh = new VaultIndex(store, sealer, 1 << 20, damages.Add);
            await fresh.RefreshAsync(Token);
            Assert.Empty(fresh.Readers);
        }
    }

    [Fact]
    public async Task AnEntryWhosePackIsGoneOrDamagedDoesNotCount()
    {
        PackFooter gone = await PutPackAsync(0, [new ChunkId(1, 0, 0, 0)]), broken = await PutPackAsync(1, [new ChunkId(2, 0, 0, 0)]);
        PackFooter whole = await PutPackAsync(2, [new ChunkId(2, 0, 0, 0)]);
        await PutIndexAsync(0, [gone, broken, whole]);
        await store.DeleteAsync(gone.Pack.ObjectName, Token);
        store.Overwrite(broken.Pack.ObjectName, new byte[broken.PackBytes]);
        await index.RefreshAsync(Token);

        Assert.Null(await index.FindAsync(new ChunkId(1, 0, 0, 0), ObjectKind.DataPack, Token));
        Assert.Equal(whole.Pack, (await index.FindAsync(new ChunkId(2, 0, 0, 0), ObjectKind.DataPack, Token))?.Footer.Pack);
        Assert.Equal(2, damages.Count);
    }

    [Fact]
    public async Task IndexObjectsThatComeAndGoAreFollowed()
    {
        PackFooter footer = await PutPackAsync(0, [new ChunkId(1, 0, 0, 0)]);
        await index.RefreshAsync(Token);
        Assert.Empty(index.Readers);
        await PutIndexAsync(0, [footer]);
        await index.RefreshAsync(Token);
        Assert.Single(index.Readers);
        await store.DeleteAsync(IndexObject.Name(Session, 0), Token);
        await index.RefreshAsync(Token);
        Assert.Empty(index.Readers);
    }

    private async Task<PackFooter> PutPackAsync(uint number, ChunkId[] ids)
    {
        using var builder = new PackBuilder(sealer, Compressor.DefaultLevel);
        builder.Begin(new PackId(ObjectKind.DataPack, Session, number));
        foreach (ChunkId id in ids) builder.Add(id, [1]);
        PackFooter footer = builder.Finish(out ReadOnlyMemory<byte> content);
        await store.PutIfAbsentAsync(footer.Pack.ObjectName, content, Token);
        return footer;
    }

    private async Task PutIndexAsync(uint number, IReadOnlyList<PackFooter> footers)
    {
        string name = IndexObject.Name(Session, number);
        await store.PutIfAbsentAsync(name, IndexObject.Build(sealer, name, footers), Token);
    }

    private async Task<IndexReader> OpenIndexAsync(IReadOnlyList<PackFooter> footers)
    {
        await PutIndexAsync(0, footers);
        var entry = (await store.StatAsync(IndexObject.Name(Session, 0), Token))!.Value;
        return (await IndexReader.TryOpenAsync(store, sealer, entry, Token))!;
    }

    private static async Task<List<int>> OrdinalsAsync(IndexReader reader, ChunkId id)
    {
        var found = new List<(PackId Pack, int Ordinal)>();
        await reader.FindAsync(id, found, Token);
        return [.. found.Select(place => place.Ordinal)];
    }

    private static PackFooter Footer(uint number, ChunkId[] ids) => new()
    {
        Pack = new PackId(ObjectKind.DataPack, Session, number),
        WriterId = 1,
        Epoch = 1,
        Cipher = CipherKind.AesGcm,
        KeyId = 0,
        SealedKey = [],
        PackBytes = 1000,
        FooterBytes = 100,
        Groups = [],
        Chunks = [.. ids.Select(id => new PackChunk(id, 0, 0, 1))],
    };
}
