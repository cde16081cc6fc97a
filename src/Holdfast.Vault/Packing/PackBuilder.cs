using System.Runtime.InteropServices;
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

    /// <summary>
    /// So is one of so many chunks, which are tiny then: the list of them is read and held whole by whoever looks for one, 48 bytes
    /// each.
    /// </summary>
    public const int TargetChunks = 16 << 10;

    /// <summary>A group is closed when its content reaches this: the longer it is, the more there is to find in it again.</summary>
    public const int GroupTargetBytes = 512 << 10;

    /// <summary>The same of trees, of which one directory is wanted at a time.</summary>
    public const int TreeGroupTargetBytes = 256 << 10;

    private readonly ObjectSealer sealer;
    private readonly int targetBytes;
    private readonly Compressor compressor;
    private readonly NativeBytes buffer = new(PackFooter.MaxPackBytes);
    private readonly NativeBytes group = new(PackFooter.MaxChunkBytes);
    private readonly NativeBytes compressed = new(PackFooter.MaxChunkBytes);
    private readonly List<PackKey> furtherKeys = [];
    private readonly Dictionary<PackKey, ushort> keyNumbers = [];
    private readonly List<PackGroup> groups = [];
    private readonly List<PackChunk> chunks = [];

    // Of the group that is gathered: they get their ordinals when it is sealed.
    private readonly List<PackChunk> gathered = [];
    private int groupBytes;
    private int length;
    private PackId pack;
    private ObjectHeader header = null!;
    private Aead? cipher;

    /// <summary>A builder whose packs are full at some size.</summary>
    public PackBuilder(ObjectSealer sealer, int level, int targetBytes = TargetBytes)
    {
        this.sealer = sealer;
        this.targetBytes = targetBytes;
        compressor = new Compressor(level);
    }

    public bool IsFull => length + groupBytes >= targetBytes || chunks.Count + gathered.Count >= TargetChunks;

    /// <summary>Whether nothing was added since <see cref="Begin"/>.</summary>
    public bool IsEmpty => chunks.Count + gathered.Count + groups.Count == 0;

    /// <summary>Chunks that have their ordinals: all but those of the group that is gathered.</summary>
    public int SealedChunks => chunks.Count;

    /// <summary>Begins a pack under a fresh key.</summary>
    public void Begin(PackId id)
    {
        header = sealer.NewHeader(id.Kind);
        BeginBody(id);
        Span<byte> key = stackalloc byte[Aead.KeyBytes];
        sealer.Entropy.Fill(key);
        Libsodium.BoxSeal(
            key, sealer.Ring.Current.PackPublicKey(id.Kind), buffer.GetSpan().Slice(ObjectHeader.Size, PackFooter.SealedKeyBytes));
        cipher = new Aead(header.Cipher, key);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Begins a pack without a key of its own: for <see cref="TryCopyGroup"/> alone.</summary>
    public void BeginCopies(PackId id)
    {
        byte[] salt = new byte[ObjectHeader.SaltBytes];
        sealer.Entropy.Fill(salt);
        header = new ObjectHeader(id.Kind, Aead.Preferred, sealer.Ring.Current.Number, 0, sealer.WriterId, salt);
        BeginBody(id);
        buffer.GetSpan().Slice(ObjectHeader.Size, PackFooter.SealedKeyBytes).Clear();
    }

    /// <summary>Adds a chunk. The caller finishes the pack when <see cref="IsFull"/> says so afterwards.</summary>
    public void Add(in ChunkId id, ReadOnlySpan<byte> content)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, PackFooter.MaxChunkBytes);
        int target = pack.Kind == ObjectKind.TreePack ? TreeGroupTargetBytes : GroupTargetBytes;
        if (groupBytes > 0 && groupBytes + content.Length > target) SealGroup();
        content.CopyTo(group.GetSpan()[groupBytes..]);
        gathered.Add(new PackChunk(id, 0, groupBytes, content.Length));
        groupBytes += content.Length;
    }

    /// <summary>Adds a group as it is sealed in another pack. It gets the next ordinals, before the chunks that are being gathered.</summary>
    /// <param name="key">The key it is sealed under.</param>
    /// <param name="source">The group in that pack.</param>
    /// <param name="sourceChunks">Its chunks there.</param>
    /// <param name="sealedBytes">Its bytes; copied.</param>
    /// <returns>False when the pack has no room for it; then nothing was added.</returns>
    public bool TryCopyGroup(PackKey key, in PackGroup source, ReadOnlySpan<PackChunk> sourceChunks, ReadOnlySpan<byte> sealedBytes)
    {
        bool isKnown = keyNumbers.TryGetValue(key, out ushort number);
        int keys = furtherKeys.Count + (isKnown ? 0 : 1), allChunks = chunks.Count + gathered.Count + sourceChunks.Length;
        // One group more: what is gathered.
        long end = length + (long)sealedBytes.Length + groupBytes + Aead.TagBytes + PackBody.EncodedBytes(keys, groups.Count + 2, allChunks)
            + Aead.TagBytes + Libsodium.SignatureBytes + PackFooter.EndBytes;
        if (keys > ushort.MaxValue || allChunks > PackFooter.MaxChunks || end > PackFooter.MaxPackBytes) return false;
        if (!isKnown)
        {
            furtherKeys.Add(key);
            number = (ushort)furtherKeys.Count;
            keyNumbers.Add(key, number);
        }

        sealedBytes.CopyTo(buffer.GetSpan()[length..]);
        foreach (ref readonly PackChunk chunk in sourceChunks) chunks.Add(chunk with { Group = groups.Count });
        groups.Add(source with { Offset = length, FirstChunk = chunks.Count - sourceChunks.Length, Key = number });
        length += sealedBytes.Length;
        return true;
    }

    /// <summary>Closes the pack.</summary>
    /// <param name="content">The whole object, valid until the next <see cref="Begin"/>.</param>
    public PackFooter Finish(out ReadOnlyMemory<byte> content)
    {
        if (gathered.Count > 0) SealGroup();
        int bodyEnd = length;
        int plainBytes = PackBody.EncodedBytes(furtherKeys.Count, groups.Count, chunks.Count);
        int sealedBytes = plainBytes + Aead.TagBytes;
        string name = pack.ObjectName;
        int end = bodyEnd + sealedBytes + Libsodium.SignatureBytes + PackFooter.EndBytes;
        Span<byte> whole = buffer.GetSpan()[..end];
        Span<byte> encodedHeader = whole[..ObjectHeader.Size];
        Span<byte> plain = whole.Slice(bodyEnd, plainBytes), sealedFooter = whole.Slice(bodyEnd, sealedBytes);
        PackBody.Encode(plain, furtherKeys, groups, chunks);
        using (Aead footerCipher = sealer.IndexCipher(header, name))
        {
            footerCipher.Seal(0, plain, sealedFooter, ObjectSealer.Associated(encodedHeader, name));
        }

        ReadOnlySpan<byte> sealedKey = whole.Slice(ObjectHeader.Size, PackFooter.SealedKeyBytes);
        sealer.Sign(name, encodedHeader, sealedKey, sealedFooter, whole.Slice(bodyEnd + sealedBytes, Libsodium.SignatureBytes));
        PackFooter.EncodeEnd(whole[^PackFooter.EndBytes..], (uint)sealedBytes, PackFooter.EndMagic);
        cipher?.Dispose();
        cipher = null;
        content = buffer.Memory[..end];
        return new PackFooter
        {
            Pack = pack,
            WriterId = header.WriterId,
            Epoch = header.Epoch,
            Cipher = header.Cipher,
            KeyId = header.KeyId,
            SealedKey = sealedKey.ToArray(),
            PackBytes = end,
            FooterBytes = sealedBytes,
            FurtherKeys = [.. furtherKeys],
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

    private void BeginBody(PackId id)
    {
        pack = id;
        header.Encode(buffer.GetSpan());
        length = PackFooter.BodyOffset;
        furtherKeys.Clear();
        keyNumbers.Clear();
        groups.Clear();
        chunks.Clear();
        gathered.Clear();
        groupBytes = 0;
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
        groups.Add(new PackGroup(length, sealedBytes, raw.Length, chunks.Count, gathered.Count, coding, Key: 0, groups.Count));
        foreach (ref readonly PackChunk chunk in CollectionsMarshal.AsSpan(gathered)) chunks.Add(chunk with { Group = groups.Count - 1 });
        gathered.Clear();
        length += sealedBytes;
        groupBytes = 0;
    }
}
