using System.Buffers.Binary;
using System.Globalization;
using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Packing;

public sealed class PackTests : IDisposable
{
    private static readonly SessionId Session = new(0, 0x1234);
    private readonly ObjectSealer sealer = TestKeys.Sealer();
    private readonly MemoryObjectStore store = new();
    private readonly PackBuilder builder;
    private readonly PackReader reader;
    private uint next;

    public PackTests()
    {
        builder = new PackBuilder(sealer, Compressor.DefaultLevel);
        reader = new PackReader(store, sealer);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => builder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ChunksComeBackFromTheirPacks(int seed)
    {
        var random = new Random(seed);
        for (int pack = 0; pack < 3; pack++)
        {
            ObjectKind kind = pack == 1 ? ObjectKind.TreePack : ObjectKind.DataPack;
            List<(ChunkId Id, byte[] Content)> chunks = [];
            for (int i = random.Next(1, 200); i > 0; i--)
            {
                byte[] content = TestKeys.Random(random, random.Next(8) switch { 0 => 0, 1 => 1, 2 => 300_000, _ => random.Next(20_000) });
                if (random.Next(2) == 0) content.AsSpan(0, content.Length * 3 / 4).Fill((byte)i);
                chunks.Add((TestKeys.RandomId(random), content));
            }

            PackFooter written = Build(kind, chunks);
            PackFooter? read = await reader.TryReadFooterAsync(written.Pack, Token);

            Assert.NotNull(read);
            Assert.Equal(written.Groups, read.Groups);
            Assert.Equal(written.Chunks, read.Chunks);
            Assert.Equal(written.PackBytes, read.PackBytes);
            Assert.Equal(written.FooterBytes, read.FooterBytes);
            Assert.Equal(written.SealedKey, read.SealedKey);
            List<byte[]> groups = OpenGroups(read, (await ReadAsync(read.Pack))!);
            for (int i = 0; i < chunks.Count; i++)
            {
                PackChunk chunk = read.Chunks[i];
                Assert.Equal(chunks[i].Id, chunk.Id);
                Assert.True(
                    chunks[i].Content.AsSpan().SequenceEqual(groups[chunk.Group].AsSpan(chunk.Offset, chunk.Length)), $"seed {seed}, chunk {i}");
            }
        }
    }

    [Fact]
    public void SmallChunksShareAGroupAndLargeOnesHaveTheirOwn()
    {
        const int half = PackBuilder.GroupTargetBytes / 2;
        PackFooter footer = Build(ObjectKind.DataPack, Contents(half, half, 1, PackBuilder.GroupTargetBytes, PackFooter.MaxChunkBytes, 1));

        Assert.Equal([2, 1, 1, 1, 1], footer.Groups.Select(group => group.ChunkCount));
        Assert.Equal([0, 2, 3, 4, 5], footer.Groups.Select(group => group.FirstChunk));
    }

    [Fact]
    public void OnlyWhatShrinksIsCompressed()
    {
        PackFooter noise = Build(ObjectKind.DataPack, [(default, TestKeys.Content(100_000))]);
        PackFooter zeros = Build(ObjectKind.DataPack, [(default, new byte[100_000])]);

        Assert.Equal(GroupCoding.Raw, noise.Groups[0].Coding);
        Assert.Equal(100_000 + Aead.TagBytes, noise.Groups[0].SealedBytes);
        Assert.Equal(GroupCoding.Zstd, zeros.Groups[0].Coding);
        Assert.True(zeros.Groups[0].SealedBytes < 200);
    }

    [Fact]
    public void AChunkAboveTheLimitIsRefused()
    {
        builder.Begin(NextPack(ObjectKind.DataPack));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Add(default, new byte[PackFooter.MaxChunkBytes + 1]));
    }

    [Fact]
    public async Task TheFullestPackStaysWithinTheLimits()
    {
        var random = new Random(5);
        builder.Begin(NextPack(ObjectKind.DataPack));
        byte[] small = TestKeys.Content(200);
        for (int i = 0; i < 60_000; i++) builder.Add(TestKeys.RandomId(random), small);
        byte[] content = TestKeys.Content(PackBuilder.TargetBytes);
        while (!builder.IsFull) builder.Add(TestKeys.RandomId(random), content.AsSpan(0, 60_000));
        builder.Add(TestKeys.RandomId(random), content.AsSpan(0, PackFooter.MaxChunkBytes));
        PackFooter footer = builder.Finish(out ReadOnlyMemory<byte> whole);
        await store.PutIfAbsentAsync(footer.Pack.ObjectName, whole, Token);

        PackFooter? read = await reader.TryReadFooterAsync(footer.Pack, Token);

        Assert.InRange(footer.PackBytes, 1, PackFooter.MaxPackBytes);
        Assert.Equal(footer.Chunks, read!.Chunks);
    }

