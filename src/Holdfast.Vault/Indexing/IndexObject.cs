using System.Buffers.Binary;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Indexing;

/// <summary>A pack as an index object lists it.</summary>
internal readonly record struct IndexedPack(PackId Id, int PackBytes, int FooterBytes, int ChunkCount)
{
    public const int EncodedBytes = 1 + SessionId.Size + 16;

    public static IndexedPack Of(PackFooter footer) => new(footer.Pack, footer.PackBytes, footer.FooterBytes, footer.Chunks.Length);

    public void Encode(Span<byte> target)
    {
        target[0] = (byte)Id.Kind;
        Id.Session.Encode(target[1..]);
        target = target[(1 + SessionId.Size)..];
        BinaryPrimitives.WriteUInt32LittleEndian(target, Id.Number);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], (uint)PackBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], (uint)FooterBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], (uint)ChunkCount);
    }
}

/// <summary>Names and builds index objects. Layout: docs/formats/vault.md, "Index".</summary>
internal static class IndexObject
{
    public const string Prefix = "index/";
    public const int EntryBytes = IndexEntry.Size;
    public const int EntriesPerPage = 224;
    public const int SealedPageBytes = (EntriesPerPage * EntryBytes) + Aead.TagBytes;
    public const uint RootCounter = uint.MaxValue;

    /// <summary>So many chunks and no more are gathered for one index object; one more pack may go beyond.</summary>
    public const int TargetChunks = 1 << 20;

    public static ReadOnlySpan<byte> EndMagic => "HFINDEXD"u8;

    public static string Name(SessionId session, uint number) => $"{Prefix}{session}-{number:x8}";

    public static int PageCount(int entries) => (entries + EntriesPerPage - 1) / EntriesPerPage;

    /// <summary>Builds the index object of some packs.</summary>
    public static byte[] Build(ObjectSealer sealer, string name, IReadOnlyList<PackFooter> packs)
    {
        int count = 0;
        foreach (PackFooter pack in packs) count += pack.Chunks.Length;
        var entries = new IndexEntry[count];
        int next = 0;
        for (int p = 0; p < packs.Count; p++)
        {
            PackChunk[] chunks = packs[p].Chunks;
            for (int ordinal = 0; ordinal < chunks.Length; ordinal++)
            {
                ChunkId id = chunks[ordinal].Id;
                entries[next++] = new IndexEntry(id.W0, (uint)(id.W1 >> 32), (uint)p, (ushort)ordinal);
            }
        }

        Array.Sort(entries);
        using var builder = new IndexBuilder(sealer, name, [.. packs.Select(IndexedPack.Of)]);
        foreach (ref readonly IndexEntry entry in entries.AsSpan()) builder.Add(entry);
        return builder.Finish();
    }
}
