using Holdfast.Log;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Measuring;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Retention;

/// <summary>How much comes free when points are dropped: from their references, the index, and footers of packs; never from trees or data.</summary>
internal sealed class SpaceMeasurement(OpenVault vault, Removals removals)
{
    // A read each. Of more packs, which take seconds to minutes, the share of the chunks is near enough.
    private const int MaxFooters = 4096;
    private const int FootersAtOnce = 8;

    private readonly FreedChunks freed = new();
    private bool isEstimate;

    public static async Task<FreedSpace> MeasureAsync(
        OpenVault vault, IEnumerable<RestorePoint> dropped, IEnumerable<RestorePoint> kept, CancellationToken cancellationToken)
    {
        Removals removals = await Removals.ReadAsync(vault, null, cancellationToken).ConfigureAwait(false);
        var measurement = new SpaceMeasurement(vault, removals);
        HashSet<SessionId> keptLists = [.. kept.Select(static point => point.References)];
        // What a point needs that cannot be read is known at best from the list that it wrote itself.
        keptLists.UnionWith(vault.UnreadablePoints.Keys);
        measurement.isEstimate = vault.UnreadablePoints.Count > 0;
        HashSet<SessionId> droppedLists = [.. dropped.Select(static point => point.References)];
        // One list serves points of the same tree.
        droppedLists.ExceptWith(keptLists);
        if (droppedLists.Count == 0) return new FreedSpace(0, 0, 0, 0, 0, measurement.isEstimate);
        foreach (SessionId list in droppedLists) await measurement.TakeAsync(list, isKept: false, cancellationToken).ConfigureAwait(false);
        foreach (SessionId list in keptLists) await measurement.TakeAsync(list, isKept: true, cancellationToken).ConfigureAwait(false);
        return await measurement.WeighAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task TakeAsync(SessionId list, bool isKept, CancellationToken cancellationToken)
    {
        string name = ReferenceSet.Name(list);
        try
        {
            byte[] body = await removals.ReadReferencesAsync(vault, list, cancellationToken).ConfigureAwait(false);
            if (isKept) freed.Remove(new ReferenceReader(body, name));
            else freed.Add(new ReferenceReader(body, name));
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            isEstimate = true;
            vault.TellOfDamage(error);
        }
    }

    private async Task<FreedSpace> WeighAsync(CancellationToken cancellationToken)
    {
        await vault.Index.LoadAsync(cancellationToken).ConfigureAwait(false);
        var waiting = freed.Packs.ToDictionary(static pack => pack.Pack, static pack => (pack.Freed, pack.ChunkCount));
        long chunks = waiting.Values.Sum(static pack => (long)pack.Freed);
        int wholePacks = waiting.Values.Count(static pack => pack.Freed == pack.ChunkCount), partPacks = waiting.Count - wholePacks;
        bool readsFooters = partPacks <= MaxFooters;
        long wholeBytes = 0, partBytes = 0;
        foreach (IndexedPack pack in vault.Index.Readers.SelectMany(static reader => reader.Packs))
        {
            // Two index objects may list one pack.
            if (!waiting.TryGetValue(pack.Id, out (int Freed, int ChunkCount) known)) continue;
            bool isWhole = known.Freed == known.ChunkCount;
            if (!isWhole && readsFooters) continue;
            waiting.Remove(pack.Id);
            if (isWhole) wholeBytes += pack.PackBytes;
            else partBytes += (long)pack.PackBytes * known.Freed / known.ChunkCount;
        }

        isEstimate |= !readsFooters && partPacks > 0;
        var gate = new Lock();
        var options = new ParallelOptions { MaxDegreeOfParallelism = FootersAtOnce, CancellationToken = cancellationToken };
        // Those in part, and those that no index lists.
        await Parallel.ForEachAsync(waiting, options, async (pack, cancellation) =>
        {
            PackFooter? footer = await vault.Index.TryGetFooterAsync(pack.Key, cancellation).ConfigureAwait(false);
            lock (gate)
            {
                if (footer is null) isEstimate = true;
                else if (pack.Value.Freed == pack.Value.ChunkCount) wholeBytes += footer.PackBytes;
                else partBytes += new PackWeight(footer).Of(ordinal => freed.Contains(footer.Pack, ordinal)).StoredBytes;
            }
        }).ConfigureAwait(false);
        return new FreedSpace(wholePacks, wholeBytes, partPacks, partBytes, chunks, isEstimate);
    }
}