    [Fact]
    public void APackOfTinyChunksIsFullBeforeItHasTooMany()
    {
        builder.Begin(NextPack(ObjectKind.TreePack));
        int count = 0;
        while (!builder.IsFull)
        {
            builder.Add(default, [1]);
            count++;
        }

        Assert.Equal(PackBuilder.TargetChunks, count);
        Assert.Equal(count, builder.Finish(out _).Chunks.Length);
    }

    [Fact]
    public async Task EveryChangedByteIsNoticedByTheFooterOrTheGroup()
    {
        PackFooter footer = Build(ObjectKind.DataPack, Contents(40, 300_000, 50), compressible: true);
        byte[] content = (await ReadAsync(footer.Pack))!;
        const int versionOffset = 8;
        for (int i = 0; i < content.Length; i++)
        {
            byte[] changed = [.. content];
            changed[i] ^= 0x40;
            store.Overwrite(footer.Pack.ObjectName, changed);
            string? noticed = null;
            try
            {
                PackFooter? read = await reader.TryReadFooterAsync(footer.Pack, Token);
                if (TryOpenGroups(read!, changed) is null) noticed = "group";
            }
            catch (HoldfastException error) when (error is DamageException || i == versionOffset)
            {
                noticed = error.Message;
            }

            Assert.True(noticed is not null, $"byte {i} of {content.Length}");
        }
    }

    [Fact]
    public async Task APackThatIsCutOffAnywhereIsDamage()
    {
        PackFooter footer = Build(ObjectKind.TreePack, Contents(40, 100, 50));
        byte[] content = (await ReadAsync(footer.Pack))!;
        for (int length = 0; length < content.Length; length++)
        {
            store.Overwrite(footer.Pack.ObjectName, content[..length]);
            await Assert.ThrowsAsync<DamageException>(() => reader.TryReadFooterAsync(footer.Pack, Token));
        }
    }

    [Fact]
    public async Task APackUnderAnotherNameOrOfAnotherKindIsRefused()
    {
        PackFooter footer = Build(ObjectKind.DataPack, Contents(40));
        byte[] content = (await ReadAsync(footer.Pack))!;
        PackId moved = NextPack(ObjectKind.DataPack), kind = NextPack(ObjectKind.TreePack);
        store.Overwrite(moved.ObjectName, content);
        store.Overwrite(kind.ObjectName, content);

        await Assert.ThrowsAsync<DamageException>(() => reader.TryReadFooterAsync(moved, Token));
        await Assert.ThrowsAsync<DamageException>(() => reader.TryReadFooterAsync(kind, Token));
        Assert.Null(await reader.TryReadFooterAsync(NextPack(ObjectKind.DataPack), Token));
    }

    [Fact]
    public void HostileFootersAreRefusedWithoutRoomBeingMadeForThem()
    {
        const int seed = 23;
        var random = new Random(seed);
        byte[] plain = PlainFooter((100, 84, 3, 2), (200, 184, 1, 1));
        var body = PackBody.Decode(plain, 300, "test");
        Assert.Equal((0, 2, 4), (body.FurtherKeys.Length, body.Groups.Length, body.Chunks.Length));
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
        {
            byte[] hostile = TestKeys.Mutate(random, plain);
            if (i % 10 == 0) BinaryPrimitives.WriteUInt32LittleEndian(hostile.AsSpan(2), (uint)random.NextInt64(uint.MaxValue));
            try
            {
                _ = PackBody.Decode(hostile, i % 2 == 0 ? 300 : random.Next(), "test");
            }
            catch (DamageException)
            {
                // Refused.
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}, round {i}: {error}");
            }
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.True(allocated < 10_000 * 20_000L, $"{allocated / 10_000} bytes a footer");
    }

    [Fact]
    public void GroupsAndChunksMustFillThePackExactly()
    {
        Assert.Throws<DamageException>(() => PackBody.Decode(PlainFooter((100, 84, 3, 2)), 101, "test"));
        Assert.Throws<DamageException>(() => PackBody.Decode(PlainFooter((100, 84, 3, 2)), 99, "test"));
        Assert.Throws<DamageException>(() => PackBody.Decode(PlainFooter((100, 85, 3, 1)), 100, "test"));
        Assert.Throws<DamageException>(() => PackBody.Decode(PlainFooter((100, 84, 3, 0)), 100, "test"));
        Assert.Throws<DamageException>(() => PackBody.Decode([.. PlainFooter((100, 84, 3, 2)), 0], 100, "test"));
        Assert.Throws<DamageException>(() => PackBody.Decode(PlainFooter((100, PackFooter.MaxGroupBytes + 1, 3, 2)), 100, "test"));
    }

