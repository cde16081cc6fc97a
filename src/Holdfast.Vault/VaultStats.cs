using Holdfast.Storage;
using Holdfast.Vault.Measuring;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault;

/// <summary>Objects of one kind.</summary>
/// <param name="Kind">Data, trees, index, refs, points, leases, marks, removals, settings, verified, damaged, quarantine, keys, writers, epochs, vault, or other for what does not belong to it.</param>
/// <param name="Objects">How many.</param>
/// <param name="Bytes">Their sizes in all, as the store tells them.</param>
public sealed record ObjectTotals(string Kind, long Objects, long Bytes);

/// <summary>How large a vault is.</summary>
public sealed record VaultTotals
{
    /// <summary>Objects by kind, the kinds that there are, largest first.</summary>
    public required IReadOnlyList<ObjectTotals> Kinds { get; init; }

    /// <summary>All objects.</summary>
    public long Objects => Kinds.Sum(kind => kind.Objects);

    /// <summary>Bytes of all objects: what the vault takes on its store.</summary>
    public long Bytes => Kinds.Sum(kind => kind.Bytes);

    /// <summary>Chunks of file content in all packs, also those that no point needs; a chunk in two packs counts twice.</summary>
    public long DataChunks { get; init; }

    /// <summary>Chunks of trees, likewise.</summary>
    public long TreeChunks { get; init; }

    /// <summary>Bytes of the data chunks before compression.</summary>
    public long DataRawBytes { get; init; }

    /// <summary>Bytes of the data chunks as they lie in packs: compressed and sealed, without headers and footers.</summary>
    public long DataStoredBytes { get; init; }

    /// <summary>Bytes of the tree chunks before compression.</summary>
    public long TreeRawBytes { get; init; }

    /// <summary>Bytes of the tree chunks as they lie in packs.</summary>
    public long TreeStoredBytes { get; init; }

    /// <summary>Restore points.</summary>
    public int Points { get; init; }

    /// <summary>Sources: pairs of host and roots that points have.</summary>
    public int Sources { get; init; }

    /// <summary>Bytes of all files of all points, each point counted whole: what they would take as plain copies, holes included.</summary>
    public long PointBytes { get; init; }

    /// <summary>How many times <see cref="PointBytes"/> is of <see cref="DataRawBytes"/>: what is saved by keeping equal content once. 1 without data.</summary>
    public double DedupRatio => DataRawBytes == 0 ? 1 : (double)PointBytes / DataRawBytes;

    /// <summary>How many times the raw bytes of all chunks are of their stored bytes. 1 without chunks.</summary>
    public double CompressionRatio => DataStoredBytes + TreeStoredBytes == 0 ? 1 : (double)(DataRawBytes + TreeRawBytes) / (DataStoredBytes + TreeStoredBytes);
}

/// <summary>How much some chunks are.</summary>
/// <param name="Chunks">How many, of data and trees.</param>
/// <param name="RawBytes">Their bytes before compression.</param>
/// <param name="StoredBytes">Their bytes in packs; of a group that is compressed as one, each chunk's share by its raw size.</param>
public sealed record ChunkTotals(long Chunks, long RawBytes, long StoredBytes)
{
    /// <summary>Both together.</summary>
    public static ChunkTotals operator +(ChunkTotals a, ChunkTotals b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return new ChunkTotals(a.Chunks + b.Chunks, a.RawBytes + b.RawBytes, a.StoredBytes + b.StoredBytes);
    }
}

/// <summary>How large a restore point is.</summary>
public sealed record PointTotals
{
    /// <summary>Everything in it that is no directory.</summary>
    public long Files { get; init; }

    /// <summary>Bytes of its files, holes included.</summary>
    public long Bytes { get; init; }

    /// <summary>What it refers to: each chunk once, however often it stands in it.</summary>
    public required ChunkTotals Referenced { get; init; }

    /// <summary>What it alone refers to: what a prune would free if this point were removed.</summary>
    public required ChunkTotals Unique { get; init; }
}

/// <summary>Numbers about a vault and its points, from listings, references and the footers of packs; no content is read.</summary>
public static class VaultStats
{
    private const int FootersAtOnce = 8;
    private static readonly string[] KindNames = ["data", "trees", "index", "refs", "points", "leases", "marks", "removals", "settings", "verified", "damaged", "quarantine", "keys", "writers", "epochs", VaultDescriptor.Name];

