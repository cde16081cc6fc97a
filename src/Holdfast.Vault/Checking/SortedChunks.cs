using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Holdfast.Log;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;

namespace Holdfast.Vault.Checking;

/// <summary>Finds the numbers of chunks that are too many for memory: entries in a file, sorted by a hash of their ids.</summary>
/// <remarks>
/// 12 bytes a chunk in the file, 8 bytes a page of 256 in memory. Made in passes over all ids, each of which sorts as many as
/// fit into the memory given. The hash has a secret of its own: whoever makes up ids cannot gather them in one pass or page.
/// </remarks>
internal sealed class SortedChunks
{
    private const int EntryBytes = sizeof(ulong) + sizeof(int);
    private const int EntriesPerPage = 256;

    // Beyond the mean and a sixteenth of it: more than a hash that nobody can foresee ever comes to.
    private const int PassReserve = 1 << 16;
    private const long MaxSortBytes = 1 << 30;

    private readonly ChunkSpill spill;
    private readonly ulong[] factors = new ulong[4];
    private readonly List<ulong> fences = [];
    private readonly byte[] page = new byte[EntriesPerPage * EntryBytes];
    private int inPage;
    private long pagesAt;
    private long count;

    public SortedChunks(ChunkSpill spill, IEntropy entropy)
    {
        this.spill = spill;
        Span<byte> secret = stackalloc byte[factors.Length * sizeof(ulong)];
        entropy.Fill(secret);
        // Odd, so that none of them loses what it multiplies.
        for (int i = 0; i < factors.Length; i++) factors[i] = BinaryPrimitives.ReadUInt64LittleEndian(secret[(i * sizeof(ulong))..]) | 1;
    }

    /// <summary>Sorts all chunks; once, and before anything is looked for.</summary>
    /// <param name="packs">The packs, in the order of their numbers.</param>
    /// <param name="memoryBytes">How much memory the sorting may take.</param>
    /// <param name="onSame">
    /// Told the numbers, ascending, of chunks whose hash is the same; leaves those that are to be found in front, and returns how many.
    /// </param>
    public void Fill(IReadOnlyList<CheckedPack> packs, long memoryBytes, Func<int[], int> onSame)
    {
        long total = packs.Sum(static pack => (long)pack.Count);
        int passes = (int)((total * EntryBytes / Math.Clamp(memoryBytes, 1, MaxSortBytes)) + 1);
        int capacity = (int)Math.Min(total, (total / passes) + (total / passes / 16) + PassReserve);
        using var hashBytes = new NativeBytes(capacity * sizeof(ulong));
        using var numberBytes = new NativeBytes(capacity * sizeof(int));
        Span<ulong> hashes = MemoryMarshal.Cast<byte, ulong>(hashBytes.GetSpan());
        Span<int> numbers = MemoryMarshal.Cast<byte, int>(numberBytes.GetSpan());
        ulong width = (ulong.MaxValue / (ulong)passes) + 1;
        for (int pass = 0; pass < passes; pass++)
        {
            int found = Collect(packs, width, (ulong)pass, hashes, numbers, isOnly: passes == 1);
            hashes[..found].Sort(numbers[..found]);
            Write(hashes[..found], numbers[..found], onSame);
        }

        if (inPage > 0) WritePage();
    }

    /// <summary>Whether any of the numbers that were found for an id's hash is wanted; −1 when none is.</summary>
    public int Find(in ChunkId id, Func<int, bool> isWanted)
    {
        ulong hash = HashOf(id);
        int first = fences.BinarySearch(hash);
        if (first < 0) first = ~first - 1;
        // Entries of one hash may straddle pages.
        while (first > 0 && fences[first] == hash) first--;
        Span<byte> read = stackalloc byte[EntriesPerPage * EntryBytes];
        for (int i = Math.Max(first, 0); i < fences.Count && fences[i] <= hash; i++)
        {
            int entries = (int)Math.Min(EntriesPerPage, count - ((long)i * EntriesPerPage));
            Span<byte> content = read[..(entries * EntryBytes)];
            spill.Read(pagesAt + ((long)i * EntriesPerPage * EntryBytes), content);
            for (int entry = LowerBound(content, hash); entry < entries && HashAt(content, entry) == hash; entry++)
            {
                int number = BinaryPrimitives.ReadInt32LittleEndian(content[((entry * EntryBytes) + sizeof(ulong))..]);
                if (isWanted(number)) return number;
            }
        }

        return -1;
    }

    private static ulong HashAt(ReadOnlySpan<byte> content, int entry) => BinaryPrimitives.ReadUInt64LittleEndian(content[(entry * EntryBytes)..]);

    private static int LowerBound(ReadOnlySpan<byte> content, ulong hash)
    {
        int first = 0, end = content.Length / EntryBytes;
        while (first < end)
        {
            int middle = (first + end) / 2;
            if (HashAt(content, middle) < hash) first = middle + 1;
            else end = middle;
        }

        return first;
    }

    private int Collect(IReadOnlyList<CheckedPack> packs, ulong width, ulong pass, Span<ulong> hashes, Span<int> numbers, bool isOnly)
    {
        int found = 0;
        ChunkId[] buffer = [];
        foreach (CheckedPack pack in packs)
        {
            ReadOnlySpan<ChunkId> ids = pack.ReadIds(ref buffer);
            for (int i = 0; i < ids.Length; i++)
            {
                ulong hash = HashOf(ids[i]);
                if (!isOnly && hash / width != pass) continue;
                (hashes[found], numbers[found]) = (hash, pack.First + i);
                found++;
            }
        }

        return found;
    }

    private void Write(ReadOnlySpan<ulong> hashes, Span<int> numbers, Func<int[], int> onSame)
    {
        for (int i = 0; i < hashes.Length;)
        {
            int end = i + 1;
            while (end < hashes.Length && hashes[end] == hashes[i]) end++;
            if (end == i + 1)
            {
                Add(hashes[i], numbers[i]);
            }
            else
            {
                int[] same = numbers[i..end].ToArray();
                Array.Sort(same);
                foreach (int number in same.AsSpan(0, onSame(same))) Add(hashes[i], number);
            }

            i = end;
        }
    }

    private void Add(ulong hash, int number)
    {
        if (inPage == 0) fences.Add(hash);
        Span<byte> entry = page.AsSpan(inPage * EntryBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(entry, hash);
        BinaryPrimitives.WriteInt32LittleEndian(entry[sizeof(ulong)..], number);
        count++;
        if (++inPage == EntriesPerPage) WritePage();
    }

    // Nothing else is added meanwhile, so that pages lie behind each other.
    private void WritePage()
    {
        long at = spill.Append(page.AsSpan(0, inPage * EntryBytes));
        if (fences.Count == 1) pagesAt = at;
        inPage = 0;
    }

    private ulong HashOf(in ChunkId id) => (id.W0 * factors[0]) + (id.W1 * factors[1]) + (id.W2 * factors[2]) + (id.W3 * factors[3]);
}