    [Theory]
    [InlineData(0, 1, 0, false)]
    [InlineData(0, 0, 1, false)]
    [InlineData(1, 1, 7, true)]
    [InlineData(1, 0, 0, true)]
    [InlineData(1, 0, 7, false)]
    [InlineData(1, 2, 0, false)]
    [InlineData(1, 1, uint.MaxValue, false)]
    [InlineData(2, 1, 0, false)]
    public void AGroupsKeyAndNonceMustBeOnesThatThereAre(ushort keys, ushort key, uint nonce, bool isValid)
    {
        var bytes = new Holdfast.Vault.Bytes.ByteWriter();
        bytes.U16(keys);
        // Two keys are said, and one is there.
        if (keys > 0)
        {
            bytes.U8((byte)CipherKind.AesGcm);
            bytes.Take(PackBody.KeyBytes - 1).Fill(7);
        }

        bytes.U32(1);
        bytes.U32(16);
        bytes.U32(0);
        bytes.U16(0);
        bytes.U8((byte)GroupCoding.Raw);
        bytes.U16(key);
        bytes.U32(nonce);
        if (isValid) Assert.Equal(keys, PackBody.Decode(bytes.Written, 16, "test").FurtherKeys.Length);
        else Assert.Throws<DamageException>(() => PackBody.Decode(bytes.ToArray(), 16, "test"));
    }

    [Fact]
    public void AFurtherKeyOfAnUnknownCipherIsRefused()
    {
        byte[] plain = [1, 0, .. new byte[PackBody.KeyBytes], 0, 0, 0, 0];

        Assert.Throws<DamageException>(() => PackBody.Decode(plain, 0, "test"));
        plain[2] = (byte)CipherKind.ChaCha20Poly1305;
        Assert.Single(PackBody.Decode(plain, 0, "test").FurtherKeys);
    }

    [Fact]
    public void NamesOfPacksAreReadBack()
    {
        var pack = new PackId(ObjectKind.TreePack, Session, 0xABCDEF01);

        Assert.True(PackId.TryParse(pack.ObjectName, out PackId read));
        Assert.Equal(pack, read);
        string[] others =
        [
            "data/", "data/x", pack.ObjectName + "0", pack.ObjectName[..^1], "data/" + new string('g', 32) + "/00000000",
            pack.ObjectName.Replace("trees", "index", StringComparison.Ordinal),
        ];
        Assert.All(others, name => Assert.False(PackId.TryParse(name, out _), name));
    }

    private PackId NextPack(ObjectKind kind) => new(kind, Session, next++);

    private static List<(ChunkId Id, byte[] Content)> Contents(params int[] lengths) =>
        [.. lengths.Select((length, i) => (ChunkId.Decode(TestKeys.Content(64).AsSpan(i)), TestKeys.Content(length)))];

    private PackFooter Build(ObjectKind kind, List<(ChunkId Id, byte[] Content)> chunks, bool compressible = false)
    {
        builder.Begin(NextPack(kind));
        foreach ((ChunkId id, byte[] content) in chunks) builder.Add(id, compressible ? new byte[content.Length] : content);
        PackFooter footer = builder.Finish(out ReadOnlyMemory<byte> whole);
        store.Overwrite(footer.Pack.ObjectName, whole.ToArray());
        return footer;
    }

    private async Task<byte[]?> ReadAsync(PackId pack) =>
        await Storage.ObjectStoreExtensions.TryGetAsync(store, pack.ObjectName, PackFooter.MaxPackBytes, Token);

    private List<byte[]> OpenGroups(PackFooter footer, byte[] content)
    {
        List<byte[]>? groups = TryOpenGroups(footer, content);
        Assert.NotNull(groups);
        return groups;
    }

    private List<byte[]>? TryOpenGroups(PackFooter footer, byte[] content)
    {
        using var ciphers = new PackCiphers(reader, footer);
        using var decompressor = new Decompressor();
        var groups = new List<byte[]>();
        for (int g = 0; g < footer.Groups.Length; g++)
        {
            PackGroup group = footer.Groups[g];
            byte[] raw = new byte[group.RawBytes];
            byte[] sealedBytes = content[group.Offset..(group.Offset + group.SealedBytes)];
            Aead? cipher = ciphers.TryGet(group, out _);
            if (cipher is null || !PackReader.TryOpenGroup(cipher, decompressor, group, sealedBytes, raw)) return null;
            groups.Add(raw);
        }

        return groups;
    }

    /// <summary>A footer of groups that are zstd frames, each filled by chunks of equal length.</summary>
    private static byte[] PlainFooter(params (int SealedBytes, int RawBytes, ushort Chunks, int Coding)[] groups)
    {
        var bytes = new Holdfast.Vault.Bytes.ByteWriter();
        bytes.U16(0);
        bytes.U32((uint)groups.Length);
        for (int i = 0; i < groups.Length; i++)
        {
            bytes.U32((uint)groups[i].SealedBytes);
            bytes.U32((uint)groups[i].RawBytes);
            bytes.U16(groups[i].Chunks);
            bytes.U8((byte)groups[i].Coding);
            bytes.U16(0);
            bytes.U32((uint)i);
        }

        foreach ((_, int rawBytes, ushort chunks, _) in groups)
        {
            for (int i = 0; i < chunks; i++)
            {
                bytes.Bytes(System.Text.Encoding.ASCII.GetBytes(i.ToString("d32", CultureInfo.InvariantCulture)));
                bytes.U32((uint)(rawBytes / chunks));
            }
        }

        return bytes.ToArray();
    }
}
