using System.Buffers.Binary;
using System.Text;
using Holdfast.Files;
using Holdfast.Testing;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using TreeEntry = Holdfast.Vault.Trees.TreeEntry;

namespace Holdfast.Vault.Tests.Hostile;

/// <summary>A group of a forged pack: what is stored, and what the footer says of it.</summary>
internal sealed record ForgedGroup(byte[] Stored, long RawBytes, byte Coding, (ChunkId Id, long Length)[] Chunks);

/// <summary>
/// Writes objects of a vault byte by byte as the document describes them, sealed and signed with the real keys, whatever is in
/// them: what somebody can do who holds a writer's key.
/// </summary>
internal sealed class VaultForge
{
    private readonly List<(ChunkId Id, byte[] Content)> data = [];
    private readonly List<(ChunkId Id, byte[] Content)> trees = [];
    private readonly HashSet<ChunkId> known = [];
    private readonly ChunkIdentity dataIdentity;
    private readonly ChunkIdentity treeIdentity;
    private readonly ulong seed;
    private ulong sessions;

    public VaultForge(MemoryObjectStore store, KeyRing ring, int seed = 1)
    {
        Store = store;
        Sealer = new ObjectSealer(ring, new SimulatedEntropy(seed));
        dataIdentity = ring.Current.DataIdentity();
        treeIdentity = ring.Current.TreeIdentity();
        this.seed = (ulong)seed;
    }

    public MemoryObjectStore Store { get; }

    public ObjectSealer Sealer { get; }

    /// <summary>What objects are sealed with.</summary>
    public CipherKind Cipher { get; init; } = CipherKind.AesGcm;

    public SessionId NextSession() => new(seed, ++sessions);

    /// <summary>A chunk of file content.</summary>
    public ContentItem Data(byte[] content) => Add(data, dataIdentity, content);

    /// <summary>A tree chunk.</summary>
    public ContentItem Tree(ReadOnlySpan<byte> content) => Add(trees, treeIdentity, content.ToArray());

    /// <summary>A directory of these entries, in one piece, as they come.</summary>
    public Content Directory(params TreeEntry[] entries) => new(0, [Tree(Encode(entries))]);

    /// <summary>A chunk list that holds this.</summary>
    public ContentItem List(Content content, long? length = null)
    {
        var writer = new ByteWriter();
        writer.U8((byte)TreeChunkKind.ChunkList);
        content.Encode(writer);
        return Tree(writer.Written) with { Length = length ?? content.TotalBytes };
    }

    public static TreeEntry Entry(string name, NodeKind kind, Content? content = null, string? target = null) => new()
    {
        Name = Encoding.UTF8.GetBytes(name),
        Attributes = new NodeAttributes
        {
            Kind = kind,
            Mode = 0x1ED,
            LinkCount = 1,
            ModifyTime = new UnixTime(1_000_000, 0),
            Size = kind == NodeKind.Regular ? content!.TotalBytes : 0,
        },
        Target = target is null ? null : Encoding.UTF8.GetBytes(target),
        Content = content ?? (kind is NodeKind.Regular or NodeKind.Directory ? Content.Empty : null),
    };

    public static TreeEntry File(string name, params ContentItem[] items) => Entry(name, NodeKind.Regular, new Content(0, items));

