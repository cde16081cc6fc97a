using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Pruning;

/// <summary>A pack that is needed in part.</summary>
/// <param name="Pack">Which.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="UnusedBytes">How much of it nobody needs.</param>
/// <param name="FreedBytes">How much of that comes free when the rest is moved; the others move along with it.</param>
internal readonly record struct PartPack(PackId Pack, long Bytes, long UnusedBytes, long FreedBytes)
{
    public double FreedShare => Bytes == 0 ? 0 : (double)FreedBytes / Bytes;
}

/// <summary>Which packs go, and of which the rest is moved first.</summary>
internal sealed class PruneChoice
{
    // A read each. Of more packs, which take seconds to minutes, the share of the chunks is near enough.
    private const int MaxFooters = 4096;
    private const int FootersAtOnce = 8;
    private const double LeastFreedShare = 1.0 / 64;

    /// <summary>Packs that nobody needs.</summary>
    public List<PackId> Unneeded { get; } = [];

    public long UnneededBytes { get; private set; }

    /// <summary>Packs whose chunks are moved, those first of which the least is needed.</summary>
    public List<PartPack> Moved { get; } = [];

    public long MovedPackBytes { get; private set; }

    public long MovedBytes { get; private set; }

    /// <summary>Bytes of what stays, when all that was chosen is done.</summary>
    public long KeptBytes { get; private set; }

    /// <summary>How much of that nobody needs.</summary>
    public long UnusedBytes { get; private set; }

    /// <summary>How much of that is not worth a move, or would move along.</summary>
    public long StuckBytes { get; private set; }

    /// <summary>How many packs have keys of old epochs, if they are to be wrapped anew; some of them may be moved anyway.</summary>
    public int OldPacks { get; private set; }

    public long OldPackBytes { get; private set; }

    public bool IsEstimate { get; private set; }

    /// <summary>Whether more would have been moved, but for the limit.</summary>
    public bool IsLimited { get; private set; }

    public static async Task<PruneChoice> MakeAsync(OpenVault vault, PruneState state, PruneRequest request, PruneBudget budget, CancellationToken cancellationToken)
    {
        var choice = new PruneChoice();
        ReferenceSet needed = state.Removals.Map(state.Live.Needed);
        HashSet<SessionId> active = [.. state.Sessions.Select(static session => session.Id)];
        var parts = new List<PackId>();
        var wholes = new List<PackId>();
        foreach ((PackId pack, long bytes) in state.Packs)
        {
            if (state.Removals.IsRemoved(pack)) continue;
            int count = needed.NeededCountOf(pack);
            if (active.Contains(pack.Session) || (count > 0 && count == needed.ChunkCountOf(pack)))
            {
                choice.KeptBytes += bytes;
                if (!active.Contains(pack.Session)) wholes.Add(pack);
                continue;
            }

            if (count > 0)
            {
                parts.Add(pack);
                continue;
            }

            choice.Unneeded.Add(pack);
            choice.UnneededBytes += bytes;
        }

        choice.Unneeded.Sort();
        List<PartPack> weighed = await choice.WeighAsync(vault, state, needed, parts, budget, cancellationToken).ConfigureAwait(false);
        choice.Choose(weighed, request);
        if (request.Rewraps)
        {
            weighed.AddRange(wholes.Select(pack => new PartPack(pack, state.Packs[pack], 0, 0)));
            choice.ChooseOld(await FindOldAsync(vault, weighed, needed, budget, cancellationToken).ConfigureAwait(false), request);
        }

        return choice;
    }