    /// <summary>Counts the whole vault. Packs whose footers are damaged are in the objects, their chunks are not counted, and <see cref="OpenVault.Damages"/> tells.</summary>
    /// <param name="vault">Which.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<VaultTotals> OfVaultAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        var kinds = new Dictionary<string, ObjectTotals>(StringComparer.Ordinal);
        var packs = new List<PackId>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync("", cancellationToken).ConfigureAwait(false))
        {
            string kind = KindOf(entry.Name);
            ObjectTotals known = kinds.GetValueOrDefault(kind) ?? new ObjectTotals(kind, 0, 0);
            kinds[kind] = known with { Objects = known.Objects + 1, Bytes = known.Bytes + entry.Length };
            if (PackId.TryParse(entry.Name, out PackId pack)) packs.Add(pack);
        }

        var gate = new Lock();
        ChunkTotals data = new(0, 0, 0), trees = new(0, 0, 0);
        var options = new ParallelOptions { MaxDegreeOfParallelism = FootersAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(packs, options, async (pack, cancellation) =>
        {
            if (await vault.Index.TryGetFooterAsync(pack, cancellation).ConfigureAwait(false) is not { } footer) return;
            lock (gate)
            {
                if (pack.Kind == ObjectKind.DataPack) data += new PackWeight(footer).Whole;
                else trees += new PackWeight(footer).Whole;
            }
        }).ConfigureAwait(false);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        return new VaultTotals
        {
            Kinds = [.. kinds.Values.OrderByDescending(kind => kind.Bytes)],
            DataChunks = data.Chunks,
            DataRawBytes = data.RawBytes,
            DataStoredBytes = data.StoredBytes,
            TreeChunks = trees.Chunks,
            TreeRawBytes = trees.RawBytes,
            TreeStoredBytes = trees.StoredBytes,
            Points = points.Count,
            Sources = points.Select(static point => point.Source).Distinct().Count(),
            PointBytes = points.Aggregate(0L, static (sum, point) => Trees.TreeAllowance.Sum(sum, point.Counts.Bytes)),
        };
    }

    /// <summary>Counts one restore point, and what of it no other point needs.</summary>
    /// <param name="vault">Which vault.</param>
    /// <param name="point">One of its points.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="DamageException">The point's references are missing or damaged.</exception>
    /// <remarks>Where another point's references are damaged, what it shares counts as unique; <see cref="OpenVault.Damages"/> tells.</remarks>
    public static async Task<PointTotals> OfPointAsync(OpenVault vault, RestorePoint point, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(point);
        Removals removals = await Removals.ReadAsync(vault, null, cancellationToken).ConfigureAwait(false);
        ReferenceSet own = removals.Map(
            await ReferenceSet.TryReadAsync(vault, point.References, cancellationToken).ConfigureAwait(false)
            ?? throw new DamageException(ReferenceSet.Name(point.References), "is missing"));
        Dictionary<PackId, ulong[]> shared = await SharedAsync(vault, point, own, removals, cancellationToken).ConfigureAwait(false);
        ChunkTotals referenced = new(0, 0, 0), unique = new(0, 0, 0);
        foreach (PackId pack in own.Packs)
        {
            if (await vault.Index.TryGetFooterAsync(pack, cancellationToken).ConfigureAwait(false) is not { } footer) continue;
            ulong[]? others = shared.GetValueOrDefault(pack);
            var weight = new PackWeight(footer);
            referenced += weight.Of(ordinal => own.Contains(pack, ordinal));
            unique += weight.Of(ordinal => own.Contains(pack, ordinal) && (others is null || !Has(others, ordinal)));
        }

        return new PointTotals { Files = point.Counts.Files, Bytes = point.Counts.Bytes, Referenced = referenced, Unique = unique };
    }

    /// <summary>Which chunks of the point's packs any other point needs.</summary>
    private static async Task<Dictionary<PackId, ulong[]>> SharedAsync(
        OpenVault vault, RestorePoint point, ReferenceSet own, Removals removals, CancellationToken cancellationToken)
    {
        var shared = new Dictionary<PackId, ulong[]>();
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        foreach (SessionId references in points.Where(other => other.Id != point.Id).Select(other => other.References).Distinct())
        {
            ReferenceSet? others = references == point.References ? own : await TryReadOrTellAsync(vault, references, cancellationToken).ConfigureAwait(false);
            if (others is null) continue;
            others = removals.Map(others);
            foreach (PackId pack in own.Packs)
            {
                ReadOnlySpan<ulong> theirs = others.OrdinalsOf(pack);
                if (theirs.IsEmpty) continue;
                if (!shared.TryGetValue(pack, out ulong[]? bits)) shared.Add(pack, bits = new ulong[(PackFooter.MaxChunks / 64) + 1]);
                for (int i = 0; i < theirs.Length; i++) bits[i] |= theirs[i];
            }
        }

        return shared;
    }

    private static async Task<ReferenceSet?> TryReadOrTellAsync(OpenVault vault, SessionId references, CancellationToken cancellationToken)
    {
        try
        {
            return await ReferenceSet.TryReadAsync(vault, references, cancellationToken).ConfigureAwait(false)
                ?? throw new DamageException(ReferenceSet.Name(references), "is missing");
        }
        catch (Log.HoldfastException error) when (DamageException.IsLoss(error))
        {
            vault.TellOfDamage(error);
            return null;
        }
    }

    private static bool Has(ulong[] bits, int ordinal) => (bits[ordinal / 64] & (1UL << (ordinal % 64))) != 0;

    private static string KindOf(string objectName)
    {
        int slash = objectName.IndexOf('/', StringComparison.Ordinal);
        string first = slash < 0 ? objectName : objectName[..slash];
        return KindNames.Contains(first, StringComparer.Ordinal) ? first : "other";
    }
}