    /// <summary>A piece of a directory as the document describes it, but with whatever names: our own codec refuses to write some.</summary>
    public static byte[] Encode(params TreeEntry[] entries)
    {
        var writer = new ByteWriter();
        writer.U8((byte)TreeChunkKind.Directory);
        writer.Varint(0);
        writer.Varint(0);
        foreach (TreeEntry entry in entries)
        {
            NodeAttributes attributes = entry.Attributes;
            writer.U8((byte)attributes.Kind);
            writer.ByteString(entry.Name);
            foreach (uint number in (uint[])[attributes.Mode, attributes.Uid, attributes.Gid]) writer.Varint(number);
            writer.SignedVarint(attributes.ModifyTime.Seconds);
            writer.Varint((ulong)attributes.ModifyTime.Nanoseconds);
            writer.SignedVarint(0);
            writer.Varint(0);
            // Inode, device, links, extended attributes.
            foreach (ulong number in (ulong[])[attributes.Inode, attributes.Device, attributes.LinkCount, 0]) writer.Varint(number);
            if (attributes.Kind == NodeKind.Regular) writer.Varint((ulong)attributes.Size);
            if (attributes.Kind == NodeKind.Symlink) writer.ByteString(entry.Target);
            entry.Content?.Encode(writer);
        }

        return writer.ToArray();
    }

    /// <summary>Writes what was added since the last time as packs with their index.</summary>
    /// <returns>The references that name all of it.</returns>
    public ReferenceSet Flush()
    {
        SessionId session = NextSession();
        var references = new ReferenceSet();
        var footers = new List<PackFooter>();
        foreach ((ObjectKind kind, List<(ChunkId Id, byte[] Content)> chunks) in
            ((ObjectKind, List<(ChunkId, byte[])>)[])[(ObjectKind.DataPack, data), (ObjectKind.TreePack, trees)])
        {
            if (chunks.Count == 0) continue;
            footers.Add(PutPack(new PackId(kind, session, 0), GroupsOf(chunks)));
            references.AddAll(footers[^1].Pack, chunks.Count);
            chunks.Clear();
        }

        if (footers.Count == 0) return references;
        string name = IndexObject.Name(session, 0);
        Store.Overwrite(name, Index(name, footers));
        return references;
    }

    /// <summary>Writes a pack of these groups.</summary>
    public PackFooter PutPack(PackId id, IReadOnlyList<ForgedGroup> groups, uint? epoch = null)
    {
        string name = id.ObjectName;
        ObjectHeader header = NewHeader(id.Kind);
        ObjectHeader said = header with { Epoch = epoch ?? header.Epoch };
        byte[] encodedHeader = new byte[ObjectHeader.Size];
        said.Encode(encodedHeader);
        byte[] key = TestKeys.Content(Aead.KeyBytes), sealedKey = new byte[PackFooter.SealedKeyBytes];
        Libsodium.BoxSeal(key, Sealer.Ring.Current.PackPublicKey(id.Kind), sealedKey);
        var pack = new ByteWriter();
        pack.Bytes(encodedHeader);
        pack.Bytes(sealedKey);
        using (var cipher = new Aead(header.Cipher, key))
        {
            for (int i = 0; i < groups.Count; i++) cipher.Seal((uint)i, groups[i].Stored, pack.Take(groups[i].Stored.Length + Aead.TagBytes));
        }

        int bodyBytes = pack.Length - PackFooter.BodyOffset;
        byte[] footer = EncodeFooter(groups), sealedFooter = new byte[footer.Length + Aead.TagBytes], signature = new byte[Libsodium.SignatureBytes];
        using (Aead cipher = Sealer.IndexCipher(header, name)) cipher.Seal(0, footer, sealedFooter, ObjectSealer.Associated(encodedHeader, name));
        Sealer.Sign(name, encodedHeader, sealedKey, sealedFooter, signature);
        pack.Bytes(sealedFooter);
        pack.Bytes(signature);
        PackFooter.EncodeEnd(pack.Take(PackFooter.EndBytes), (uint)sealedFooter.Length, PackFooter.EndMagic);
        Store.Overwrite(name, pack.ToArray());
        var body = new PackBody([], [], []);
        try
        {
            body = PackBody.Decode(footer, bodyBytes, name);
        }
        catch (DamageException)
        {
            // Nobody can read it: an index can still name it.
        }

        return new PackFooter
        {
            Pack = id,
            WriterId = header.WriterId,
            Epoch = header.Epoch,
            Cipher = header.Cipher,
            KeyId = header.KeyId,
            SealedKey = sealedKey,
            PackBytes = pack.Length,
            FooterBytes = sealedFooter.Length,
            Groups = body.Groups,
            Chunks = body.Chunks,
        };
    }

