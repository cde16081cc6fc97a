using System.Globalization;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Checking;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Repairing;

/// <summary>Checks a vault and decides what to do about what is damaged. Writes nothing.</summary>
internal sealed class RepairPlanner(OpenVault vault, RepairRequest request) : IDisposable
{
    private readonly RepairOrder order = new();
    private readonly List<RepairStep> left = [];
    private readonly HashSet<int> bad = [];
    private readonly HashSet<int> healed = [];
    private readonly HashSet<PackId> untouchable = [];
    private readonly Dictionary<ulong, HashSet<string>> uncertified = [];
    private readonly LostPlaces places = new();
    private readonly List<ChunkSpare> spares = [];
    private CheckWork? work;
    private Removals? removals;
    private long chunksLost;

    private CheckWork Check => work ?? throw new InvalidOperationException("nothing was checked yet");

    public async Task<RepairPlan> PlanAsync(CancellationToken cancellationToken)
    {
        TwinVaultSpare? twin = AddSpares();
        var checkRequest = new CheckRequest
        {
            ReadData = request.ReadData,
            Workers = request.Workers,
            TableBytes = request.TableBytes,
            Progress = request.Progress,
            OnNotice = request.OnNotice,
        };
        work = new CheckWork(vault, checkRequest, new CheckSpares(twin is null ? null : TreeChunkOf(twin), places));
        CheckReport report = await work.RunAsync(cancellationToken).ConfigureAwait(false);
        var small = new SmallObjectPlan(vault, request, order, Leave, LeaveUnread);
        await small.RunAsync(Check.All, name => Check.Points.Points.Any(point => point.Name == name), cancellationToken).ConfigureAwait(false);
        if (LacksEpochs())
        {
            // What is missing may be there, and what was written now, removed keys could read.
            order.IsSmall = true;
            LeaveUncertified();
            Leave("", "there are objects of a key epoch that this key lacks: until it has that, all else stays as it is",
                "run it with the first admin's key, or --from a copy of this vault");
            return new RepairPlan { Report = report, Steps = RepairSteps.Of(order), Left = left, Order = order };
        }

        FindLostPacks();
        await SearchHeadlessAsync(cancellationToken).ConfigureAwait(false);
        await HealAsync(cancellationToken).ConfigureAwait(false);
        FindLostIndexes();
        await RebuildReferencesAsync(cancellationToken).ConfigureAwait(false);
        if (request.RewritesPoints) await FindPointsToRewriteAsync(report, cancellationToken).ConfigureAwait(false);
        FindQuarantine();
        await FindRecordsAsync(cancellationToken).ConfigureAwait(false);
        LeaveUncertified();
        return new RepairPlan { Report = report, Steps = RepairSteps.Of(order), Left = left, ChunksLost = chunksLost, Order = order };
    }

    public void Dispose() => work?.Dispose();

    /// <summary>Whether this key cannot tell what is there. The first admin began all epochs: what others say of more does not count.</summary>
    private bool LacksEpochs() =>
        vault.Sealer.LackedEpoch != 0 || (!vault.Sealer.Ring.IsOfFirstAdmin && Check.All.Any(static finding => finding.LacksEpoch));

    private TwinVaultSpare? AddSpares()
    {
        TwinVaultSpare? twin = null;
        if (request.From is { } from)
        {
            if (TwinVaultSpare.ShareNames(vault, from)) spares.Add(twin = new TwinVaultSpare(from));
            // What it has under another name is found by where it stands in files.
            if (!TwinVaultSpare.AreTwins(vault, from)) spares.Add(new OtherVaultSpare(from));
        }

        if (request.ReadsSource) spares.Add(new SourceSpare());
        return twin;
    }

    private Func<ChunkId, CancellationToken, Task<ReadOnlyMemory<byte>?>> TreeChunkOf(TwinVaultSpare twin) =>
        (id, cancellationToken) => twin.TryGetAsync(new LostChunk(id, ObjectKind.TreePack, []), vault.TreeProof, cancellationToken);

