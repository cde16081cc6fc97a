using System.Buffers.Binary;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Indexing;

/// <summary>A pack as an index object lists it.</summary>
internal readonly record struct IndexedPack(PackId Id, int PackBytes, int FooterBytes, int ChunkCount)
{
    public const int EncodedBytes = 1 + SessionId.Size + 16;

    public static IndexedPack Of(PackFooter footer) => new(footer.Pack, footer.PackBytes, footer.FooterBytes, footer.Chunks.Length);
}

/// <summary>Names and builds index objects. Layout: docs/formats/vault.md, "Index".</summary>
internal static class IndexObject
{
    public const string Prefix = "index/";
    public const int EntryBytes = 18;
    public const int EntriesPerPage = 224;
    public const int SealedPageBytes = (EntriesPerPage * EntryBytes) + Aead.TagBytes;
    public const uint RootCounter = uint.MaxValue;

    public static ReadOnlySpan<byte> EndMagic => "HFINDEXD"u8;

    public static string Name(SessionId session, uint number) => $"{Prefix}{session}-{number:x8}";

    public static int PageCount(int entries) => (entries + EntriesPerPage - 1) / EntriesPerPage;

    /// <summary>Builds the index object of some packs.</summary>
    public static byte[] Build(ObjectSealer sealer, string name, IReadOnlyList<PackFooter> packs)
    {
        int count = 0;
        foreach (PackFooter pack in packs) count += pack.Chunks.Length;
        var entries = new Entry[count];
        using var filter = IndexFilter.ForCount(count);
        int next = 0;
        for (int p = 0; p < packs.Count; p++)
        {
            PackChunk[] chunks = packs[p].Chunks;
            for (int ordinal = 0; ordinal < chunks.Length; ordinal++)
            {
                ChunkId id = chunks[ordinal].Id;
                filter.Add(id);
                entries[next++] = new Entry(id.W0, (uint)(id.W1 >> 32), (uint)p, (ushort)ordinal);
            }
        }

        Array.Sort(entries);
        int pages = PageCount(count);
        byte[] root = EncodeRoot(entries, packs, filter, pages);
        ObjectHeader header = sealer.NewHeader(ObjectKind.Index);
        int pagesBytes = (count * EntryBytes) + (pages * Aead.TagBytes);
        int sealedRootBytes = root.Length + Aead.TagBytes;
        byte[] result = new byte[ObjectHeader.Size + pagesBytes + sealedRootBytes + Libsodium.SignatureBytes + PackFooter.EndBytes];
        header.Encode(result);
        using Aead cipher = sealer.IndexCipher(header, name);
        byte[] page = new byte[EntriesPerPage * EntryBytes];
        int at = ObjectHeader.Size;
        for (int i = 0; i < pages; i++)
        {
            ReadOnlySpan<Entry> inPage = entries.AsSpan(i * EntriesPerPage, Math.Min(EntriesPerPage, count - (i * EntriesPerPage)));
            for (int e = 0; e < inPage.Length; e++) inPage[e].Encode(page.AsSpan(e * EntryBytes));
            int plainBytes = inPage.Length * EntryBytes;
            cipher.Seal((uint)i, page.AsSpan(0, plainBytes), result.AsSpan(at, plainBytes + Aead.TagBytes));
            at += plainBytes + Aead.TagBytes;
        }

        Span<byte> encodedHeader = result.AsSpan(0, ObjectHeader.Size);
        Span<byte> sealedRoot = result.AsSpan(at, sealedRootBytes);
        cipher.Seal(RootCounter, root, sealedRoot, ObjectSealer.Associated(encodedHeader, name));
        at += sealedRootBytes;
        sealer.Sign(name, encodedHeader, [], sealedRoot, result.AsSpan(at, Libsodium.SignatureBytes));
        PackFooter.EncodeEnd(result.AsSpan(at + Libsodium.SignatureBytes), (uint)sealedRootBytes, EndMagic);
        return result;
    }

    private static byte[] EncodeRoot(Entry[] entries, IReadOnlyList<PackFooter> packs, IndexFilter filter, int pages)
    {
        var root = new ByteWriter(16 + (packs.Count * IndexedPack.EncodedBytes) + (pages * 8) + filter.EncodedBytes);
        root.U32((uint)entries.Length);
        root.U32((uint)packs.Count);
        foreach (PackFooter pack in packs)
        {
            root.U8((byte)pack.Pack.Kind);
            pack.Pack.Session.Encode(root.Take(SessionId.Size));
            root.U32(pack.Pack.Number);
            root.U32((uint)pack.PackBytes);
            root.U32((uint)pack.FooterBytes);
            root.U32((uint)pack.Chunks.Length);
        }

        for (int i = 0; i < pages; i++) BinaryPrimitives.WriteUInt64BigEndian(root.Take(8), entries[i * EntriesPerPage].IdHigh);
        root.U32((uint)IndexFilter.BlocksIn(filter));
        filter.Encode(root.Take(filter.EncodedBytes));
        return root.ToArray();
    }

    private readonly record struct Entry(ulong IdHigh, uint IdLow, uint Pack, ushort Ordinal) : IComparable<Entry>
    {
        public int CompareTo(Entry other)
        {
            int byHigh = IdHigh.CompareTo(other.IdHigh);
            return byHigh != 0 ? byHigh : IdLow.CompareTo(other.IdLow);
        }

        public void Encode(Span<byte> target)
        {
            BinaryPrimitives.WriteUInt64BigEndian(target, IdHigh);
            BinaryPrimitives.WriteUInt32BigEndian(target[8..], IdLow);
            BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Pack);
            BinaryPrimitives.WriteUInt16LittleEndian(target[16..], Ordinal);
        }
    }
}
