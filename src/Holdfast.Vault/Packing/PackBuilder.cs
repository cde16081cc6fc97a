using System.Buffers.Binary;
using System.Security.Cryptography;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>
/// Builds one pack after the other in a buffer of its own: gathers chunks into groups, compresses and seals each group
/// as it fills. For one thread at a time.
/// </summary>
internal sealed class PackBuilder : IDisposable
{
    /// <summary>A pack is closed when its body reaches this: one write and one sync of the store.</summary>
    public const int TargetBytes = 16 << 20;

    /// <summary>A group is closed when its content reaches this: the longer it is, the more there is to find in it again.</summary>
    public const int GroupTargetBytes = 512 << 10;

    /// <summary>The same of trees, of which one directory is wanted at a time.</summary>
    public const int TreeGroupTargetBytes = 256 << 10;

    private readonly ObjectSealer sealer;
    private readonly Compressor compressor;
    private readonly NativeBytes buffer = new(PackFooter.MaxPackBytes);
    private readonly NativeBytes group = new(PackFooter.MaxChunkBytes);
    private readonly NativeBytes compressed = new(PackFooter.MaxChunkBytes);
    private readonly List<PackGroup> groups = [];
    private readonly List<PackChunk> chunks = [];
    private int groupBytes;
    private int groupFirstChunk;
    private int length;
    private PackId pack;
    private ObjectHeader header = null!;
    private Aead? cipher;

    public PackBuilder(ObjectSealer sealer, int level)
    {
        this.sealer = sealer;
        compressor = new Compressor(level);
    }

    public bool IsFull => length + groupBytes >= TargetBytes || chunks.Count >= PackFooter.MaxChunks - 1;

    /// <summary>Begins a pack under a fresh key.</summary>
    public void Begin(PackId id)
    {
        pack = id;
        header = sealer.NewHeader(id.Kind);
        header.Encode(buffer.GetSpan());
        Span<byte> key = stackalloc byte[Aead.KeyBytes];
        sealer.Entropy.Fill(key);
        Libsodium.BoxSeal(
            key, sealer.Ring.Current.PackPublicKey(id.Kind), buffer.GetSpan().Slice(ObjectHeader.Size, PackFooter.SealedKeyBytes));
        cipher = new Aead(header.Cipher, key);
        CryptographicOperations.ZeroMemory(key);
        length = PackFooter.BodyOffset;
        groups.Clear();
        chunks.Clear();
        groupBytes = 0;
        groupFirstChunk = 0;
    }

    /// <summary>Adds a chunk. The caller finishes the pack when <see cref="IsFull"/> says so afterwards.</summary>
    public void Add(in ChunkId id, ReadOnlySpan<byte> content)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, PackFooter.MaxChunkBytes);
        int target = pack.Kind == ObjectKind.TreePack ? TreeGroupTargetBytes : GroupTargetBytes;
        if (groupBytes > 0 && groupBytes + content.Length > target) SealGroup();
        content.CopyTo(group.GetSpan()[groupBytes..]);
        chunks.Add(new PackChunk(id, groups.Count, groupBytes, content.Length));
        groupBytes += content.Length;
    }

    /// <summary>Closes the pack.</summary>
    /// <param name="content">The whole object, valid until the next <see cref="Begin"/>.</param>
    public PackFooter Finish(out ReadOnlyMemory<byte> content)
    {
        if (groupFirstChunk < chunks.Count) SealGroup();
        int bodyEnd = length;
        int plainBytes = 4 + (groups.Count * PackFooter.GroupBytes) + (chunks.Count * PackFooter.ChunkBytes);
        int sealedBytes = plainBytes + Aead.TagBytes;
        string name = pack.ObjectName;
        int end = bodyEnd + sealedBytes + Libsodium.SignatureBytes + PackFooter.EndBytes;
        Span<byte> whole = buffer.GetSpan()[..end];
        Span<byte> encodedHeader = whole[..ObjectHeader.Size];
        Span<byte> plain = whole.Slice(bodyEnd, plainBytes), sealedFooter = whole.Slice(bodyEnd, sealedBytes);
        EncodeFooter(plain);
        using (Aead footerCipher = sealer.IndexCipher(header, name))
        {
            footerCipher.Seal(0, plain, sealedFooter, ObjectSealer.Associated(encodedHeader, name));
        }

        ReadOnlySpan<byte> sealedKey = whole.Slice(ObjectHeader.Size, PackFooter.SealedKeyBytes);
        sealer.Sign(name, encodedHeader, sealedKey, sealedFooter, whole.Slice(bodyEnd + sealedBytes, Libsodium.SignatureBytes));
        PackFooter.EncodeEnd(whole[^PackFooter.EndBytes..], (uint)sealedBytes, PackFooter.EndMagic);
        cipher!.Dispose();
        cipher = null;
        content = buffer.Memory[..end];
        return new PackFooter
        {
            Pack = pack,
            WriterId = header.WriterId,
            Epoch = header.Epoch,
            Cipher = header.Cipher,
            SealedKey = sealedKey.ToArray(),
            PackBytes = end,
            FooterBytes = sealedBytes,
            Groups = [.. groups],
            Chunks = [.. chunks],
        };
    }

    public void Dispose()
    {
        cipher?.Dispose();
        compressor.Dispose();
        buffer.Dispose();
        group.Dispose();
        compressed.Dispose();
    }

    private void SealGroup()
    {
        ReadOnlySpan<byte> raw = group.GetSpan()[..groupBytes];
        var coding = GroupCoding.Raw;
        ReadOnlySpan<byte> coded = raw;
        // Less than 3 % is not worth the work of decompressing it.
        int worthwhile = raw.Length - (raw.Length / 32);
        if (raw.Length >= 64)
        {
            int compressedBytes = compressor.TryCompress(raw, compressed.GetSpan()[..worthwhile]);
            if (compressedBytes > 0)
            {
                coding = GroupCoding.Zstd;
                coded = compressed.GetSpan()[..compressedBytes];
            }
        }

        int sealedBytes = coded.Length + Aead.TagBytes;
        cipher!.Seal((uint)groups.Count, coded, buffer.GetSpan().Slice(length, sealedBytes));
        groups.Add(new PackGroup(length, sealedBytes, raw.Length, groupFirstChunk, chunks.Count - groupFirstChunk, coding));
        length += sealedBytes;
        groupFirstChunk = chunks.Count;
        groupBytes = 0;
    }

    private void EncodeFooter(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)groups.Count);
        int at = 4;
        foreach (PackGroup g in groups)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target[at..], (uint)g.SealedBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(target[(at + 4)..], (uint)g.RawBytes);
            BinaryPrimitives.WriteUInt16LittleEndian(target[(at + 8)..], (ushort)g.ChunkCount);
            target[at + 10] = (byte)g.Coding;
            at += PackFooter.GroupBytes;
        }

        foreach (PackChunk chunk in chunks)
        {
            chunk.Id.Encode(target[at..]);
            BinaryPrimitives.WriteUInt32LittleEndian(target[(at + ChunkId.Size)..], (uint)chunk.Length);
            at += PackFooter.ChunkBytes;
        }
    }
}