    /// <summary>Packs that are missing or damaged anywhere; of those whose footer is whole, what can be salvaged.</summary>
    private void FindLostPacks()
    {
        var badOf = new Dictionary<PackId, HashSet<int>>();
        foreach (Finding finding in Check.All)
        {
            bool isPack = PackId.TryParse(finding.ObjectName, out PackId id);
            if (isPack && finding.DependsOnKey)
            {
                untouchable.Add(id);
                LeaveUnread(finding);
            }

            foreach (int number in finding.Chunks)
            {
                bad.Add(number);
                (CheckedPack pack, int ordinal) = Check.Table.Place(number);
                if (!badOf.TryGetValue(pack.Id, out HashSet<int>? ordinals)) badOf.Add(pack.Id, ordinals = []);
                ordinals.Add(ordinal);
            }
        }

        order.LostPacks.UnionWith(Check.Packs.Unusable.Keys.Where(pack => !untouchable.Contains(pack)));
        foreach ((PackId pack, HashSet<int> ordinals) in badOf.OrderBy(static pair => pair.Key))
        {
            if (untouchable.Contains(pack)) continue;
            order.LostPacks.Add(pack);
            order.Salvage.Add(new SalvagedPack(pack, ordinals));
        }
    }

    /// <summary>
    /// Packs whose footers are lost are looked through for what is missing, a few at a time: the others stay as they are until
    /// the next repair.
    /// </summary>
    private async Task SearchHeadlessAsync(CancellationToken cancellationToken)
    {
        PackId[] headless = [.. Check.Packs.Unusable.Keys.Where(pack => order.LostPacks.Contains(pack) && Check.Packs.IsStored(pack)).Order()];
        if (headless.Length == 0 || Check.Graph.Missing.Count == 0) return;
        var spare = new HeadlessSpare(vault);
        foreach (PackId pack in headless.Take(HeadlessSpare.MostPacks)) await spare.AddAsync(pack, cancellationToken).ConfigureAwait(false);
        foreach (PackId pack in headless.Skip(HeadlessSpare.MostPacks))
        {
            order.LostPacks.Remove(pack);
            Leave(pack.ObjectName, "its footer is lost; what is in it is looked for later", "run the repair again");
        }

        if (spare.IsEmpty) return;
        var wanted = new List<WantedChunk>();
        foreach (TreeNode node in Check.Graph.Nodes)
        {
            if (node.Key.Number < Check.Table.Count) continue;
            int length = node.Key.Depth > 0 ? 0 : Check.Graph.MissingLength(node.Key.Number) ?? int.MaxValue;
            wanted.Add(new WantedChunk(Check.Graph.IdOf(node.Key.Number).Id, node.Key.Use, node.Key.Depth, length));
        }

        for (int i = 0; i < Check.Graph.Missing.Count; i++)
        {
            (ChunkId id, ObjectKind kind) = Check.Graph.Missing[i];
            if (kind == ObjectKind.DataPack && Check.Graph.MissingLength(Check.Table.Count + i) is { } length) wanted.Add(new WantedChunk(id, TreeUse.Data, 0, length));
        }

        spare.Search(wanted, Follow);
        spares.Insert(0, spare);
        HashSet<(ChunkId Id, ObjectKind Kind)> known = [.. Check.Graph.Missing];
        // What only lost trees lead to is not among what points are known to need.
        foreach ((ChunkId id, ObjectKind kind) in spare.Found.Where(found => !known.Contains(found)))
        {
            order.Heal.Add(new HealedChunk(new LostChunk(id, kind, []), spare));
        }
    }

    /// <summary>Adds what a tree chunk names that no pack holds.</summary>
    private void Follow(WantedChunk chunk, ReadOnlyMemory<byte> content, List<WantedChunk> wanted)
    {
        try
        {
            if (chunk.Depth > 0)
            {
                AddMissing(TreeReader.DecodeList(content.Span, "tree chunk"), chunk.Use, wanted);
                return;
            }

            if (chunk.Use == TreeUse.Changes) return;
            foreach (TreeEntry entry in DirectoryCodec.Decode(content.Span, "tree chunk", chunk.Use == TreeUse.Root))
            {
                if (entry.Content is { } inner) AddMissing(inner, entry.IsDirectory ? TreeUse.Directory : TreeUse.Data, wanted);
            }
        }
        catch (DamageException)
        {
            // It is what its id says, and wrong all the same: the next check tells.
        }
    }

    private void AddMissing(Content content, TreeUse use, List<WantedChunk> wanted)
    {
        foreach (ContentItem item in content.Items)
        {
            var chunk = WantedChunk.Of(item, use, content.Depth);
            if (item.Kind != ContentItemKind.Hole && Check.Table.Find(item.Id, chunk.Kind) < 0) wanted.Add(chunk);
        }
    }

