using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Indexing;

public sealed class IndexMergerTests : IDisposable
{
    private static readonly SessionId Session = new(0, 0x61);
    private readonly MemoryObjectStore store = new();
    private readonly OpenVault vault;
    private readonly List<IndexReader> opened = [];
    private uint nextIndex;
    private uint nextPack;

    public IndexMergerTests() => vault = OpenVault.Open(
        new Holdfast.Log.Host(new SimulatedDisk(1), new SimulatedClock(), new SimulatedEntropy(1)), store, new byte[16], "0123456789abcdef", TestKeys.Ring(),
        OpenVault.DefaultCacheBytes);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (IndexReader reader in opened) reader.Dispose();
        vault.Dispose();
    }

    /// <summary>Random index objects, merged again and again with what others made, against a table of what there should be.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public async Task MergedObjectsListAllThatTheOthersListedLessWhatIsRemoved(int seed)
    {
        var random = new Random(seed);
        var packs = new Dictionary<PackId, PackFooter>();
        var current = new List<IndexReader>();
        for (int round = 0; round < 6; round++)
        {
            for (int n = random.Next(1, 5); n > 0; n--)
            {
                List<PackFooter> listed = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => Pack(random))];
                // Some packs are listed twice.
                if (packs.Count > 0 && random.Next(2) == 0) listed.Add(packs.Values.ElementAt(random.Next(packs.Count)));
                foreach (PackFooter pack in listed) packs[pack.Pack] = pack;
                current.Add(await OpenAsync(await PutAsync(listed)));
            }

            HashSet<PackId> removed = [.. packs.Keys.Where(_ => random.Next(4) == 0), new PackId(ObjectKind.DataPack, Session, uint.MaxValue)];
            foreach (PackId pack in removed) packs.Remove(pack);
            var merger = new IndexMerger(vault, new SessionId((ulong)round + 1, 9), firstNumber: 3);
            List<string> names = await merger.MergeAsync(current, removed, Token);
            Assert.Equal(packs.Count == 0 ? [] : [IndexObject.Name(new SessionId((ulong)round + 1, 9), 3)], names);
            current = [];
            foreach (string name in names) current.Add(await OpenAsync(name));

            await AssertListsAsync(current, packs, $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public async Task WhatIsMoreThanOneObjectHoldsGoesToSeveral()
    {
        var random = new Random(5);
        var packs = new Dictionary<PackId, PackFooter>();
        var inputs = new List<IndexReader>();
        for (int i = 0; i < 3; i++)
        {
            PackFooter[] listed = [.. Enumerable.Range(0, 8).Select(_ => Pack(random, PackFooter.MaxChunks))];
            foreach (PackFooter pack in listed) packs.Add(pack.Pack, pack);
            inputs.Add(await OpenAsync(await PutAsync(listed)));
        }

        List<string> names = await new IndexMerger(vault, new SessionId(1, 1)).MergeAsync(inputs, new HashSet<PackId>(), Token);

        Assert.Equal([IndexObject.Name(new SessionId(1, 1), 0), IndexObject.Name(new SessionId(1, 1), 1)], names);
        List<IndexReader> merged = [await OpenAsync(names[0]), await OpenAsync(names[1])];
        Assert.All(merged, reader => Assert.InRange(reader.EntryCount, 1, IndexObject.TargetChunks));
        await AssertListsAsync(merged, packs, "large");
    }

    [Fact]
    public async Task DamageOfAnObjectIsToldAndNothingIsPut()
    {
        var random = new Random(6);
        string whole = await PutAsync([Pack(random)]), broken = await PutAsync([Pack(random, 2000)]), gone = await PutAsync([Pack(random)]);
        IndexReader[] readers = [await OpenAsync(whole), await OpenAsync(broken), await OpenAsync(gone)];
        await store.DeleteAsync(gone, Token);
        byte[] content = (await Storage.ObjectStoreExtensions.TryGetAsync(store, broken, 1 << 20, Token))!;
        content[5000] ^= 1;
        store.Overwrite(broken, content);
        int objects = store.Names.Length;

        foreach (IndexReader bad in readers[1..])
        {
            DamageException damage = await Assert.ThrowsAsync<DamageException>(
                () => new IndexMerger(vault, new SessionId(1, 1)).MergeAsync([readers[0], bad], new HashSet<PackId>(), Token));
            Assert.Equal((bad.Name, bad.Name == gone), (damage.Thing, damage.IsMissing));
        }

        Assert.Equal(objects, store.Names.Length);
    }

    [Fact]
    public async Task WithNothingLeftNothingIsWritten()
    {
        PackFooter pack = Pack(new Random(7));
        IndexReader reader = await OpenAsync(await PutAsync([pack]));

        Assert.Empty(await new IndexMerger(vault, new SessionId(1, 1)).MergeAsync([reader], new HashSet<PackId> { pack.Pack }, Token));
    }

    private async Task AssertListsAsync(List<IndexReader> readers, Dictionary<PackId, PackFooter> packs, string what)
    {
        Assert.Equal(packs.Values.Select(IndexedPack.Of).OrderBy(pack => pack.Id), readers.SelectMany(reader => reader.Packs).OrderBy(pack => pack.Id));
        var expected = packs.Values.SelectMany(pack => pack.Chunks.Select((chunk, ordinal) => (chunk.Id.W0, (uint)(chunk.Id.W1 >> 32), pack.Pack, ordinal))).ToHashSet();
        foreach (IndexReader reader in readers)
        {
            await foreach ((ulong high, uint low, uint place, ushort ordinal) in reader.ReadAllAsync(Token))
            {
                PackId pack = reader.Packs[(int)place].Id;
                Assert.True(expected.Remove((high, low, pack, ordinal)), $"{what}: an entry that should not be there, or is twice");
                Assert.True(reader.MayContain(new ChunkId(high, (ulong)low << 32, 0, 0)), $"{what}: the filter denies an entry");
            }
        }

        Assert.True(expected.Count == 0, $"{what}: {expected.Count} entries are missing");
    }

    private PackFooter Pack(Random random, int? chunks = null)
    {
        var ids = new PackChunk[chunks ?? random.Next(0, 700)];
        for (int i = 0; i < ids.Length; i++) ids[i] = new PackChunk(TestKeys.RandomId(random), 0, 0, 1);
        return new PackFooter
        {
            Pack = new PackId(random.Next(2) == 0 ? ObjectKind.DataPack : ObjectKind.TreePack, Session, nextPack++),
            WriterId = 1,
            Epoch = 1,
            Cipher = CipherKind.AesGcm,
            KeyId = 0,
            SealedKey = [],
            PackBytes = 1000,
            FooterBytes = 100,
            Groups = [],
            Chunks = ids,
        };
    }

    private async Task<string> PutAsync(IReadOnlyList<PackFooter> packs)
    {
        string name = IndexObject.Name(Session, nextIndex++);
        await store.PutIfAbsentAsync(name, IndexObject.Build(vault.Sealer, name, packs), Token);
        return name;
    }

    private async Task<IndexReader> OpenAsync(string name)
    {
        IndexReader reader = (await IndexReader.TryOpenAsync(store, vault.Sealer, (await store.StatAsync(name, Token))!.Value, Token))!;
        opened.Add(reader);
        return reader;
    }
}
