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
    /// <summary>Of who reads all of them, in one request.</summary>
    public const int PagesAtOnce = 64;

    private const int MaxRootBytes = IObjectStore.MaxObjectBytes;
    private readonly IObjectStore store;
    private readonly ObjectEntry stored;
    private readonly ObjectHeader header;
    private readonly ulong[] fences;
    private readonly IndexFilter filter;
    private readonly byte[] key;
    private bool isFilterDropped;

    private IndexReader(
        IObjectStore store, ObjectEntry stored, ObjectHeader header, byte[] key, IndexedPack[] packs, int entryCount, ulong[] fences, IndexFilter filter)
    {
        this.store = store;
        this.header = header;
        this.key = key;
        this.fences = fences;
        this.filter = filter;
        this.stored = stored;
        Packs = packs;
        EntryCount = entryCount;
    }

    public string Name => stored.Name;

    public IReadOnlyList<IndexedPack> Packs { get; }

    public int EntryCount { get; }

    public int PageCount => fences.Length;

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
        return Decode(store, sealer, entry, head, rest.GetSpan(), rootBytes);
    }

    /// <summary>Whether the chunk may be in this index: never false for one that is.</summary>
    public bool MayContain(in ChunkId id) => isFilterDropped || filter.MayContain(id);

    /// <summary>Lets go of the filter, which is most of its memory: any chunk may be in it then. Not while others use it.</summary>
    public void DropFilter()
    {
        isFilterDropped = true;
        filter.Dispose();
    }

    public void Dispose() => filter.Dispose();

    /// <summary>The same object, opened anew with its filter; null when it is gone.</summary>
    public Task<IndexReader?> TryReopenAsync(ObjectSealer sealer, CancellationToken cancellationToken) =>
        TryOpenAsync(store, sealer, stored, cancellationToken);

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
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>Whether an entry names a chunk of one of the packs.</summary>
    public bool Lists(in IndexEntry entry) => entry.Pack < Packs.Count && entry.Ordinal < Packs[(int)entry.Pack].ChunkCount;

    /// <summary>All entries, page by page. For check.</summary>
    /// <exception cref="DamageException">A page is damaged, the object is gone, or an entry names a chunk that no pack of it has.</exception>
    public async IAsyncEnumerable<IndexEntry> ReadAllAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        byte[] content = new byte[Math.Min(PagesAtOnce, PageCount) * IndexObject.SealedPageBytes];
        for (int i = 0; i < PageCount; i += PagesAtOnce)
        {
            int length = await ReadPagesAsync(i, PagesAtOnce, content, cancellationToken).ConfigureAwait(false);
            for (int at = 0; at < length; at += IndexEntry.Size)
            {
                var entry = IndexEntry.Decode(content.AsSpan(at));
                _ = Place(entry);
                yield return entry;
            }
        }
    }

    /// <summary>Reads and opens pages in one request.</summary>
    /// <param name="first">The first.</param>
    /// <param name="count">How many; fewer where the object has no more.</param>
    /// <param name="buffer">Room for as many sealed pages.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <returns>Bytes that their entries take, one behind the other, from the start of the buffer.</returns>
    /// <exception cref="DamageException">A page is damaged, or the object is gone.</exception>
    public async ValueTask<int> ReadPagesAsync(int first, int count, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        count = Math.Min(count, PageCount - first);
        int entries = Math.Min(count * IndexObject.EntriesPerPage, EntryCount - (first * IndexObject.EntriesPerPage));
        Memory<byte> sealedPages = buffer[..((entries * IndexEntry.Size) + (count * Aead.TagBytes))];
        long offset = ObjectHeader.Size + ((long)first * IndexObject.SealedPageBytes);
        int? read = await store.ReadAsync(Name, offset, sealedPages, cancellationToken).ConfigureAwait(false);
        if (read is null) throw DamageException.Missing(Name);
        if (read != sealedPages.Length) throw new DamageException(Name, $"page {first} or one behind is cut off");
        return OpenPages(first, sealedPages.Span);
    }

    private int OpenPages(int first, Span<byte> sealedPages)
    {
        using var cipher = new Aead(header.Cipher, key);
        int opened = 0;
        for (int from = 0, page = first; from < sealedPages.Length; page++)
        {
            Span<byte> sealedPage = sealedPages[from..Math.Min(from + IndexObject.SealedPageBytes, sealedPages.Length)];
            Span<byte> plain = sealedPage[..^Aead.TagBytes];
            if (!cipher.TryOpen((uint)page, sealedPage, plain)) throw new DamageException(Name, $"the seal of page {page} is broken");
            plain.CopyTo(sealedPages[opened..]);
            opened += plain.Length;
            from += sealedPage.Length;
        }

        return opened;
    }

    private static IndexReader Decode(
        IObjectStore store, ObjectSealer sealer, ObjectEntry entry, ReadOnlySpan<byte> head, Span<byte> rest, int rootBytes)
    {
        string name = entry.Name;
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
        if (pageBytes != entry.Length - ObjectHeader.Size - rest.Length - PackFooter.EndBytes) throw reader.Damage($"pages of {pageBytes} bytes do not fit");
        ulong[] fences = new ulong[pages];
        for (int i = 0; i < pages; i++)
        {
            fences[i] = BinaryPrimitives.ReadUInt64BigEndian(reader.Bytes(8));
            if (i > 0 && fences[i - 1] > fences[i]) throw reader.Damage($"page {i} is out of order");
        }

        uint blocks = reader.U32();
        if (blocks == 0 || blocks > reader.Remaining / 64) throw reader.Damage($"filter of {blocks} blocks");
        ReadOnlySpan<byte> bits = reader.Bytes((int)blocks * 64);
        reader.ExpectEnd();
        byte[] key = sealer.IndexKey(header, name);
        // Last of all: its memory is nobody's where this throws.
        return new IndexReader(store, entry, header, key, packs, (int)entryCount, fences, IndexFilter.Decode(bits));
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
    private ValueTask<int> ReadPageAsync(int page, byte[] buffer, CancellationToken cancellationToken) =>
        ReadPagesAsync(page, 1, buffer, cancellationToken);

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
            found.Add(Place(IndexEntry.Decode(content[at..])));
        }
    }

    /// <summary>Where an entry says that the chunk lies.</summary>
    /// <exception cref="DamageException">The object lists no such pack, or the pack no such chunk.</exception>
    private (PackId Pack, int Ordinal) Place(in IndexEntry entry)
    {
        if (!Lists(entry)) throw new DamageException(Name, $"entry for pack {entry.Pack}, chunk {entry.Ordinal}");
        return (Packs[(int)entry.Pack].Id, entry.Ordinal);
    }

    private static int Compare(ReadOnlySpan<byte> entry, ulong high, uint low)
    {
        int byHigh = BinaryPrimitives.ReadUInt64BigEndian(entry).CompareTo(high);
        return byHigh != 0 ? byHigh : BinaryPrimitives.ReadUInt32BigEndian(entry[8..]).CompareTo(low);
    }
}
