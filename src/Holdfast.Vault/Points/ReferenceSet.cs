using System.Collections.Concurrent;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Points;

/// <summary>
/// The packs and chunks that a restore point needs. Layout: docs/formats/vault.md, "Restore points". May be added to
/// from any thread.
/// </summary>
internal sealed class ReferenceSet
{
    public const string Prefix = "refs/";

    // Stands for all chunks of a pack: most packs are needed whole, and need no bitmap then.
    private static readonly ulong[] Whole = [];
    private readonly ConcurrentDictionary<PackId, ulong[]> packs = new();
    private readonly ConcurrentDictionary<PackId, int> counts = new();

    public static string Name(SessionId id) => Prefix + id;

    /// <summary>The packs, in no particular order.</summary>
    public IEnumerable<PackId> Packs => packs.Keys;

    /// <summary>The packs by kind, session and number: those of one session in the order in which they were written.</summary>
    public PackId[] SortedPacks()
    {
        PackId[] sorted = [.. packs.Keys];
        Array.Sort(sorted);
        return sorted;
    }

    /// <summary>How many packs there are.</summary>
    public int PackCount => packs.Count;

    public void Add(PackId pack, int chunkCount, int ordinal)
    {
        counts.TryAdd(pack, chunkCount);
        ulong[] bitmap = packs.GetOrAdd(pack, static (_, count) => new ulong[(count + 63) / 64], chunkCount);
        if (bitmap == Whole) return;
        Interlocked.Or(ref bitmap[ordinal / 64], 1UL << (ordinal % 64));
    }

    public void AddAll(PackId pack, int chunkCount)
    {
        counts[pack] = chunkCount;
        packs[pack] = Whole;
    }

    public bool Contains(PackId pack, int ordinal) =>
        packs.TryGetValue(pack, out ulong[]? bitmap) && (uint)ordinal < (uint)counts[pack]
        && (bitmap == Whole || (bitmap[ordinal / 64] & (1UL << (ordinal % 64))) != 0);

    /// <summary>Whether everything in <paramref name="other"/> is in this set too.</summary>
    public bool ContainsAll(ReferenceSet other)
    {
        foreach ((PackId pack, ulong[] wanted) in other.packs)
        {
            if (!packs.TryGetValue(pack, out ulong[]? bitmap) || counts[pack] != other.counts[pack]) return false;
            if (bitmap == Whole) continue;
            if (wanted == Whole)
            {
                if (CountOf(bitmap) != counts[pack]) return false;
                continue;
            }

            for (int i = 0; i < wanted.Length; i++)
            {
                if ((wanted[i] & ~bitmap[i]) != 0) return false;
            }
        }

        return true;
    }

    public bool Holds(PackId pack) => packs.ContainsKey(pack);

    public int ChunkCountOf(PackId pack) => counts[pack];

    /// <summary>How many chunks of a pack are needed.</summary>
    public int NeededCountOf(PackId pack) =>
        !packs.TryGetValue(pack, out ulong[]? bitmap) ? 0 : bitmap == Whole ? counts[pack] : CountOf(bitmap);

    /// <summary>A set of its own with the same chunks.</summary>
    public ReferenceSet Clone()
    {
        var clone = new ReferenceSet();
        foreach ((PackId pack, ulong[] bitmap) in packs)
        {
            clone.counts[pack] = counts[pack];
            clone.packs[pack] = bitmap == Whole ? Whole : [.. bitmap];
        }

        return clone;
    }

    /// <summary>From now on a pack's chunks are those of another set, or none.</summary>
    public void Replace(PackId pack, ReferenceSet other)
    {
        if (other.packs.TryGetValue(pack, out ulong[]? bitmap))
        {
            packs[pack] = bitmap;
            return;
        }

        Remove(pack);
    }

    public void Remove(PackId pack)
    {
        packs.TryRemove(pack, out _);
        counts.TryRemove(pack, out _);
    }

    /// <summary>Adds what a references object names.</summary>
    /// <exception cref="DamageException">It is damaged, or differs from the others in how many chunks a pack has.</exception>
    public void Add(ReferenceReader reader, string name)
    {
        while (reader.MoveNext())
        {
            int known = counts.GetOrAdd(reader.Pack, reader.ChunkCount);
            if (known != reader.ChunkCount) throw new DamageException(name, $"names {reader.Pack} with {reader.ChunkCount} chunks, others with {known}");
            if (reader.IsWhole)
            {
                packs[reader.Pack] = Whole;
                continue;
            }

            ulong[] bitmap = packs.GetOrAdd(reader.Pack, static (_, count) => new ulong[(count + 63) / 64], known);
            if (bitmap == Whole) continue;
            for (int i = 0; i < reader.Bitmap.Length; i++) bitmap[i / 8] |= (ulong)reader.Bitmap[i] << (8 * (i % 8));
            // What is written behind the last chunk says nothing.
            if (known % 64 != 0) bitmap[^1] &= (1UL << (known % 64)) - 1;
        }
    }