    /// <summary>Looks for each lost chunk in the places that may be looked into.</summary>
    private async Task HealAsync(CancellationToken cancellationToken)
    {
        // Those of one file come in the order in which they were found in it.
        foreach (int number in Check.Losses.Numbers)
        {
            (ChunkId id, ObjectKind kind) = Check.Graph.IdOf(number);
            var chunk = new LostChunk(id, kind, places.Of(number));
            ChunkProof proof = kind == ObjectKind.DataPack ? vault.DataProof : vault.TreeProof;
            ChunkSpare? found = null;
            foreach (ChunkSpare spare in spares)
            {
                if (await spare.TryGetAsync(chunk, proof, cancellationToken).ConfigureAwait(false) is null) continue;
                found = spare;
                break;
            }

            if (found is null) chunksLost++;
            else Heal(number, new HealedChunk(chunk, found));
        }

        if (chunksLost > 0)
        {
            string where = spares.Count == 0 ? "" : $", which {string.Join(" and ", spares.Select(static spare => spare.Name))} cannot give either";
            Leave("", string.Create(CultureInfo.InvariantCulture, $"{chunksLost} lost chunks that points need{where}"),
                "--from another vault, or --source where the files are unchanged, may bring them back; a new backup stores what the source still has");
        }
    }

    private void Heal(int number, HealedChunk chunk)
    {
        order.Heal.Add(chunk);
        healed.Add(number);
    }

    private void FindLostIndexes()
    {
        foreach (Finding finding in Check.All)
        {
            if (!finding.ObjectName.StartsWith(IndexObject.Prefix, StringComparison.Ordinal)) continue;
            if (finding.DependsOnKey) LeaveUnread(finding);
            else order.RebuildsIndex = true;
            if (!finding.DependsOnKey && !finding.ObjectName.EndsWith('*')) order.LostIndexes.Add(finding.ObjectName);
        }

        foreach (IndexReader index in Check.Packs.Indexes)
        {
            if (!index.Packs.Any(pack => order.LostPacks.Contains(pack.Id))) continue;
            order.LostIndexes.Add(index.Name);
            order.RebuildsIndex = true;
        }
    }

    /// <summary>References that are damaged, or name packs that will not be there, or lack what comes back: made anew from the trees of their points.</summary>
    private async Task RebuildReferencesAsync(CancellationToken cancellationToken)
    {
        foreach (IGrouping<SessionId, CheckedPoint> users in Check.Points.Points.GroupBy(static point => point.Point.References))
        {
            string name = ReferenceSet.Name(users.Key);
            Finding[] findings = [.. Check.All.Where(finding => finding.ObjectName == name)];
            if (Array.Find(findings, static finding => finding.DependsOnKey) is { } unread)
            {
                LeaveUnread(unread);
                continue;
            }

            ReferenceSet? old = await TryReadAsync(users.Key, cancellationToken).ConfigureAwait(false);
            bool isSound = findings.Length == 0 && old is not null && !old.Packs.Any(order.LostPacks.Contains);
            if (isSound && !NeedsHealed(users)) continue;
            order.References.Add(Rebuild(users.Key, users, old));
        }
    }

    private bool NeedsHealed(IEnumerable<CheckedPoint> users) => healed.Count > 0 && Needed(users).Any(healed.Contains);

    private IEnumerable<int> Needed(IEnumerable<CheckedPoint> users) =>
        PointCheck.Needed(Check.Graph, Check.Table.Count + Check.Graph.Missing.Count, users);

    private RebuiltReferences Rebuild(SessionId session, IEnumerable<CheckedPoint> users, ReferenceSet? old)
    {
        var sound = new ReferenceSet();
        var moved = new HashSet<(ChunkId Id, ObjectKind Kind)>();
        // What it named stays named: trees that cannot be read now may be brought back later.
        foreach (PackId pack in old?.Packs ?? []) Keep(old!, pack, sound, moved);
        foreach (int number in Needed(users))
        {
            if (number < Check.Table.Count && TryFindSound(number, out CheckedPack? pack, out int ordinal)) sound.Add(pack.Id, pack.Count, ordinal);
            else moved.Add(Check.Graph.IdOf(number));
        }

        return new RebuiltReferences(session, sound, moved);
    }

    private void Keep(ReferenceSet old, PackId pack, ReferenceSet sound, HashSet<(ChunkId Id, ObjectKind Kind)> moved)
    {
        bool isLost = order.LostPacks.Contains(pack);
        CheckedPack? known = Check.Table.TryGet(pack);
        int count = old.ChunkCountOf(pack);
        // Of a pack whose footer is lost it is not known what it held; of another, a wrong count says nothing.
        if (known is null ? isLost : known.Count != count) return;
        for (int ordinal = 0; ordinal < count; ordinal++)
        {
            if (!old.Contains(pack, ordinal)) continue;
            if (isLost) moved.Add((known!.IdOf(ordinal), pack.Kind));
            else sound.Add(pack, count, ordinal);
        }
    }