    /// <summary>An index object of one page that lists these packs.</summary>
    public byte[] Index(string name, IReadOnlyList<PackFooter> packs)
    {
        var entries = new List<(ulong High, uint Low, uint Pack, ushort Ordinal)>();
        var root = new ByteWriter();
        root.U32((uint)packs.Sum(pack => pack.Chunks.Length));
        root.U32((uint)packs.Count);
        for (int p = 0; p < packs.Count; p++)
        {
            root.U8((byte)packs[p].Pack.Kind);
            packs[p].Pack.Session.Encode(root.Take(SessionId.Size));
            foreach (int value in (int[])[(int)packs[p].Pack.Number, packs[p].PackBytes, packs[p].FooterBytes, packs[p].Chunks.Length]) root.U32((uint)value);
            for (int i = 0; i < packs[p].Chunks.Length; i++)
            {
                ChunkId id = packs[p].Chunks[i].Id;
                entries.Add((id.W0, (uint)(id.W1 >> 32), (uint)p, (ushort)i));
            }
        }

        entries.Sort();
        byte[][] pages = [.. entries.Chunk(IndexObject.EntriesPerPage).Select(EncodePage)];
        foreach (byte[] page in pages) root.Bytes(page.AsSpan(0, 8));
        // A filter that denies nothing.
        root.U32(1);
        root.Take(64).Fill(0xFF);
        return Index(name, root.Written, pages);
    }

    /// <summary>An index object of any root and pages.</summary>
    public byte[] Index(string name, ReadOnlySpan<byte> root, params ReadOnlySpan<byte[]> pages)
    {
        ObjectHeader header = NewHeader(ObjectKind.Index);
        var index = new ByteWriter();
        header.Encode(index.Take(ObjectHeader.Size));
        byte[] encodedHeader = index.ToArray(), signature = new byte[Libsodium.SignatureBytes];
        using Aead cipher = Sealer.IndexCipher(header, name);
        for (int i = 0; i < pages.Length; i++) cipher.Seal((uint)i, pages[i], index.Take(pages[i].Length + Aead.TagBytes));
        byte[] sealedRoot = new byte[root.Length + Aead.TagBytes];
        cipher.Seal(IndexObject.RootCounter, root, sealedRoot, ObjectSealer.Associated(encodedHeader, name));
        Sealer.Sign(name, encodedHeader, [], sealedRoot, signature);
        index.Bytes(sealedRoot);
        index.Bytes(signature);
        PackFooter.EncodeEnd(index.Take(PackFooter.EndBytes), (uint)sealedRoot.Length, IndexObject.EndMagic);
        return index.ToArray();
    }

    /// <summary>A small object, said to be of an epoch that need not exist.</summary>
    public byte[] Seal(ObjectKind kind, string name, ReadOnlySpan<byte> body, uint? epoch = null)
    {
        ObjectHeader header = NewHeader(kind);
        byte[] encodedHeader = new byte[ObjectHeader.Size], sealedBody = new byte[body.Length + Aead.TagBytes], signature = new byte[Libsodium.SignatureBytes];
        (header with { Epoch = epoch ?? header.Epoch }).Encode(encodedHeader);
        using Aead cipher = Sealer.IndexCipher(header, name);
        cipher.Seal(0, body, sealedBody, ObjectSealer.Associated(encodedHeader, name));
        Sealer.Sign(name, encodedHeader, [], sealedBody, signature);
        return [.. encodedHeader, .. sealedBody, .. signature];
    }

    /// <summary>Writes what is pending, and a point whose only root is a directory.</summary>
    /// <param name="directory">What is in it.</param>
    /// <param name="change">What the point says beside.</param>
    public RestorePoint PutPoint(Content directory, Func<RestorePoint, RestorePoint>? change = null) =>
        PutPointOf(Directory(Entry("/source", NodeKind.Directory, directory)), change);