    /// <summary>Which chunks of a pack are needed: bit i % 64 of word i / 64 for ordinal i.</summary>
    public ReadOnlySpan<ulong> OrdinalsOf(PackId pack)
    {
        if (!packs.TryGetValue(pack, out ulong[]? bitmap)) return [];
        return bitmap == Whole ? AllOf(counts[pack]) : bitmap;
    }

    public byte[] Encode()
    {
        PackId[] sorted = SortedPacks();
        var writer = new ByteWriter(64 * (sorted.Length + 1));
        writer.U32((uint)sorted.Length);
        foreach (PackId pack in sorted)
        {
            writer.U8((byte)pack.Kind);
            pack.Session.Encode(writer.Take(SessionId.Size));
            writer.U32(pack.Number);
            int count = counts[pack];
            ulong[] bitmap = packs[pack];
            writer.U32((uint)count);
            bool isWhole = bitmap == Whole || CountOf(bitmap) == count;
            writer.U8((byte)(isWhole ? 1 : 0));
            if (isWhole) continue;
            for (int i = 0; i < (count + 7) / 8; i++) writer.U8((byte)(bitmap[i / 8] >> (8 * (i % 8))));
        }

        return writer.ToArray();
    }

    /// <summary>Reads and verifies the references of a session; null when the vault has none.</summary>
    public static async Task<ReferenceSet?> TryReadAsync(OpenVault vault, SessionId id, CancellationToken cancellationToken)
    {
        byte[]? body = await TryReadBodyAsync(vault, id, cancellationToken).ConfigureAwait(false);
        return body is null ? null : Decode(body, Name(id));
    }

    /// <summary>The opened body of the references of a session, for a <see cref="ReferenceReader"/>; null when the vault has none.</summary>
    public static async Task<byte[]?> TryReadBodyAsync(OpenVault vault, SessionId id, CancellationToken cancellationToken)
    {
        string name = Name(id);
        byte[]? content = await vault.Store.TryGetAsync(name, IObjectStore.MaxObjectBytes, cancellationToken).ConfigureAwait(false);
        return content is null ? null : vault.Sealer.Open(ObjectKind.References, name, content).Body;
    }

    /// <summary>
    /// Tells the index that all of a point is about to be asked for, in the order of its tree. Null when its list is lost,
    /// which costs no more than a look into the index.
    /// </summary>
    /// <param name="vault">Whose index.</param>
    /// <param name="point">Which point.</param>
    /// <param name="removals">By which chunks are looked for where they are now; null where that is not known.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static async Task<ReferenceSet?> ExpectAsync(OpenVault vault, RestorePoint point, Removals? removals, CancellationToken cancellationToken)
    {
        try
        {
            ReferenceSet? references = await TryReadAsync(vault, point.References, cancellationToken).ConfigureAwait(false);
            if (references is not null && removals is not null) references = removals.Map(references);
            if (references is not null) vault.Index.Expect(references.SortedPacks());
            return references;
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            return null;
        }
    }

    public static ReferenceSet Decode(ReadOnlySpan<byte> body, string name)
    {
        var reader = new ReferenceReader(body, name);
        var set = new ReferenceSet();
        while (reader.MoveNext())
        {
            if (reader.IsWhole)
            {
                set.AddAll(reader.Pack, reader.ChunkCount);
                continue;
            }

            for (int ordinal = 0; ordinal < reader.ChunkCount; ordinal++)
            {
                if ((reader.Bitmap[ordinal / 8] & (1 << (ordinal % 8))) != 0) set.Add(reader.Pack, reader.ChunkCount, ordinal);
            }
        }

        return set;
    }

    private static ulong[] AllOf(int chunkCount)
    {
        ulong[] bitmap = new ulong[(chunkCount + 63) / 64];
        Array.Fill(bitmap, ulong.MaxValue);
        if (chunkCount % 64 != 0) bitmap[^1] = (1UL << (chunkCount % 64)) - 1;
        return bitmap;
    }

    private static int CountOf(ulong[] bitmap)
    {
        int set = 0;
        foreach (ulong word in bitmap) set += System.Numerics.BitOperations.PopCount(word);
        return set;
    }
}
