using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Checking;

/// <summary>One check, from the descriptor to what damage affects.</summary>
internal sealed class CheckWork(OpenVault vault, CheckRequest request, CheckSpares? spares = null) : IDisposable
{
    private readonly Findings findings = new(request);
    private int keySlots;

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
        await CheckDescriptorAsync(cancellationToken).ConfigureAwait(false);
        await CheckKeySlotsAsync(cancellationToken).ConfigureAwait(false);
        await CheckMarksAsync(cancellationToken).ConfigureAwait(false);
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
        await points.CheckRootsAsync(cancellationToken).ConfigureAwait(false);
        points.CheckCounts(trees.Graph);
        await points.CheckCoverageAsync(table, trees.Graph, cancellationToken).ConfigureAwait(false);
        using VerificationLog? log = request is { ReadData: true, Rolling: true }
            ? await VerificationLog.ReadAsync(vault, packs.StoredTimes, findings.Tell, cancellationToken).ConfigureAwait(false)
            : null;
        var data = new DataCheck(vault, request, table, findings, log);
        if (request.ReadData) await data.RunAsync(cancellationToken).ConfigureAwait(false);
        await RecordDamageAsync(data, table, cancellationToken).ConfigureAwait(false);

        LossMap losses = Losses = new LossMap(table, trees.Graph, packs, index, findings);
        if (!losses.IsEmpty)
        {
            var trace = new EffectTrace(trees.Graph, chunks, losses, findings, spares?.Places);
            foreach (CheckedPoint point in points.Points) await trace.TraceAsync(point, cancellationToken).ConfigureAwait(false);
        }

        List<Finding> all = findings.All();
        losses.Reassure(all);
        All = all;
        return new CheckReport
        {
            Damages = [.. all.Select(finding => finding.ToDamagedThing())],
            Notices = findings.Notices,
            KeySlots = keySlots,
            Points = points.Points.Count,
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

    private async Task CheckDescriptorAsync(CancellationToken cancellationToken)
    {
        try
        {
            byte[] id = await VaultDescriptor.ReadIdAsync(vault.Store, cancellationToken).ConfigureAwait(false);
            if (!id.AsSpan().SequenceEqual(vault.VaultId)) findings.Add(VaultDescriptor.Name, $"is of vault {Convert.ToHexStringLower(id)}, {vault.Id} expected");
        }
        catch (HoldfastException error) when (IsLossOf(error))
        {
            findings.Add(VaultDescriptor.Name, error);
        }
    }

    /// <summary>That they look like key slots; whether they open, their passwords would tell.</summary>
    private async Task CheckKeySlotsAsync(CancellationToken cancellationToken)
    {
        bool hasOurs = false;
        await foreach (ObjectEntry entry in vault.Store.ListAsync(KeyDirectory.Prefix, cancellationToken).ConfigureAwait(false))
        {
            keySlots++;
            string id = entry.Name[KeyDirectory.Prefix.Length..];
            hasOurs |= id == vault.KeySlotId;
            try
            {
                byte[]? slot = await vault.Store.TryGetAsync(entry.Name, KeySlot.MaxBytes, cancellationToken).ConfigureAwait(false);
                if (slot is not null) KeySlot.ThrowIfMalformed(slot, id);
            }
            catch (HoldfastException error) when (IsLossOf(error))
            {
                findings.Add(entry.Name, error);
            }
        }

        if (!hasOurs) findings.Add(KeyDirectory.Prefix + vault.KeySlotId, "is missing: the vault was opened with it");
    }

    private async Task CheckMarksAsync(CancellationToken cancellationToken)
    {
        await foreach (ObjectEntry entry in vault.Store.ListAsync(PointMark.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (!PointMark.TryParseName(entry.Name, out _))
            {
                findings.Tell(entry.Name, "does not belong to the vault");
                continue;
            }

            try
            {
                await PointMark.TryReadAsync(vault, entry, cancellationToken).ConfigureAwait(false);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                findings.Add(entry.Name, error).Reassurance = "every restore point is there all the same, but none can be forgotten";
            }
        }
    }

    // The vault was opened a moment ago: a descriptor or slot that cannot be understood now is damaged, whatever its reader calls it.
    private static bool IsLossOf(HoldfastException error) => error is not ObjectStoreException || DamageException.IsLoss(error);
}