    /// <summary>The same with any root directory.</summary>
    public RestorePoint PutPointOf(Content tree, Func<RestorePoint, RestorePoint>? change = null)
    {
        ReferenceSet references = Flush();
        SessionId id = NextSession();
        var point = new RestorePoint
        {
            Id = id,
            Time = SimulatedClock.DefaultStart,
            Received = default,
            EffectiveTime = default,
            Kind = PointKind.Full,
            Base = null,
            Host = "here",
            Roots = ["/source"u8.ToArray()],
            Tags = [],
            Program = "forged",
            Counts = new BackupCounts(),
            References = id,
            Tree = tree,
        };
        if (change is not null) point = change(point);
        Store.Overwrite(ReferenceSet.Name(id), Seal(ObjectKind.References, ReferenceSet.Name(id), references.Encode()));
        Store.Overwrite(PointCodec.Name(id), Seal(ObjectKind.Point, PointCodec.Name(id), PointCodec.Encode(point)));
        return point;
    }

    public static byte[] Compress(ReadOnlySpan<byte> raw)
    {
        using var compressor = new Compressor(Compressor.DefaultLevel);
        byte[] target = new byte[raw.Length + 1024];
        return target[..compressor.TryCompress(raw, target)];
    }

    private static List<ForgedGroup> GroupsOf(List<(ChunkId Id, byte[] Content)> chunks)
    {
        const int full = 64 << 10;
        var groups = new List<ForgedGroup>();
        for (int first = 0; first < chunks.Count;)
        {
            var raw = new ByteWriter();
            int end = first;
            while (end < chunks.Count && (end == first || raw.Length + chunks[end].Content.Length <= full)) raw.Bytes(chunks[end++].Content);
            groups.Add(new ForgedGroup(
                Compress(raw.Written), raw.Length, (byte)GroupCoding.Zstd,
                [.. chunks.GetRange(first, end - first).Select(chunk => (chunk.Id, (long)chunk.Content.Length))]));
            first = end;
        }

        return groups;
    }

    private ObjectHeader NewHeader(ObjectKind kind) => Sealer.NewHeader(kind) with { Cipher = Cipher };

    private static byte[] EncodePage((ulong High, uint Low, uint Pack, ushort Ordinal)[] entries)
    {
        var page = new ByteWriter();
        foreach ((ulong high, uint low, uint pack, ushort ordinal) in entries)
        {
            BinaryPrimitives.WriteUInt64BigEndian(page.Take(8), high);
            BinaryPrimitives.WriteUInt32BigEndian(page.Take(4), low);
            page.U32(pack);
            page.U16(ordinal);
        }

        return page.ToArray();
    }

    private static byte[] EncodeFooter(IReadOnlyList<ForgedGroup> groups)
    {
        var footer = new ByteWriter();
        footer.U16(0);
        footer.U32((uint)groups.Count);
        for (int i = 0; i < groups.Count; i++)
        {
            footer.U32((uint)(groups[i].Stored.Length + Aead.TagBytes));
            footer.U32((uint)groups[i].RawBytes);
            footer.U16((ushort)groups[i].Chunks.Length);
            footer.U8(groups[i].Coding);
            footer.U16(0);
            footer.U32((uint)i);
        }

        foreach ((ChunkId id, long length) in groups.SelectMany(group => group.Chunks))
        {
            id.Encode(footer.Take(ChunkId.Size));
            footer.U32((uint)length);
        }

        return footer.ToArray();
    }

    private ContentItem Add(List<(ChunkId Id, byte[] Content)> pending, ChunkIdentity identity, byte[] content)
    {
        ChunkId id = identity.Of(content);
        if (known.Add(id)) pending.Add((id, content));
        return ContentItem.Chunk(id, content.Length);
    }
}
