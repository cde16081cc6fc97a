using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Checking;

/// <summary>Opens points and their references.</summary>
internal sealed class PointCheck(OpenVault vault, Findings findings)
{
    private const string NamedByNobody = "no point that can be read names it. A backup at work, or a backup or prune that was cut off, leaves such a list. If a restore point is missing, " +
        "bring it back with \"holdfast repair --from\" a copy of the vault, before the next prune";

    // By which references tell where chunks are now.
    private Removals? removals;

    public List<CheckedPoint> Points { get; } = [];

    /// <summary>How many of them are forgotten.</summary>
    public int Dropped { get; private set; }

    /// <summary>Packs that any point needs.</summary>
    public HashSet<PackId> NeededPacks { get; } = [];

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        removals = await Removals.ReadAsync(vault, null, cancellationToken).ConfigureAwait(false);
        PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        await foreach (ObjectEntry entry in vault.Store.ListAsync(PointCodec.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (!SessionId.TryParse(entry.Name.AsSpan(PointCodec.Prefix.Length), out SessionId id))
            {
                findings.Tell(entry.Name, "does not belong to the vault");
                continue;
            }

            // A prune that was cut off left it; what it needed may be gone.
            if (marks.IsCondemned(id)) continue;
            try
            {
                RestorePoint? point = await RestorePoints.TryReadAsync(vault, id, entry, cancellationToken).ConfigureAwait(false);
                if (point is null) continue;
                Points.Add(new CheckedPoint(point));
                if (marks.ForgottenSince(id) is not null) Dropped++;
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                findings.Add(entry.Name, error).Affected.Add(new AffectedPath(id, default, AffectedKind.Point, []));
            }
        }

        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (IGrouping<SessionId, CheckedPoint> users in Points.GroupBy(point => point.Point.References))
        {
            named.Add(ReferenceSet.Name(users.Key));
            _ = await TryReadAsync(users.Key, users, NeedPacks, cancellationToken).ConfigureAwait(false);
        }

        await foreach (ObjectEntry entry in vault.Store.ListAsync(ReferenceSet.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (named.Contains(entry.Name)) continue;
            // Of one that a removal names it is known why.
            bool isGoing = SessionId.TryParse(entry.Name.AsSpan(ReferenceSet.Prefix.Length), out SessionId id) && removals.References.ContainsKey(id);
            findings.Tell(entry.Name, isGoing ? "no point names it any more; the next prune deletes it" : NamedByNobody);
        }
    }

    /// <summary>Whether each point's tree is about as large as the point says: else nobody reads it to its end.</summary>
    public void CheckCounts(TreeGraph graph)
    {
        foreach (CheckedPoint point in Points)
        {
            (long entries, long bytes) = graph.CountBelow(point.TreeRoots);
            try
            {
                new Trees.TreeAllowance(point.Point).Take(entries, bytes);
            }
            catch (DamageException damage)
            {
                findings.Add(point.Name, damage).Affected.Add(point.Affected(AffectedKind.Tree));
            }
        }
    }

    /// <summary>Whether each point's tree begins at its roots: else nobody restores it.</summary>
    public async Task CheckRootsAsync(ChunkTable table, TreeGraph graph, CancellationToken cancellationToken)
    {
        foreach (CheckedPoint point in Points)
        {
            // Else all filters of the index would be loaded for a few chunks whose places are known.
            vault.Index.Expect(PacksOf(table, graph, point.TreeRoots));
            try
            {
                await vault.Trees.ReadRootsAsync(point.Point, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException damage) when (damage.Thing == point.Name)
            {
                findings.Add(point.Name, damage).Affected.Add(point.Affected(AffectedKind.Tree));
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                // A chunk that cannot be read: the walk through all trees tells of it.
            }
        }
    }

    /// <summary>Whether each point's references name every chunk that its trees lead to.</summary>
    /// <param name="table">The chunks.</param>
    /// <param name="graph">The trees.</param>
    /// <param name="removals">As they were when the packs were read: by them references are compared with these.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public async Task CheckCoverageAsync(ChunkTable table, TreeGraph graph, Removals removals, CancellationToken cancellationToken)
    {
        this.removals = removals;
        foreach (IGrouping<SessionId, CheckedPoint> users in Points.GroupBy(point => point.Point.References))
        {
            var covered = new NumberSet(table.Count);
            bool isRead = await TryReadAsync(users.Key, users, (body, name) => Cover(body, name, table, covered), cancellationToken).ConfigureAwait(false);
            if (!isRead) continue;
            // One walk for all that share the references: what one of them lacks is missing in the same object.
            int lacking = 0, example = int.MaxValue;
            foreach (int number in Needed(graph, table.Count, users))
            {
                if (covered.Contains(number)) continue;
                lacking++;
                example = Math.Min(example, number);
            }

            if (lacking == 0) continue;
            (CheckedPack pack, int ordinal) = table.Place(example);
            findings.AddAbsence(ReferenceSet.Name(users.Key), $"leaves out {lacking} chunks that its points need, the first is chunk {ordinal} of {pack.Id}")
                .Affected.AddRange(users.Select(user => user.Affected(AffectedKind.References)));
        }
    }

    private static List<PackId> PacksOf(ChunkTable table, TreeGraph graph, int[] roots)
    {
        var found = new List<PackId>();
        var pending = new Stack<int>(roots);
        while (pending.TryPop(out int place))
        {
            TreeNode node = graph.Nodes[place];
            if (node.Key.Number < table.Count) found.Add(table.Place(node.Key.Number).Pack.Id);
            if (node.Key.Depth == 0) continue;
            foreach (int child in node.Children) pending.Push(child);
        }

        return found;
    }

    /// <summary>Reads references and does something with them; false where that cannot be done, which is noted.</summary>
    private async Task<bool> TryReadAsync(SessionId id, IEnumerable<CheckedPoint> users, Action<byte[], string> use, CancellationToken cancellationToken)
    {
        string name = ReferenceSet.Name(id);
        Finding finding;
        try
        {
            if (await ReferenceSet.TryReadBodyAsync(vault, id, cancellationToken).ConfigureAwait(false) is { } body)
            {
                use(body, name);
                return true;
            }

            finding = findings.AddAbsence(name, "is missing");
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            finding = findings.Add(name, error);
        }

        if (finding.Affected.Count == 0) finding.Affected.AddRange(users.Select(user => user.Affected(AffectedKind.References)));
        return false;
    }

    private void NeedPacks(byte[] body, string name)
    {
        var needed = new List<PackId>();
        if (removals!.HasMoves)
        {
            needed.AddRange(removals.Map(ReferenceSet.Decode(body, name)).Packs);
        }
        else
        {
            // Without a set of all that they name: references of a large vault are some megabytes.
            var reader = new ReferenceReader(body, name);
            while (reader.MoveNext()) needed.Add(reader.Pack);
        }

        NeededPacks.UnionWith(needed);
    }

    /// <summary>Adds the numbers of the chunks that references name.</summary>
    private void Cover(byte[] body, string name, ChunkTable table, NumberSet covered)
    {
        if (removals!.HasMoves)
        {
            ReferenceSet references = removals.Map(ReferenceSet.Decode(body, name));
            foreach (PackId pack in references.Packs) Cover(name, pack, references.ChunkCountOf(pack), references.OrdinalsOf(pack), table, covered);
            return;
        }

        var reader = new ReferenceReader(body, name);
        ulong[] words = new ulong[(PackFooter.MaxChunks / 64) + 1];
        while (reader.MoveNext()) Cover(name, reader.Pack, reader.ChunkCount, reader.CopyTo(words), table, covered);
    }

    /// <summary>Any copy covers its chunk.</summary>
    private void Cover(string name, PackId packId, int chunkCount, ReadOnlySpan<ulong> ordinals, ChunkTable table, NumberSet covered)
    {
        if (table.TryGet(packId) is not { } pack) return;
        if (chunkCount != pack.Count) findings.Add(name, $"names {packId} with {chunkCount} chunks, it has {pack.Count}");
        if (!table.HasCopies)
        {
            covered.AddAll(pack.First, pack.Count, ordinals);
            return;
        }

        for (int i = 0; i < Math.Min(pack.Count, ordinals.Length * 64); i++)
        {
            if ((ordinals[i / 64] & (1UL << (i % 64))) != 0) covered.Add(table.FirstOf(pack.First + i));
        }
    }

    /// <summary>Numbers of the chunks that points lead to, each once; without those that no pack holds.</summary>
    public static IEnumerable<int> Needed(TreeGraph graph, int limit, IEnumerable<CheckedPoint> users)
    {
        var needed = new NumberSet(limit);
        var met = new NumberSet(graph.Nodes.Count);
        var pending = new Stack<int>(users.SelectMany(user => user.TreeRoots.Concat(user.ChangesRoots)));
        while (pending.TryPop(out int place))
        {
            if (!met.Add(place)) continue;
            TreeNode node = graph.Nodes[place];
            if (node.Key.Number < limit && needed.Add(node.Key.Number)) yield return node.Key.Number;
            foreach (int number in node.Data)
            {
                if (number < limit && needed.Add(number)) yield return number;
            }

            foreach (int child in node.Children) pending.Push(child);
        }
    }
}
