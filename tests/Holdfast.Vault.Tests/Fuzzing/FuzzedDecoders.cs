using System.Buffers.Binary;
using Holdfast.Files;
using Holdfast.Files.Selection;
using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Checking;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Exporting;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Hostile;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;
using TreeEntry = Holdfast.Vault.Trees.TreeEntry;

namespace Holdfast.Vault.Tests.Fuzzing;

/// <summary>A decoder, and what it reads.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Samples">Valid encodings.</param>
/// <param name="DecodeAsync">Reads one to its end, or throws; waits for nothing.</param>
internal sealed record FuzzedDecoder(string Name, Func<byte[][]> Samples, Func<byte[], ValueTask> DecodeAsync)
{
    /// <summary>Puts right a checksum, so that what is behind it is reached.</summary>
    public Action<byte[]>? Mend { get; init; }

    /// <summary>Memory that is allowed for each byte that is read; entries of directories need the most.</summary>
    public int BytesPerByte { get; init; } = 64;

    /// <summary>Memory that is allowed whatever is read: errors with their stacks, seals.</summary>
    public long SpareBytes { get; init; } = 128 << 10;
}

/// <summary>All decoders of bytes that come from a store or a file.</summary>
internal static class FuzzedDecoders
{
    private static readonly SessionId Session = new(0, 0xABCD);
    private static readonly KeyRing Ring = TestKeys.Ring();
    private static readonly string IndexName = IndexObject.Name(Session, 0);
    private static readonly PackId Pack = new(ObjectKind.DataPack, Session, 0);

    public static IReadOnlyList<FuzzedDecoder> All { get; } =
    [
        new("descriptor", () => [VaultDescriptor.Encode(TestKeys.Content(16))], DecodeDescriptorAsync) { Mend = MendDescriptor },
        new("object header", () => [Header()], Sync(bytes => ObjectHeader.Decode(bytes, ObjectKind.Point, "test"))),
        new("sealed point", SealedPoints, Sync(bytes => TestKeys.Sealer().Open(ObjectKind.Point, PointCodec.Name(Session), bytes))),
        new("point", Points, Sync(bytes => PointCodec.Decode(bytes, Session, default, byAdmin: true))),
        new("references", References, Sync(bytes => Use(ReferenceSet.Decode(bytes, "test")))) { BytesPerByte = 128 },
        new("mark", () => [Mark()], Sync(bytes => PointMark.Decode(bytes, "test"))),
        new("removal", RemovalSamples.All, Sync(bytes => RemovalSamples.Use(bytes))) { BytesPerByte = 256 },
        new("lease", () => [new LeaseRecord(DateTimeOffset.UnixEpoch, "here", 1, 2).Encode()], Sync(bytes => LeaseRecord.Decode(bytes, "test"))),
        new("settings", () => [new VaultSettings { UndeleteWindow = TimeSpan.FromDays(1) }.Encode()], Sync(bytes => VaultSettings.Decode(bytes, "test"))),
        new("damage record", () => [DamageRecord.Encode([(Pack, 0), (Pack, 7), (Pack with { Number = 3 }, 1)])], Sync(DecodeDamage)) { BytesPerByte = 256 },
        new("verified record", () => [Verified()], Sync(DecodeVerified)),
        new("pack end", () => [End()], Sync(bytes => PackFooter.DecodeEnd(bytes, PackFooter.EndMagic, 1000, "test"))) { Mend = MendEnd },
        new("pack footer", () => [Footer()], Sync(bytes => PackBody.Decode(bytes, 300, "test"))),
        new("sealed pack", () => [NewPack()], DecodePackAsync) { SpareBytes = (8 << 20) + (512 << 10) },
        new("group", Groups, DecodeGroupAsync) { SpareBytes = 4 << 20 },
        new("sealed index", () => [Index(IndexRoot())], DecodeIndexAsync) { SpareBytes = 512 << 10 },
        new("index root and filter", () => [IndexRoot()], bytes => DecodeIndexAsync(Index(bytes))) { SpareBytes = 512 << 10 },
        new("index pages", () => [IndexPage()], bytes => DecodeIndexAsync(Index(IndexRoot(), bytes))) { SpareBytes = 512 << 10 },
        new("key slot", () => [Slot()], Sync(bytes => KeySlot.ThrowIfMalformed(bytes, "0123456789abcdef"))),
        new("key ring", () => [Ring.Encode()], Sync(bytes => KeyRing.Decode(bytes, "test"))) { SpareBytes = 1 << 20 },
        new("writer statement", Statements, Sync(bytes => WriterStatement.Decode(bytes, StatementName))) { BytesPerByte = 128 },
        new("epoch delivery", () => [Delivery().Encode()], Sync(bytes => EpochDelivery.Decode(bytes, EpochDelivery.Name(2)))),
        new("delivered keys", () => [Boxed()], Sync(bytes => OpenDelivery(bytes))) { SpareBytes = 256 << 10 },
        new("directory", Directories, Sync(bytes => DirectoryCodec.Decode(bytes, "test", isPointRoot: false))),
        new("root directory", () => [VaultForge.Encode(VaultForge.Entry("/", NodeKind.Directory), VaultForge.Entry("/a/b", NodeKind.Directory))],
            Sync(bytes => DirectoryCodec.Decode(bytes, "test", isPointRoot: true))),
        new("chunk list", ChunkLists, Sync(bytes => TreeReader.DecodeList(bytes, "test"))),
        new("change list", () => [ChangeList()], Sync(bytes => TreeChange.DecodeList(bytes, "test"))),
        new("export records", () => [ExportSamples.Records()], Sync(bytes => ExportCodec.Decode(bytes, "test"))),
        new("export frames", () => [ExportSamples.Frames()], ExportSamples.DecodeFramesAsync) { SpareBytes = 80L << 20 },
        new("export header", () => [ExportSamples.Header()], ExportSamples.DecodeHeaderAsync) { SpareBytes = 256 << 10 },
        new("pattern", Patterns, Sync(UsePattern)),
        new("names of objects", Names, Sync(UseName)),
    ];