    /// <summary>A copy of a chunk that stays where it is.</summary>
    private bool TryFindSound(int number, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out CheckedPack? pack, out int ordinal)
    {
        foreach (int copy in Check.Table.CopiesOf(Check.Table.FirstOf(number)))
        {
            (pack, ordinal) = Check.Table.Place(copy);
            if (!bad.Contains(copy) && !order.LostPacks.Contains(pack.Id)) return true;
        }

        pack = null;
        ordinal = 0;
        return false;
    }

    private async Task<ReferenceSet?> TryReadAsync(SessionId session, CancellationToken cancellationToken)
    {
        try
        {
            if (await ReferenceSet.TryReadAsync(vault, session, cancellationToken).ConfigureAwait(false) is not { } read) return null;
            removals ??= await Removals.ReadAsync(vault, null, cancellationToken).ConfigureAwait(false);
            return removals.Map(read);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            return null;
        }
    }

    private async Task FindPointsToRewriteAsync(CheckReport report, CancellationToken cancellationToken)
    {
        HashSet<SessionId> hit =
            [.. report.Damages.SelectMany(static damage => damage.Affected).Where(static path => path.Kind is AffectedKind.Data or AffectedKind.Tree).Select(static path => path.Point)];
        // While something comes back, it is not known yet what stays lost.
        if (order.Heal.Count > 0 || hit.Count == 0) return;
        PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        foreach (RestorePoint point in Check.Points.Points.Select(static point => point.Point).Where(point => hit.Contains(point.Id)))
        {
            if (marks.ForgottenSince(point.Id) is not null) continue;
            if (marks.Damage is not null) Leave(PointCodec.Name(point.Id), "it is not known whether it is on hold", "bring back the damaged mark, or put it away with --drop-unreadable");
            else if (RetentionPlan.HoldAt(point with { Hold = marks.HoldOf(point.Id) }, vault.Host.Clock.GetUtcNow()) is not null)
                Leave(PointCodec.Name(point.Id), "is on hold, so it is not replaced", "\"holdfast release\" ends a hold");
            else order.Rewrite.Add(point);
        }
    }

    private void FindQuarantine()
    {
        order.Quarantine.AddRange(order.LostIndexes.Order(StringComparer.Ordinal));
        order.Quarantine.AddRange(order.LostPacks.Where(Check.Packs.IsStored).Order().Select(static pack => pack.ObjectName));
    }

    /// <summary>Every pack that a record names is gone, or was read anew, or is on its way to quarantine.</summary>
    private async Task FindRecordsAsync(CancellationToken cancellationToken)
    {
        if (untouchable.Count > 0) return;
        await foreach (ObjectEntry entry in vault.Store.ListAsync(DamageRecord.Prefix, cancellationToken).ConfigureAwait(false)) order.ClearRecords.Add(entry.Name);
    }

    private void LeaveUnread(Finding finding)
    {
        if (finding.UnknownWriter is not { } writer) Leave(finding.ObjectName, $"{finding.What}; it stays as it is", "repair with a key that reads it");
        else if (!uncertified.TryGetValue(writer, out HashSet<string>? names)) uncertified.Add(writer, [finding.ObjectName]);
        else names.Add(finding.ObjectName);
    }

    /// <summary>What hangs on one certificate, in one line; nothing where that comes back: the next repair sees what it makes readable.</summary>
    private void LeaveUncertified()
    {
        foreach ((ulong writer, HashSet<string> names) in uncertified)
        {
            string prefix = WriterStatement.Prefix + WriterStatement.IdText(writer);
            if (order.BringsBack(prefix)) continue;
            if (names.Count == 1)
            {
                // It need not be a certificate that is missing: the writer's id may be what is damaged.
                Leave(names.Single(), $"written by {WriterStatement.IdText(writer)}, whom no certificate of this vault names; it stays as it is", "--from a copy of this vault may bring it back, or the certificate");
                continue;
            }

            Leave(
                prefix, string.Create(CultureInfo.InvariantCulture, $"no certificate names this writer, and {names.Count} objects that it signed stay as they are, as nobody can tell whether they are whole"),
                "--from a copy of this vault brings back the certificate");
        }
    }

    private void Leave(string name, string what, string hint) => left.Add(new RepairStep(RepairAction.None, name, $"{what}: {hint}"));
}
