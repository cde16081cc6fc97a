using System.Buffers;
using System.Buffers.Binary;
using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Indexing;

/// <summary>One index object: pack table, fences and filter in memory, pages on demand. May be used from any thread.</summary>
internal sealed class IndexReader : IDisposable
{
    private const int MaxRootBytes = IObjectStore.MaxObjectBytes;
    private readonly IObjectStore store;
    private readonly ObjectHeader header;
    private readonly ulong[] fences;
    private readonly IndexFilter filter;
    private readonly byte[] key;

    private IndexReader(
        IObjectStore store, ObjectSealer sealer, string name, ObjectHeader header, IndexedPack[] packs, int entryCount, ulong[] fences, IndexFilter filter)
    {
        this.store = store;
        this.header = header;
        key = sealer.IndexKey(header, name);
        this.fences = fences;
        this.filter = filter;
        Name = name;
        Packs = packs;
        EntryCount = entryCount;
    }

    public string Name { get; }

    public IReadOnlyList<IndexedPack> Packs { get; }

    public int EntryCount { get; }

    /// <summary>Opens an index object; null when the store has none of that name (any more).</summary>
    public static async Task<IndexReader?> TryOpenAsync(IObjectStore store, ObjectSealer sealer, ObjectEntry entry, CancellationToken cancellationToken)
    {
        string name = entry.Name;
        const int least = ObjectHeader.Size + Aead.TagBytes + Libsodium.SignatureBytes + PackFooter.EndBytes;
        if (entry.Length is < least or > IObjectStore.MaxObjectBytes) throw new DamageException(name, $"{entry.Length} bytes, which no index has");
        byte[] head = new byte[ObjectHeader.Size];
        byte[] end = new byte[PackFooter.EndBytes];
        if (!await TryReadAsync(store, name, 0, head, cancellationToken).ConfigureAwait(false)) return null;
        if (!await TryReadAsync(store, name, entry.Length - end.Length, end, cancellationToken).ConfigureAwait(false)) return null;
        int rootBytes = PackFooter.DecodeEnd(end, IndexObject.EndMagic, (int)Math.Min(MaxRootBytes, entry.Length - least + Aead.TagBytes), name);
        using var rest = new NativeBytes(rootBytes + Libsodium.SignatureBytes);
        if (!await TryReadAsync(store, name, entry.Length - end.Length - rest.Length, rest.Memory, cancellationToken).ConfigureAwait(false)) return null;
        return Decode(store, sealer, name, entry.Length, head, rest.GetSpan(), rootBytes);
    }

    /// <summary>Whether the chunk may be in this index: never false for one that is.</summary>
    public bool MayContain(in ChunkId id) => filter.MayContain(id);

    public void Dispose() => filter.Dispose();

