using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Points;
using Holdfast.Vault.Repairing;

namespace Holdfast.Vault.Pruning;

/// <summary>The points that stay, and what they need. A point that cannot be read, or whose needs cannot be, stops a prune.</summary>
/// <remarks>A bit a chunk of the packs that are needed in part, whatever the number of points.</remarks>
internal sealed class LiveSet(OpenVault vault, PruneBudget budget)
{
    private const int ReadsAtOnce = 8;
    private readonly Dictionary<SessionId, SessionId> points = [];

    // References objects that points name, as the store showed them when they were read.
    private readonly Dictionary<SessionId, (long Length, DateTimeOffset Stored)> lists = [];

    /// <summary>What they need, as their references name it.</summary>
    public ReferenceSet Needed { get; private set; } = new();

    /// <summary>Points that are there although they are condemned.</summary>
    public IReadOnlyList<SessionId> Leftover { get; private set; } = [];

    public int Count => points.Count;

    /// <summary>Whether a point that stays names a references object.</summary>
    public bool Names(SessionId references) => lists.ContainsKey(references);

    /// <summary>Lists the points, and reads what is new.</summary>
    /// <param name="goes">Which points are condemned.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public async Task RefreshAsync(Func<SessionId, bool> goes, CancellationToken cancellationToken)
    {
        if (points.Keys.Any(goes))
        {
            // What they alone needed cannot be told from the rest.
            points.Clear();
            lists.Clear();
            Needed = new ReferenceSet();
        }

        var added = new List<ObjectEntry>();
        var leftover = new List<SessionId>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(PointCodec.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (!SessionId.TryParse(entry.Name.AsSpan(PointCodec.Prefix.Length), out SessionId id)) continue;
            if (goes(id)) leftover.Add(id);
            else if (!points.ContainsKey(id)) added.Add(entry);
        }

        Leftover = leftover;
        var gate = new Lock();
        var options = new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(added, options, async (entry, cancellation) =>
        {
            RestorePoint? point = await ReadPointAsync(entry, cancellation).ConfigureAwait(false);
            if (point is null) return;
            lock (gate) points[point.Id] = point.References;
        }).ConfigureAwait(false);
        Dictionary<SessionId, (long Length, DateTimeOffset Stored)> news = await ListNewsAsync(cancellationToken).ConfigureAwait(false);
        await Parallel.ForEachAsync(news.Keys, options, async (list, cancellation) =>
        {
            if (await TryReadReferencesAsync(list, cancellation).ConfigureAwait(false) is not { } body) return;
            lock (gate) Needed.Add(new ReferenceReader(body, ReferenceSet.Name(list)), ReferenceSet.Name(list));
        }).ConfigureAwait(false);
        foreach ((SessionId list, (long Length, DateTimeOffset Stored) shown) in news) lists[list] = shown;
        budget.Count(2 + (2 * (added.Count + news.Count)));
    }

    /// <summary>References objects that points name, but for those that were read and are still the same: a repair replaces them.</summary>
    private async Task<Dictionary<SessionId, (long Length, DateTimeOffset Stored)>> ListNewsAsync(CancellationToken cancellationToken)
    {
        var news = new Dictionary<SessionId, (long Length, DateTimeOffset Stored)>();
        foreach (SessionId list in points.Values)
        {
            if (!lists.ContainsKey(list)) news[list] = default;
        }

        await foreach (ObjectEntry entry in vault.Store.ListAsync(ReferenceSet.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (!SessionId.TryParse(entry.Name.AsSpan(ReferenceSet.Prefix.Length), out SessionId list)) continue;
            (long Length, DateTimeOffset Stored) shown = (entry.Length, entry.Stored);
            if (lists.TryGetValue(list, out (long Length, DateTimeOffset Stored) known) ? known != shown : news.ContainsKey(list)) news[list] = shown;
        }

        return news;
    }

    private async Task<RestorePoint?> ReadPointAsync(ObjectEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            _ = SessionId.TryParse(entry.Name.AsSpan(PointCodec.Prefix.Length), out SessionId id);
            RestorePoint? point = await RestorePoints.TryReadAsync(vault, id, entry, cancellationToken).ConfigureAwait(false);
            if (point is not null || vault.Store.Capabilities.Staleness == TimeSpan.Zero) return point;
            // It was listed: a store that shows what was may not show it to a read yet.
            await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
            return await RestorePoints.TryReadAsync(vault, id, entry, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            throw new HoldfastException(
                ErrorKind.Damage, $"{error.Message}; so it is not known what that point needs, and nothing is deleted",
                Remedy.FromCopyOrDrop, error);
        }
    }

    /// <summary>Null where another prune has deleted all points that name it meanwhile.</summary>
    private async Task<byte[]?> TryReadReferencesAsync(SessionId list, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? body = await ReferenceSet.TryReadBodyAsync(vault, list, cancellationToken).ConfigureAwait(false);
            if (body is not null) return body;
            await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
            body = await ReferenceSet.TryReadBodyAsync(vault, list, cancellationToken).ConfigureAwait(false);
            if (body is not null) return body;
            foreach ((SessionId point, SessionId named) in points)
            {
                if (named != list || await vault.Store.StatAsync(PointCodec.Name(point), cancellationToken).ConfigureAwait(false) is null) continue;
                throw new DamageException(ReferenceSet.Name(list), "is missing");
            }

            return null;
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            throw new HoldfastException(
                ErrorKind.Damage, $"{error.Message}; so it is not known what {Users(list)} needs, and nothing is deleted",
                "\"holdfast repair\" makes it anew; or forget the points that name it", error);
        }
    }

    private string Users(SessionId list) =>
        string.Join(", ", points.Where(point => point.Value == list).Select(static point => $"restore point {point.Key.ToShortString()}"));
}