    private async Task<List<PartPack>> WeighAsync(
        OpenVault vault, PruneState state, ReferenceSet needed, List<PackId> parts, PruneBudget budget, CancellationToken cancellationToken)
    {
        var weighed = new List<PartPack>(parts.Count);
        var gate = new Lock();
        bool readsFooters = parts.Count <= MaxFooters;
        IsEstimate = !readsFooters;
        if (readsFooters) budget.Count(2 * parts.Count);
        var options = new ParallelOptions { MaxDegreeOfParallelism = FootersAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(parts, options, async (pack, cancellation) =>
        {
            PackFooter? footer = readsFooters ? await vault.Index.TryGetFooterAsync(pack, cancellation).ConfigureAwait(false) : null;
            long bytes = state.Packs[pack];
            long unused = bytes - (bytes * needed.NeededCountOf(pack) / needed.ChunkCountOf(pack)), freed = unused;
            if (footer is not null) (unused, freed) = Weigh(footer, needed, CanOpen(vault.Sealer.Ring.Current, pack.Kind));
            lock (gate) weighed.Add(new PartPack(pack, bytes, unused, freed));
        }).ConfigureAwait(false);
        return weighed;
    }

    private void Choose(List<PartPack> parts, PruneRequest request)
    {
        parts.Sort(static (left, right) =>
        {
            int byShare = right.FreedShare.CompareTo(left.FreedShare);
            return byShare != 0 ? byShare : left.Pack.CompareTo(right.Pack);
        });
        long unused = parts.Sum(static part => part.UnusedBytes), total = KeptBytes + parts.Sum(static part => part.Bytes);
        foreach (PartPack part in parts)
        {
            long most = request.MaxUnusedBytes ?? (long)(total * request.MaxUnusedShare);
            // What would be as large afterwards is moved by no prune.
            if (unused <= most || part.FreedShare < LeastFreedShare) break;
            if (!TryMove(part, request)) continue;
            unused -= part.FreedBytes;
            total -= part.FreedBytes;
        }

        StuckBytes = parts.Sum(static part => part.FreedShare < LeastFreedShare ? part.UnusedBytes : part.UnusedBytes - part.FreedBytes);
        KeptBytes = total;
        UnusedBytes = unused;
    }

    private void ChooseOld(List<PartPack> old, PruneRequest request)
    {
        // Those of one session together, so that what was read together stays together.
        old.Sort(static (left, right) => left.Pack.CompareTo(right.Pack));
        OldPacks = old.Count;
        OldPackBytes = old.Sum(static pack => pack.Bytes);
        HashSet<PackId> chosen = [.. Moved.Select(static part => part.Pack)];
        foreach (PartPack pack in old)
        {
            if (chosen.Contains(pack.Pack) || !TryMove(pack, request)) continue;
            KeptBytes -= pack.FreedBytes;
            UnusedBytes -= pack.FreedBytes;
            if (pack.FreedShare < LeastFreedShare) StuckBytes -= pack.FreedBytes;
        }
    }

    private bool TryMove(in PartPack part, PruneRequest request)
    {
        long left = part.Bytes - part.FreedBytes;
        if (MovedBytes + left > (request.MaxMovedBytes ?? long.MaxValue))
        {
            IsLimited = true;
            return false;
        }

        Moved.Add(part);
        MovedPackBytes += part.Bytes;
        MovedBytes += left;
        return true;
    }

    /// <summary>Packs with a group that is needed and whose key is sealed in an epoch that is not the newest. Costs a read each.</summary>
    private static async Task<List<PartPack>> FindOldAsync(
        OpenVault vault, List<PartPack> packs, ReferenceSet needed, PruneBudget budget, CancellationToken cancellationToken)
    {
        var old = new List<PartPack>();
        budget.Count(2 * packs.Count);
        var options = new ParallelOptions { MaxDegreeOfParallelism = FootersAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(packs, options, async (pack, cancellation) =>
        {
            PackFooter? footer = await vault.Index.TryGetFooterAsync(pack.Pack, cancellation).ConfigureAwait(false);
            if (footer is null || !IsOld(footer, needed, vault.Sealer.Ring)) return;
            lock (old) old.Add(pack);
        }).ConfigureAwait(false);
        return old;
    }

    private static bool IsOld(PackFooter footer, ReferenceSet needed, KeyRing ring)
    {
        foreach (PackGroup group in footer.Groups)
        {
            PackKey key = footer.KeyOf(group);
            if (!KeyRenewal.IsOld(ring, key) || !ring.CanOpen(key.Epoch, footer.Pack.Kind)) continue;
            for (int i = group.FirstChunk; i < group.FirstChunk + group.ChunkCount; i++)
            {
                if (needed.Contains(footer.Pack, i)) return true;
            }
        }

        return false;
    }

    /// <summary>Of a group that is compressed as one, each chunk's share by its raw size; what is beside the groups counts as needed.</summary>
    private static (long Unused, long Freed) Weigh(PackFooter footer, ReferenceSet needed, bool canOpen)
    {
        ReadOnlySpan<ulong> ordinals = needed.OrdinalsOf(footer.Pack);
        long unused = 0, freed = 0;
        foreach (PackGroup group in footer.Groups)
        {
            long raw = 0;
            for (int i = group.FirstChunk; i < group.FirstChunk + group.ChunkCount; i++)
            {
                bool isNeeded = i / 64 < ordinals.Length && (ordinals[i / 64] & (1UL << (i % 64))) != 0;
                if (!isNeeded) raw += footer.Chunks[i].Length;
            }

            if (group.RawBytes == 0) continue;
            long share = group.SealedBytes * raw / group.RawBytes;
            unused += share;
            // Of less than this, or without the keys to open it, a group is copied as it is (PackMover).
            if (raw == group.RawBytes || (canOpen && raw >= group.RawBytes / 8)) freed += share;
        }

        return (unused, freed);
    }

    private static bool CanOpen(KeyEpoch epoch, ObjectKind kind) => epoch.Identity is not null && epoch.CanOpenPacks(kind);
}