    /// <summary>Adds to <paramref name="found"/> the places whose truncated id equals that of <paramref name="id"/>.</summary>
    public async ValueTask FindAsync(
        ChunkId id, List<(PackId Pack, int Ordinal)> found, CancellationToken cancellationToken)
    {
        int page = Array.BinarySearch(fences, id.W0);
        if (page < 0) page = ~page - 1;
        // Entries of one id may straddle pages whose fences are equal to its first 8 bytes.
        while (page > 0 && fences[page] == id.W0) page--;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(IndexObject.SealedPageBytes);
        try
        {
            for (int i = Math.Max(page, 0); i < fences.Length && fences[i] <= id.W0; i++)
            {
                int length = await ReadPageAsync(i, buffer, cancellationToken).ConfigureAwait(false);
                Search(buffer.AsSpan(0, length), id, found);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>All entries, page by page: truncated ids with their places. For check.</summary>
    public async IAsyncEnumerable<(ulong IdHigh, uint IdLow, PackId Pack, int Ordinal)> ReadAllAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        byte[] content = new byte[IndexObject.SealedPageBytes];
        for (int i = 0; i < fences.Length; i++)
        {
            int length = await ReadPageAsync(i, content, cancellationToken).ConfigureAwait(false);
            for (int at = 0; at < length; at += IndexObject.EntryBytes)
            {
                (PackId pack, int ordinal) = Place(content.AsSpan(at));
                yield return (
                    BinaryPrimitives.ReadUInt64BigEndian(content.AsSpan(at)), BinaryPrimitives.ReadUInt32BigEndian(content.AsSpan(at + 8)), pack, ordinal);
            }
        }
    }

    private static IndexReader Decode(
        IObjectStore store, ObjectSealer sealer, string name, long length, ReadOnlySpan<byte> head, Span<byte> rest, int rootBytes)
    {
        ObjectHeader header = ObjectHeader.Decode(head, ObjectKind.Index, name);
        ReadOnlySpan<byte> sealedRoot = rest[..rootBytes];
        sealer.VerifySignature(header, name, head, [], sealedRoot, rest[rootBytes..]);
        if (rootBytes < Aead.TagBytes) throw new DamageException(name, "its root is too short");
        // Opened in place: a root is some megabytes, most of them the filter's.
        Span<byte> root = rest[..(rootBytes - Aead.TagBytes)];
        using (Aead cipher = sealer.IndexCipher(header, name))
        {
            if (!cipher.TryOpen(IndexObject.RootCounter, sealedRoot, root, ObjectSealer.Associated(head, name)))
            {
                throw new DamageException(name, "its seal is broken");
            }
        }

        var reader = new ByteReader(root, name);
        long entryCount = reader.U32();
        uint packCount = reader.U32();
        if (packCount > reader.Remaining / IndexedPack.EncodedBytes) throw reader.Damage($"{packCount} packs");
        var packs = new IndexedPack[packCount];
        long chunks = 0;
        for (int i = 0; i < packs.Length; i++)
        {
            var kind = (ObjectKind)reader.U8();
            var session = SessionId.Decode(reader.Bytes(SessionId.Size));
            var pack = new IndexedPack(new PackId(kind, session, reader.U32()), (int)reader.U32(), (int)reader.U32(), (int)reader.U32());
            if (kind is not (ObjectKind.DataPack or ObjectKind.TreePack) || pack.PackBytes is < 0 or > PackFooter.MaxPackBytes
                || (uint)pack.ChunkCount > PackFooter.MaxChunks || (uint)pack.FooterBytes > (uint)pack.PackBytes)
            {
                throw reader.Damage($"pack {i}: kind {(byte)kind}, {pack.PackBytes} bytes, {pack.ChunkCount} chunks");
            }

            packs[i] = pack;
            chunks += pack.ChunkCount;
        }

        if (chunks != entryCount) throw reader.Damage($"{entryCount} entries for {chunks} chunks");
        int pages = IndexObject.PageCount((int)entryCount);
        long pageBytes = (entryCount * IndexObject.EntryBytes) + ((long)pages * Aead.TagBytes);
        if (pageBytes != length - ObjectHeader.Size - rest.Length - PackFooter.EndBytes) throw reader.Damage($"pages of {pageBytes} bytes do not fit");
        ulong[] fences = new ulong[pages];
        for (int i = 0; i < pages; i++)
        {
            fences[i] = BinaryPrimitives.ReadUInt64BigEndian(reader.Bytes(8));
            if (i > 0 && fences[i - 1] > fences[i]) throw reader.Damage($"page {i} is out of order");
        }

        uint blocks = reader.U32();
        if (blocks == 0 || blocks > reader.Remaining / 64) throw reader.Damage($"filter of {blocks} blocks");
        IndexFilter filter = IndexFilter.Decode(reader.Bytes((int)blocks * 64));
        reader.ExpectEnd();
        return new IndexReader(store, sealer, name, header, packs, (int)entryCount, fences, filter);
    }

    private static async Task<bool> TryReadAsync(IObjectStore store, string name, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        int? read = await store.ReadAsync(name, offset, target, cancellationToken).ConfigureAwait(false);
        if (read is null) return false;
        if (read != target.Length) throw new DamageException(name, $"ends at byte {offset + read}");
        return true;
    }

    /// <summary>Reads and opens a page; returns how many bytes of the buffer its entries take.</summary>
    /// <remarks>
    /// Nothing is kept: ids are spread over all pages, so the page of one is not asked for again until long after, and
    /// what lies beside a chunk that was found is known from its pack's footer.
    /// </remarks>
    private async ValueTask<int> ReadPageAsync(int page, byte[] buffer, CancellationToken cancellationToken)
    {
        int length = Math.Min(IndexObject.EntriesPerPage, EntryCount - (page * IndexObject.EntriesPerPage)) * IndexObject.EntryBytes;
        Memory<byte> sealedPage = buffer.AsMemory(0, length + Aead.TagBytes);
        long offset = ObjectHeader.Size + ((long)page * IndexObject.SealedPageBytes);
        int? read = await store.ReadAsync(Name, offset, sealedPage, cancellationToken).ConfigureAwait(false);
        if (read != sealedPage.Length) throw new DamageException(Name, $"page {page} is cut off or missing");
        using var cipher = new Aead(header.Cipher, key);
        if (!cipher.TryOpen((uint)page, sealedPage.Span, buffer.AsSpan(0, length))) throw new DamageException(Name, $"the seal of page {page} is broken");
        return length;
    }

    private void Search(ReadOnlySpan<byte> content, in ChunkId id, List<(PackId Pack, int Ordinal)> found)
    {
        uint low = (uint)(id.W1 >> 32);
        int first = 0, end = content.Length / IndexObject.EntryBytes;
        while (first < end)
        {
            int middle = (first + end) / 2;
            if (Compare(content[(middle * IndexObject.EntryBytes)..], id.W0, low) < 0) first = middle + 1;
            else end = middle;
        }

        for (int at = first * IndexObject.EntryBytes; at < content.Length && Compare(content[at..], id.W0, low) == 0; at += IndexObject.EntryBytes)
        {
            found.Add(Place(content[at..]));
        }
    }

    private (PackId Pack, int Ordinal) Place(ReadOnlySpan<byte> entry)
    {
        uint pack = BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]);
        int ordinal = BinaryPrimitives.ReadUInt16LittleEndian(entry[16..]);
        if (pack >= Packs.Count || ordinal >= Packs[(int)pack].ChunkCount) throw new DamageException(Name, $"entry for pack {pack}, chunk {ordinal}");
        return (Packs[(int)pack].Id, ordinal);
    }

    private static int Compare(ReadOnlySpan<byte> entry, ulong high, uint low)
    {
        int byHigh = BinaryPrimitives.ReadUInt64BigEndian(entry).CompareTo(high);
        return byHigh != 0 ? byHigh : BinaryPrimitives.ReadUInt32BigEndian(entry[8..]).CompareTo(low);
    }
}
