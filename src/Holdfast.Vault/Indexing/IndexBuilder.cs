using System.Buffers.Binary;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Indexing;

/// <summary>Builds one index object from its entries, as they come. Layout: docs/formats/vault.md, "Index". For one thread at a time.</summary>
internal sealed class IndexBuilder : IDisposable
{
    private const int PageBytes = IndexObject.EntriesPerPage * IndexEntry.Size;

    private readonly ObjectSealer sealer;
    private readonly string name;
    private readonly IReadOnlyList<IndexedPack> packs;
    private readonly IndexFilter filter;
    private readonly Aead cipher;
    private readonly byte[] page = new byte[PageBytes];
    private readonly byte[] content;
    private readonly ulong[] fences;
    private readonly int rootBytes;
    private readonly int count;
    private IndexEntry last;
    private int added;
    private int at = ObjectHeader.Size;

    /// <summary>Begins an object that lists all chunks of these packs.</summary>
    public IndexBuilder(ObjectSealer sealer, string name, IReadOnlyList<IndexedPack> packs)
    {
        this.sealer = sealer;
        this.name = name;
        this.packs = packs;
        foreach (IndexedPack pack in packs) count += pack.ChunkCount;
        filter = IndexFilter.ForCount(count);
        fences = new ulong[IndexObject.PageCount(count)];
        rootBytes = 4 + 4 + (packs.Count * IndexedPack.EncodedBytes) + (fences.Length * 8) + 4 + filter.EncodedBytes;
        content = new byte[
            ObjectHeader.Size + (count * IndexEntry.Size) + (fences.Length * Aead.TagBytes) + rootBytes + Aead.TagBytes + Libsodium.SignatureBytes
            + PackFooter.EndBytes];
        ObjectHeader header = sealer.NewHeader(ObjectKind.Index);
        header.Encode(content);
        cipher = sealer.IndexCipher(header, name);
    }

    /// <summary>Adds an entry; none may come before the one before it.</summary>
    public void Add(in IndexEntry entry)
    {
        if (added > 0 && entry.CompareTo(last) < 0) throw new ArgumentException("entries are out of order", nameof(entry));
        if (added == count) throw new ArgumentException($"more than the {count} entries that the packs have", nameof(entry));
        int inPage = added % IndexObject.EntriesPerPage;
        if (inPage == 0) fences[added / IndexObject.EntriesPerPage] = entry.IdHigh;
        entry.Encode(page.AsSpan(inPage * IndexEntry.Size));
        filter.Add(new ChunkId(entry.IdHigh, (ulong)entry.IdLow << 32, 0, 0));
        last = entry;
        added++;
        if (inPage == IndexObject.EntriesPerPage - 1 || added == count) SealPage(inPage + 1);
    }

    /// <summary>The whole object.</summary>
    /// <exception cref="InvalidOperationException">Fewer entries were added than the packs have.</exception>
    public byte[] Finish()
    {
        if (added != count) throw new InvalidOperationException($"{added} entries of {count}");
        Span<byte> encodedHeader = content.AsSpan(0, ObjectHeader.Size);
        Span<byte> root = content.AsSpan(at, rootBytes), sealedRoot = content.AsSpan(at, rootBytes + Aead.TagBytes);
        EncodeRoot(root);
        cipher.Seal(IndexObject.RootCounter, root, sealedRoot, ObjectSealer.Associated(encodedHeader, name));
        Span<byte> signature = content.AsSpan(at + sealedRoot.Length, Libsodium.SignatureBytes);
        sealer.Sign(name, encodedHeader, [], sealedRoot, signature);
        PackFooter.EncodeEnd(content.AsSpan(^PackFooter.EndBytes..), (uint)sealedRoot.Length, IndexObject.EndMagic);
        return content;
    }

    public void Dispose()
    {
        cipher.Dispose();
        filter.Dispose();
    }

    private void SealPage(int entries)
    {
        int plainBytes = entries * IndexEntry.Size;
        cipher.Seal((uint)((added - 1) / IndexObject.EntriesPerPage), page.AsSpan(0, plainBytes), content.AsSpan(at, plainBytes + Aead.TagBytes));
        at += plainBytes + Aead.TagBytes;
    }

    private void EncodeRoot(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)count);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], (uint)packs.Count);
        target = target[8..];
        foreach (IndexedPack pack in packs)
        {
            pack.Encode(target);
            target = target[IndexedPack.EncodedBytes..];
        }

        foreach (ulong fence in fences)
        {
            BinaryPrimitives.WriteUInt64BigEndian(target, fence);
            target = target[8..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)IndexFilter.BlocksIn(filter));
        filter.Encode(target[4..]);
    }
}
