using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Packing;

/// <summary>Packs of known content in a store, and ways to move and read them.</summary>
internal sealed class MoveWorld : IDisposable
{
    private static readonly SessionId Session = new(0, 0x51);
    private readonly ChunkIdentity identity;
    private readonly PackBuilder builder;
    private readonly PackReader reader;
    private readonly Decompressor decompressor = new();
    private ulong movers;
    private uint next;

    public MoveWorld()
    {
        Sealer = new ObjectSealer(Ring, new SimulatedEntropy(77));
        identity = Ring.Current.DataIdentity();
        builder = new PackBuilder(Sealer, Compressor.DefaultLevel);
        reader = new PackReader(Store, Sealer);
    }

    /// <summary>Opens everything.</summary>
    public KeyRing Ring { get; } = TestKeys.Ring();

    public ObjectSealer Sealer { get; }

    public MemoryObjectStore Store { get; } = new();

    /// <summary>What there is, by its id.</summary>
    public Dictionary<ChunkId, byte[]> Contents { get; } = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The same writer's ring with nothing but the key of the index.</summary>
    public static KeyRing PruneRing(KeyRing ring) => new()
    {
        Role = KeyRole.Prune,
        CreatedSeconds = 0,
        Label = "prune",
        Epochs = [new KeyEpoch { Number = ring.Current.Number, Index = ring.Current.Index }],
        WriterSeed = ring.WriterSeed,
        AdminPublicKey = ring.AdminPublicKey,
    };

    public void Dispose()
    {
        builder.Dispose();
        decompressor.Dispose();
    }

    /// <summary>A pack of chunks of these lengths.</summary>
    public PackFooter Put(ObjectKind kind, Random random, IEnumerable<int> lengths)
    {
        builder.Begin(new PackId(kind, Session, next++));
        foreach (int length in lengths)
        {
            byte[] content = TestKeys.Random(random, length);
            if (random.Next(2) == 0) content.AsSpan(0, length * 3 / 4).Fill((byte)length);
            ChunkId id = identity.Of(content);
            Contents[id] = content;
            builder.Add(id, content);
        }

        PackFooter footer = builder.Finish(out ReadOnlyMemory<byte> whole);
        Store.Overwrite(footer.Pack.ObjectName, whole.ToArray());
        return footer;
    }

    public PackMover Mover(ObjectSealer? with = null, IObjectStore? store = null) =>
        new(store ?? Store, with ?? Sealer, new SessionId(1, ++movers), with is null ? identity : null, with is null ? identity : null);

    /// <summary>Moves with all keys.</summary>
    public async Task<MovedChunks> MoveAsync(params (PackFooter Source, ulong[] Live)[] packs)
    {
        using PackMover mover = Mover();
        return await mover.MoveAsync(packs, null, Token);
    }

    /// <summary>Asserts that everything is where it is said to be, and what it was.</summary>
    public async Task AssertMovedAsync(MovedChunks moved, string what, params (PackFooter Source, ulong[] Live)[] packs)
    {
        Assert.Empty(moved.Unmoved);
        Assert.Equal(packs.Select(pack => pack.Source.Pack).Order(), moved.Moved.Select(pack => pack.Source));
        foreach ((PackFooter source, ulong[] live) in packs)
        {
            Dictionary<int, (PackId Pack, int Ordinal)> places = PlacesOf(moved.Moved.Single(pack => pack.Source == source.Pack));
            for (int i = 0; i < source.Chunks.Length; i++)
            {
                if (!places.TryGetValue(i, out (PackId Pack, int Ordinal) place))
                {
                    Assert.False(Has(live, i), $"{what}: {source.Pack}, chunk {i} was left behind");
                    continue;
                }

                PackFooter footer = moved.NewPacks.Single(pack => pack.Pack == place.Pack);
                Assert.True(footer.Chunks[place.Ordinal].Id == source.Chunks[i].Id, $"{what}: {source.Pack}, chunk {i} is another");
            }
        }

        foreach (PackFooter footer in moved.NewPacks) await AssertReadableAsync(footer, what);
    }

    /// <summary>Asserts that a pack is in the store as its footer says, and opens.</summary>
    public async Task AssertReadableAsync(PackFooter footer, string what)
    {
        PackFooter? read = await reader.TryReadFooterAsync(footer.Pack, Token);
        Assert.NotNull(read);
        Assert.Equal(footer.Groups, read.Groups);
        Assert.Equal(footer.Chunks, read.Chunks);
        Assert.Equal(footer.FurtherKeys, read.FurtherKeys);
        Assert.Equal((footer.PackBytes, footer.FooterBytes, footer.WriterId), (read.PackBytes, read.FooterBytes, read.WriterId));
        using var ciphers = new PackCiphers(reader, read);
        foreach (PackGroup group in read.Groups)
        {
            byte[] raw = new byte[group.RawBytes];
            Aead? cipher = ciphers.TryGet(group, out DamageException? damage);
            Assert.True(cipher is not null, damage?.Message);
            Assert.True(PackReader.TryOpenGroup(cipher, decompressor, group, await SealedAsync(read, group), raw), $"{what}: {read.Pack}: a group does not open");
            foreach (PackChunk chunk in read.Chunks.AsSpan(group.FirstChunk, group.ChunkCount))
            {
                Assert.True(raw.AsSpan(chunk.Offset, chunk.Length).SequenceEqual(Contents[chunk.Id]), $"{what}: {read.Pack}: a chunk is not what it was");
            }
        }
    }

    public async Task<byte[]> SealedAsync(PackFooter footer, PackGroup group)
    {
        byte[] bytes = new byte[group.SealedBytes];
        await reader.ReadSealedAsync(footer, group.Offset, bytes, Token);
        return bytes;
    }

    public static Dictionary<int, (PackId Pack, int Ordinal)> PlacesOf(MovedPack moved)
    {
        var places = new Dictionary<int, (PackId Pack, int Ordinal)>();
        (PackId Pack, int Ordinal)[] run = [.. moved.Runs.SelectMany(run => Enumerable.Range(run.First, run.Count).Select(ordinal => (run.Pack, ordinal)))];
        for (int i = 0; i < moved.ChunkCount; i++)
        {
            if (Has(moved.Moved, i)) places.Add(i, run[places.Count]);
        }

        Assert.Equal(run.Length, places.Count);
        return places;
    }

    public static ulong[] Bits(PackFooter footer, Func<int, bool> isLive)
    {
        ulong[] bits = new ulong[(footer.Chunks.Length + 63) / 64];
        for (int i = 0; i < footer.Chunks.Length; i++)
        {
            if (isLive(i)) bits[i / 64] |= 1UL << (i % 64);
        }

        return bits;
    }

    public static ulong[] All(PackFooter footer) => Bits(footer, static _ => true);

    public static bool Has(ulong[] bits, int ordinal) => (bits[ordinal / 64] & (1UL << (ordinal % 64))) != 0;
}
