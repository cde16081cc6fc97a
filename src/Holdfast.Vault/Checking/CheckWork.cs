using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Checking;

/// <summary>One check, from the descriptor to what damage affects.</summary>
internal sealed class CheckWork(OpenVault vault, CheckRequest request, CheckSpares? spares = null) : IDisposable
{
    private readonly Findings findings = new(request);

    /// <summary>What was found, once the check has run.</summary>
    public IReadOnlyList<Finding> All { get; private set; } = [];

    public PointCheck Points { get; private set; } = null!;

    public PackInventory Packs { get; private set; } = null!;

    public ChunkTable Table { get; private set; } = null!;

    public TreeGraph Graph { get; private set; } = null!;

    public LossMap Losses { get; private set; } = null!;

    public void Dispose() => Packs?.Dispose();

    public async Task<CheckReport> RunAsync(CancellationToken cancellationToken)
    {
        var small = new SmallObjectCheck(vault, findings);
        await small.RunAsync(cancellationToken).ConfigureAwait(false);
        // This order makes a backup that is at work meanwhile harmless: see PackInventory.
        PointCheck points = Points = new PointCheck(vault, findings);
        await points.LoadAsync(cancellationToken).ConfigureAwait(false);
        PackInventory packs = Packs = new PackInventory(vault, request, findings);
        await packs.LoadIndexesAsync(cancellationToken).ConfigureAwait(false);
        ChunkTable table = Table = await packs.LoadPacksAsync(points.NeededPacks, cancellationToken).ConfigureAwait(false);
        var index = new IndexCheck(vault, request, table, packs, findings);
        await index.RunAsync(cancellationToken).ConfigureAwait(false);

        using var chunks = new ChunkReader(vault, table, findings);
        var trees = new TreeCheck(request, table, chunks, findings, spares?.TreeChunk);
        Graph = trees.Graph;
        foreach (CheckedPoint point in points.Points)
        {
            point.TreeRoots = trees.AddRoot(point.Point.Tree, TreeUse.Root, point.Name);
            point.ChangesRoots = trees.AddRoot(point.Point.Changes, TreeUse.Changes, point.Name);
        }

        await trees.RunAsync(cancellationToken).ConfigureAwait(false);
        await points.CheckRootsAsync(table, trees.Graph, cancellationToken).ConfigureAwait(false);
        points.CheckCounts(trees.Graph);
        await points.CheckCoverageAsync(table, trees.Graph, packs.Removals, cancellationToken).ConfigureAwait(false);
        using VerificationLog? log = request is { ReadData: true, Rolling: true }
            ? await VerificationLog.ReadAsync(vault, packs.StoredTimes, findings.Tell, cancellationToken).ConfigureAwait(false)
            : null;
        var data = new DataCheck(vault, request, table, findings, log);
        if (request.ReadData) await data.RunAsync(cancellationToken).ConfigureAwait(false);
        await RecordDamageAsync(data, table, cancellationToken).ConfigureAwait(false);
        await small.CheckRecordsAsync(cancellationToken).ConfigureAwait(false);

        LossMap losses = Losses = new LossMap(table, trees.Graph, packs, index, findings);
        if (!losses.IsEmpty)
        {
            var trace = new EffectTrace(trees.Graph, chunks, losses, findings, spares?.Places);
            foreach (CheckedPoint point in points.Points) await trace.TraceAsync(point, cancellationToken).ConfigureAwait(false);
        }

        List<Finding> all = await WithoutPrunedAsync(findings.All(), cancellationToken).ConfigureAwait(false);
        losses.Reassure(all);
        // Where some of it cannot be opened, what seems to be missing may lie there.
        if (all.Any(static finding => finding.LacksEpoch)) all.ForEach(static finding => finding.LacksEpoch |= finding.IsAbsence);
        All = all;
        return new CheckReport
        {
            Damages = [.. all.Select(static finding => finding.ToDamagedThing())],
            Notices = findings.Notices,
            KeySlots = small.KeySlots,
            Points = points.Points.Count,
            DroppedPoints = points.Dropped,
            IndexObjects = packs.Indexes.Count,
            Packs = packs.StoredCount,
            PacksRead = data.PacksRead,
            Chunks = table.Count,
            ChunksRead = data.ChunksRead,
            BytesRead = data.BytesRead,
            Directories = trees.Directories,
            Files = trees.Files,
            UnfinishedSessions = packs.UnfinishedSessions,
            OldestVerified = log?.OldestAge(),
            PacksOverdue = log?.CountOlderThan(request.MaxAge) ?? 0,
        };
    }

    /// <summary>
    /// What was found without what only points miss that were pruned while the check was at work; of forgotten ones, that they are.
    /// </summary>
    private async Task<List<Finding>> WithoutPrunedAsync(List<Finding> found, CancellationToken cancellationToken)
    {
        if (found.Count == 0) return found;
        PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        var left = new List<Finding>(found.Count);
        foreach (Finding finding in found)
        {
            bool wasPruned = finding.Affected.RemoveAll(affected => marks.IsCondemned(affected.Point)) > 0;
            if (wasPruned && finding.IsAbsence && finding.Affected.Count == 0) continue;
            for (int i = 0; i < finding.Affected.Count; i++)
            {
                if (marks.ForgottenSince(finding.Affected[i].Point) is not null) finding.Affected[i] = finding.Affected[i] with { IsForgotten = true };
            }

            left.Add(finding);
        }

        return left;
    }

    /// <summary>What earlier checks found broken and this one did not read is as broken as before; what it found anew is recorded.</summary>
    private async Task RecordDamageAsync(DataCheck data, ChunkTable table, CancellationToken cancellationToken)
    {
        HashSet<(PackId Pack, int Group)> recorded = await DamageRecord.ReadAllAsync(vault, cancellationToken).ConfigureAwait(false);
        foreach ((PackId id, int group) in recorded)
        {
            if (data.HasRead(id) || table.TryGet(id) is not { } pack) continue;
            findings.AddChunks(findings.Add(id.ObjectName, $"group {group} was found broken by an earlier check"), pack.NumbersOf(group));
        }

        if (!request.RecordsDamage || !request.ReadData) return;
        var broken = new HashSet<(PackId Pack, int Group)>();
        foreach (int number in findings.All().Where(static finding => !finding.DependsOnKey).SelectMany(static finding => finding.Chunks))
        {
            (CheckedPack pack, int ordinal) = table.Place(number);
            broken.Add((pack.Id, pack.GroupOf(ordinal)));
        }

        broken.ExceptWith(recorded);
        if (broken.Count == 0) return;
        try
        {
            await DamageRecord.PutAsync(vault, broken, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (error is ObjectStoreException or { Kind: ErrorKind.WrongKey })
        {
            findings.Tell(DamageRecord.Prefix, $"what is broken cannot be recorded, so backups go on counting it as known: {error.Message}");
        }
    }
}