    private static Func<byte[], ValueTask> Sync<T>(Func<byte[], T> decode) => bytes =>
    {
        _ = decode(bytes);
        return ValueTask.CompletedTask;
    };

    private static byte[] Header()
    {
        byte[] header = new byte[ObjectHeader.Size];
        TestKeys.Sealer().NewHeader(ObjectKind.Point).Encode(header);
        return header;
    }

    private static async ValueTask DecodeDescriptorAsync(byte[] bytes)
    {
        var store = new MemoryObjectStore();
        store.Overwrite(VaultDescriptor.Name, bytes);
        await VaultDescriptor.ReadIdAsync(store, CancellationToken.None);
    }

    private static void MendDescriptor(byte[] bytes)
    {
        if (bytes.Length >= 32) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(28), Crc32C.Compute(bytes.AsSpan(0, 28)));
    }

    private static byte[] End()
    {
        byte[] end = new byte[PackFooter.EndBytes];
        PackFooter.EncodeEnd(end, 600, PackFooter.EndMagic);
        return end;
    }

    private static void MendEnd(byte[] bytes)
    {
        if (bytes.Length >= 8) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Crc32C.Compute(bytes.AsSpan(0, 4)));
    }

    private static byte[][] Points()
    {
        var point = new RestorePoint
        {
            Id = Session,
            Time = SimulatedClock.DefaultStart,
            Received = default,
            EffectiveTime = default,
            Kind = PointKind.Incremental,
            Base = new SessionId(0, 7),
            Host = "here",
            Roots = ["/a"u8.ToArray(), "/b"u8.ToArray()],
            Tags = ["one", "two"],
            Program = "test",
            Counts = new BackupCounts { Files = 3, Bytes = long.MaxValue },
            Tree = new Content(1, [ContentItem.Chunk(Id(1), 500)]),
            Changes = new Content(0, [ContentItem.Chunk(Id(2), 5)]),
        };
        return
        [
            PointCodec.Encode(point), PointCodec.Encode(point with { Roots = [], Tags = [], Base = null, Changes = Content.Empty }),
            PointCodec.Encode(point with { Origin = new PointOrigin(new string('a', 32), new SessionId(0, 9)) }),
        ];
    }

    private static int DecodeDamage(byte[] bytes)
    {
        var groups = new HashSet<(PackId Pack, int Group)>();
        DamageRecord.Decode(bytes, "test", groups);
        return groups.Count;
    }

    private static int DecodeVerified(byte[] bytes)
    {
        int found = 0;
        VerifiedRecord.Decode(bytes, "test", [Pack, Pack with { Number = 3 }], (_, _) => found++);
        return found;
    }

    private static byte[] Verified() =>
        new VerifiedRecord([(60, [Pack, Pack with { Number = 1 }, Pack with { Number = 3 }]), (7200, [new PackId(ObjectKind.TreePack, Session, 9)])]).Encode();

    private static byte[] Mark() => new PointMark(
        MarkKind.Hold, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1), "audit", [Session, new(1, 0xABCD)]).Encode();

    private static byte[][] SealedPoints() =>
        [.. Points().Select(point => TestKeys.Sealer().Seal(ObjectKind.Point, PointCodec.Name(Session), point))];

    private static byte[][] References()
    {
        var some = new ReferenceSet();
        some.AddAll(new PackId(ObjectKind.DataPack, Session, 1), 65_535);
        some.Add(new PackId(ObjectKind.DataPack, Session, 2), 1000, 999);
        some.Add(new PackId(ObjectKind.TreePack, Session, 0), 3, 1);
        return [some.Encode(), new ReferenceSet().Encode()];
    }

    /// <summary>What is read is also asked.</summary>
    private static int Use(ReferenceSet references)
    {
        int found = 0;
        foreach (PackId pack in references.Packs)
        {
            found += references.ChunkCountOf(pack);
            if (references.Contains(pack, 65_534)) found++;
        }

        return references.ContainsAll(references) ? found : throw new InvalidOperationException("a set that does not hold itself");
    }

    private static byte[] Footer()
    {
        var footer = new ByteWriter();
        footer.U16(1);
        footer.U8((byte)CipherKind.AesGcm);
        footer.U32(1);
        footer.U64(2);
        footer.U64(3);
        footer.Take(PackFooter.SealedKeyBytes).Fill(4);
        footer.U32(2);
        foreach ((uint sealedBytes, uint raw, ushort chunks, ushort key, uint nonce) in ((uint, uint, ushort, ushort, uint)[])[(100, 84, 3, 0, 0), (200, 184, 1, 1, 9)])
        {
            footer.U32(sealedBytes);
            footer.U32(raw);
            footer.U16(chunks);
            footer.U8((byte)GroupCoding.Zstd);
            footer.U16(key);
            footer.U32(nonce);
        }

        foreach (uint length in (uint[])[28, 28, 28, 184])
        {
            Id(length).Encode(footer.Take(ChunkId.Size));
            footer.U32(length);
        }

        return footer.ToArray();
    }

    private static byte[] NewPack()
    {
        var forge = new VaultForge(new MemoryObjectStore(), Ring);
        byte[] content = TestKeys.Content(500);
        forge.PutPack(Pack,
        [
            new ForgedGroup(content, 500, (byte)GroupCoding.Raw, [(Id(1), 100), (Id(2), 400)]),
            new ForgedGroup(VaultForge.Compress(new byte[1000]), 1000, (byte)GroupCoding.Zstd, [(Id(3), 1000)]),
        ]);
        return ReadWhole(forge.Store, Pack.ObjectName);
    }

    private static async ValueTask DecodePackAsync(byte[] bytes)
    {
        var store = new MemoryObjectStore();
        store.Overwrite(Pack.ObjectName, bytes);
        var reader = new PackReader(store, TestKeys.Sealer());
        if (await reader.TryReadFooterAsync(Pack, CancellationToken.None) is not { } footer) return;
        using var ciphers = new PackCiphers(reader, footer);
        using var decompressor = new Decompressor();
        for (int i = 0; i < footer.Groups.Length; i++)
        {
            PackGroup group = footer.Groups[i];
            byte[] sealedBytes = new byte[group.SealedBytes];
            await reader.ReadSealedAsync(footer, group.Offset, sealedBytes, CancellationToken.None);
            Aead? cipher = ciphers.TryGet(group, out DamageException? damage);
            if (cipher is null) throw damage!;
            if (!PackReader.TryOpenGroup(cipher, decompressor, group, sealedBytes, new byte[group.RawBytes])) throw PackReader.BrokenGroup(footer, i);
        }
    }

    private static byte[][] Groups() =>
        [VaultForge.Compress(TestKeys.Content(3000)), VaultForge.Compress(new byte[1 << 20]), VaultForge.Compress("x"u8)];

    /// <summary>A frame for each of the lengths that the samples have: what a footer says cannot make it write beyond.</summary>
    private static ValueTask DecodeGroupAsync(byte[] bytes)
    {
        using var decompressor = new Decompressor();
        bool isOne = false;
        foreach (int length in (int[])[0, 1, 3000, 1 << 20]) isOne |= decompressor.TryDecompress(bytes, new byte[length]);
        return isOne ? ValueTask.CompletedTask : throw new DamageException("group", "does not decompress");
    }

    private static byte[] IndexRoot()
    {
        var root = new ByteWriter();
        root.U32(3);
        root.U32(2);
        foreach ((uint number, uint chunks) in ((uint, uint)[])[(0, 1), (1, 2)])
        {
            root.U8((byte)ObjectKind.DataPack);
            Session.Encode(root.Take(SessionId.Size));
            foreach (uint value in (uint[])[number, 5000, 500, chunks]) root.U32(value);
        }

        BinaryPrimitives.WriteUInt64BigEndian(root.Take(8), Id(1).W0);
        root.U32(1);
        root.Take(64).Fill(0xFF);
        return root.ToArray();
    }

    private static byte[] IndexPage()
    {
        var page = new ByteWriter();
        foreach ((uint id, uint pack, ushort ordinal) in ((uint, uint, ushort)[])[(1, 0, 0), (2, 1, 0), (3, 1, 1)])
        {
            BinaryPrimitives.WriteUInt64BigEndian(page.Take(8), Id(id).W0);
            BinaryPrimitives.WriteUInt32BigEndian(page.Take(4), (uint)(Id(id).W1 >> 32));
            page.U32(pack);
            page.U16(ordinal);
        }

        return page.ToArray();
    }

    private static byte[] Index(byte[] root) => Index(root, IndexPage());

    private static byte[] Index(byte[] root, byte[] page) => new VaultForge(new MemoryObjectStore(), Ring).Index(IndexName, root, page);

    private static async ValueTask DecodeIndexAsync(byte[] bytes)
    {
        var store = new MemoryObjectStore();
        store.Overwrite(IndexName, bytes);
        var entry = new Storage.ObjectEntry(IndexName, bytes.Length, default);
        if (await IndexReader.TryOpenAsync(store, TestKeys.Sealer(), entry, CancellationToken.None) is not { } reader) return;
        foreach (uint id in (uint[])[0, 1, 2, 3, uint.MaxValue])
        {
            if (reader.MayContain(Id(id))) await reader.FindAsync(Id(id), [], CancellationToken.None);
        }

        await foreach (var _ in reader.ReadAllAsync(CancellationToken.None))
        {
        }
    }

    private static byte[] Slot()
    {
        byte[] slot = new byte[400];
        "HFKEYSLT"u8.CopyTo(slot);
        slot[8] = 1;
        PasswordKey.Encode(slot.AsSpan(12), PasswordKey.DefaultPasses, new SimulatedEntropy(1));
        return slot;
    }

    private static string StatementName => $"{WriterStatement.Prefix}{WriterStatement.IdText(TestKeys.Sealer().WriterId)}-0123456789abcdef";

    private static byte[][] Statements() =>
    [
        WriterCertificate.Of(Ring, "0123456789abcdef").Encode(),
        new WriterRevocation(TestKeys.Sealer().WriterId, 1_000_000, 3, 4, [Session, new(1, 0xABCD)]).Encode(),
    ];

    private static EpochDelivery Delivery()
    {
        var delivery = new EpochDelivery(2);
        delivery.Add(TestKeys.Sealer().WriterId, Libsodium.BoxPublicKey(Ring.ReceivingPrivateKey()), KeyEpoch.Create(2, new SimulatedEntropy(2)));
        delivery.Add(7, Libsodium.BoxPublicKey(TestKeys.Content(32)), KeyEpoch.Create(2, new SimulatedEntropy(2)));
        return delivery;
    }

    private static byte[] Boxed()
    {
        var writer = new ByteWriter();
        KeyEpoch.Create(2, new SimulatedEntropy(2)).For(KeyRole.List).Encode(writer);
        return writer.ToArray();
    }

    /// <summary>What an admin seals to us may be anything.</summary>
    private static KeyEpoch OpenDelivery(byte[] content)
    {
        byte[] box = new byte[content.Length + Libsodium.SealOverheadBytes];
        Libsodium.BoxSeal(content, Libsodium.BoxPublicKey(Ring.ReceivingPrivateKey()), box);
        var body = new ByteWriter();
        body.U32(2);
        body.Varint(1);
        body.U64(TestKeys.Sealer().WriterId);
        body.ByteString(box);
        string name = EpochDelivery.Name(2);
        return EpochDelivery.Decode(body.Written, name).TryOpen(Ring, TestKeys.Sealer().WriterId, name)!;
    }

    private static byte[][] Directories()
    {
        var writer = new ByteWriter();
        TreeEntry file = VaultForge.File("b", ContentItem.Chunk(Id(1), 300), ContentItem.Hole(1 << 20), new ContentItem(ContentItemKind.Run, Id(2), 5, 9));
        file.Xattrs = [new Xattr("user.k"u8.ToArray(), "v"u8.ToArray())];
        file.UserName = "root"u8.ToArray();
        TreeEntry device = VaultForge.Entry("c", NodeKind.BlockDevice);
        DirectoryCodec.Encode(writer, [VaultForge.Entry("a", NodeKind.Symlink, target: "x"), file, device, VaultForge.Entry("d", NodeKind.Directory)]);
        byte[] many = VaultForge.Encode([.. Enumerable.Range(0, 200).Select(i => VaultForge.Entry($"n{i:d3}", NodeKind.Fifo))]);
        return [writer.ToArray(), many];
    }

    private static byte[][] ChunkLists()
    {
        return [ListOf(new Content(0, [.. Enumerable.Range(1, 300).Select(i => ContentItem.Chunk(Id((uint)i), i))])), ListOf(new Content(3, [ContentItem.Chunk(Id(9), 9)]))];

        static byte[] ListOf(Content content)
        {
            var writer = new ByteWriter();
            writer.U8((byte)TreeChunkKind.ChunkList);
            content.Encode(writer);
            return writer.ToArray();
        }
    }

    private static byte[] ChangeList()
    {
        var writer = new ByteWriter();
        writer.U8((byte)TreeChunkKind.ChangeList);
        TreeChange.Encode(writer, ChangeKind.Added, "a/b"u8);
        TreeChange.Encode(writer, ChangeKind.Deleted, "c"u8);
        return writer.ToArray();
    }

    private static byte[][] Patterns() =>
        ["*.txt"u8.ToArray(), "/a/**/b?[c-e]"u8.ToArray(), "**/*a*a*a*a*a*/b/"u8.ToArray(), "\\!x[!a]"u8.ToArray()];

    private static int UsePattern(byte[] bytes)
    {
        PathPattern pattern = PathPattern.Parse(bytes, ignoreCase: true);
        int matches = 0;
        foreach (byte[] path in (byte[][])["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"u8.ToArray(), "a/b/c/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/b"u8.ToArray(), "x.txt"u8.ToArray(), bytes])
        {
            if (path.Length > 0 && pattern.Matches(path, isDirectory: true)) matches++;
            if (pattern.MayMatchBelow(path)) matches++;
        }

        return matches;
    }

    private static byte[][] Names() =>
        [.. ((string[])[Pack.ObjectName, IndexName, PointCodec.Name(Session), ReferenceSet.Name(Session)]).Select(System.Text.Encoding.Latin1.GetBytes)];

    private static int UseName(byte[] bytes)
    {
        string name = System.Text.Encoding.Latin1.GetString(bytes);
        bool isPack = PackId.TryParse(name, out PackId pack);
        // One name for one pack: else the same could be listed twice.
        if (isPack && pack.ObjectName != name) throw new InvalidOperationException($"{name} was read as {pack}");
        if (name.Length > 32 && SessionId.TryParse(name.AsSpan(name.Length - 32), out SessionId id) && !name.EndsWith(id.ToString(), StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"{name} was read as {id}");
        }

        return isPack || name.Contains(Session.ToString(), StringComparison.Ordinal) ? 1 : throw new DamageException(name, "is no name of an object");
    }

    private static ChunkId Id(uint number) => new((ulong)number << 40, number, 3, 4);

    private static byte[] ReadWhole(MemoryObjectStore store, string name)
    {
        byte[] content = new byte[1 << 20];
        int read = store.ReadAsync(name, 0, content, CancellationToken.None).AsTask().GetAwaiter().GetResult() ?? 0;
        return content[..read];
    }
}
