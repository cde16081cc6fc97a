using System.Collections.Concurrent;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Checking;

/// <summary>Which packs there are, which there should be, and what their footers say.</summary>
/// <remarks>
/// Points were listed before index objects, and these before packs. A point needs only what was durable before it, so a
/// backup that is at work meanwhile is never taken for damage.
/// </remarks>
internal sealed class PackInventory(OpenVault vault, CheckRequest request, Findings findings) : IDisposable
{
    // Prunes that put packs faster than they are listed: what is not found then is told of as missing.
    private const int MaxRounds = 8;

    private readonly Dictionary<PackId, long> stored = [];
    private readonly Dictionary<PackId, DateTimeOffset> storedTimes = [];
    private readonly Dictionary<PackId, int> listedBytes = [];
    private readonly List<IndexReader> indexes = [];
    private readonly HashSet<string> damagedIndexes = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<CheckedPack> usable = [];
    private readonly ChunkSpill spill = new(vault.Host.Disk, request.TemporaryDirectory);
    private long chunks;
    private bool usesSpill;

    // Since they were listed.
    private readonly ConcurrentBag<PackId> vanished = [];
    private readonly ConcurrentDictionary<PackId, Finding> unusable = new();

    public IReadOnlyList<IndexReader> Indexes => indexes;

    /// <summary>When each pack was stored; only of a rolling check.</summary>
    public IReadOnlyDictionary<PackId, DateTimeOffset> StoredTimes => storedTimes;

    /// <summary>What prunes had decided when the packs were read.</summary>
    public Removals Removals { get; private set; } = null!;

    /// <summary>Packs in the store.</summary>
    public int StoredCount => stored.Count;

    /// <summary>Whether the store has a pack.</summary>
    public bool IsStored(PackId pack) => stored.ContainsKey(pack);

    /// <summary>Packs that are missing, or whose footer is.</summary>
    public IReadOnlyDictionary<PackId, Finding> Unusable => unusable;

    public int UnfinishedSessions { get; private set; }

    public void Dispose() => spill.Dispose();

    /// <summary>Opens index objects; only their lists of packs are kept.</summary>
    public async Task LoadIndexesAsync(CancellationToken cancellationToken)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        bool isComplete;
        do
        {
            isComplete = true;
            await foreach (ObjectEntry entry in vault.Store.ListAsync(IndexObject.Prefix, cancellationToken).ConfigureAwait(false))
            {
                // One that is gone when it is opened was replaced meanwhile, by others that the list need not show.
                if (known.Add(entry.Name)) isComplete &= await TryOpenIndexAsync(entry, cancellationToken).ConfigureAwait(false);
            }
        }
        while (!isComplete);
    }

    private async Task<bool> TryOpenIndexAsync(ObjectEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            IndexReader? reader = await IndexReader.TryOpenAsync(vault.Store.Uncached, vault.Sealer, entry, cancellationToken).ConfigureAwait(false);
            if (reader is null) return false;
            reader.DropFilter();
            indexes.Add(reader);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            damagedIndexes.Add(entry.Name);
            findings.Add(entry.Name, error).Reassurance = IndexCheck.Reassurance;
        }

        return true;
    }

    /// <summary>Lists the packs and reads all footers.</summary>
    public async Task<ChunkTable> LoadPacksAsync(IReadOnlySet<PackId> needed, CancellationToken cancellationToken)
    {
        long listedChunks = 0;
        foreach (IndexedPack pack in indexes.SelectMany(index => index.Packs))
        {
            if (!listedBytes.ContainsKey(pack.Id)) listedChunks += pack.ChunkCount;
            listedBytes[pack.Id] = pack.PackBytes;
        }

        // From the first on, where it is known before.
        usesSpill = AreTooMany(listedChunks);
        Removals removals = await ReadPacksAsync(cancellationToken).ConfigureAwait(false);
        ChunkTable table = MakeTable();
        foreach (PackId pack in vanished)
        {
            stored.Remove(pack);
            if (!removals.IsRemoved(pack)) NoteMissing(pack);
        }

        CompareWithIndexes(table, removals);
        foreach (PackId pack in needed)
        {
            // What moves meanwhile is looked for where it is, chunk by chunk.
            if (!stored.ContainsKey(pack) && !removals.IsRemoved(pack)) NoteMissing(pack);
        }

        TellOfUnlisted(needed);
        Removals = removals;
        return table;
    }

    private ChunkTable MakeTable()
    {
        CheckedPack[] all = [.. usable];
        usable.Clear();
        if (!usesSpill && !AreTooMany(chunks)) return new ChunkTable(all);
        // Those that were read before there were too many.
        foreach (CheckedPack pack in all) pack.MoveTo(spill);
        return new ChunkTable(all, spill, request.TableBytes, vault.Host.Entropy);
    }

    private bool AreTooMany(long count) => count > request.TableBytes / ChunkTable.BytesPerChunk;

    /// <summary>
    /// Lists packs and reads their footers; again, as long as prunes move chunks to packs that the list did not show. The removals are read
    /// behind the footers, so each chunk is where they say, or still where it was.
    /// </summary>
    private async Task<Removals> ReadPacksAsync(CancellationToken cancellationToken)
    {
        var reader = new PackReader(vault.Store.Uncached, vault.Sealer);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, request.Workers), CancellationToken = cancellationToken };
        Removals? before = null;
        for (int round = 0; ; round++)
        {
            List<PackId> found = [];
            await ListAsync(PackId.DataPrefix, found, cancellationToken).ConfigureAwait(false);
            await ListAsync(PackId.TreesPrefix, found, cancellationToken).ConfigureAwait(false);
            request.Progress.Expect(stored.Count, 0);
            await Parallel.ForEachAsync(found, options, (pack, cancellation) => ReadFooterAsync(reader, pack, cancellation)).ConfigureAwait(false);
            Removals removals = await Removals.ReadAsync(vault, before, cancellationToken).ConfigureAwait(false);
            bool isComplete = !removals.Packs.Values.Any(pack => pack.Runs.Any(run => !stored.ContainsKey(run.Pack) && !removals.IsRemoved(run.Pack)));
            // A pack that is listed no more although nothing changed meanwhile is lost.
            if (isComplete || round == MaxRounds || before?.Next == removals.Next) return removals;
            before = removals;
        }
    }

    private async Task ListAsync(string prefix, List<PackId> found, CancellationToken cancellationToken)
    {
        await foreach (ObjectEntry entry in vault.Store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (!PackId.TryParse(entry.Name, out PackId pack)) findings.Tell(entry.Name, "does not belong to the vault");
            else if (TryAdd(pack, entry)) found.Add(pack);
        }
    }

    private bool TryAdd(PackId pack, in ObjectEntry entry)
    {
        if (!stored.TryAdd(pack, entry.Length)) return false;
        if (request.Rolling) storedTimes.Add(pack, entry.Stored);
        return true;
    }

    private async ValueTask ReadFooterAsync(PackReader reader, PackId pack, CancellationToken cancellationToken)
    {
        PackFooter? footer = null;
        try
        {
            footer = await reader.TryReadFooterAsync(pack, cancellationToken).ConfigureAwait(false);
            if (footer is null) vanished.Add(pack);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            bool isOtherLength = listedBytes.TryGetValue(pack, out int expected) && stored[pack] != expected;
            unusable[pack] = findings.Add(pack.ObjectName, error, isOtherLength ? $"; it has {stored[pack]} bytes, {expected} expected" : null);
        }

        if (footer is not null) Add(new CheckedPack(footer));
        request.Progress.AddDone(1, 0);
    }

    private void Add(CheckedPack pack)
    {
        if (AreTooMany(Interlocked.Add(ref chunks, pack.Count)) || usesSpill) pack.MoveTo(spill);
        usable.Add(pack);
    }

    private void CompareWithIndexes(ChunkTable table, Removals removals)
    {
        foreach (IndexReader index in indexes)
        {
            foreach (IndexedPack listed in index.Packs)
            {
                if (!stored.TryGetValue(listed.Id, out long bytes))
                {
                    // Index objects go on listing what was pruned, until enough of them is dead.
                    if (!removals.IsRemoved(listed.Id)) NoteMissing(listed.Id);
                }
                else if (table.TryGet(listed.Id) is { } pack)
                {
                    if (bytes == listed.PackBytes && pack.Count == listed.ChunkCount) continue;
                    findings.Add(
                        index.Name,
                        $"lists {listed.Id} with {listed.PackBytes} bytes and {listed.ChunkCount} chunks, it has {bytes} and {pack.Count}")
                        .Reassurance = IndexCheck.Reassurance;
                }
            }
        }
    }

    private void NoteMissing(PackId pack) => unusable.GetOrAdd(pack, _ => findings.AddAbsence(pack.ObjectName, "is missing"));

    /// <summary>Packs that no index lists: what a point needs has lost its index, the rest was never finished.</summary>
    private void TellOfUnlisted(IReadOnlySet<PackId> needed)
    {
        foreach (IGrouping<SessionId, PackId> session in stored.Keys.Where(pack => !listedBytes.ContainsKey(pack)).GroupBy(pack => pack.Session))
        {
            int lost = session.Count(needed.Contains);
            if (lost == 0)
            {
                UnfinishedSessions++;
                long bytes = session.Sum(pack => stored[pack]);
                findings.Tell(
                    $"data/{session.Key}", $"unfinished session: {session.Count()} packs, {bytes} bytes, that no index lists; the next backup uses them");
                continue;
            }

            if (damagedIndexes.Any(name => name.StartsWith($"{IndexObject.Prefix}{session.Key}-", StringComparison.Ordinal))) continue;
            findings.AddAbsence($"{IndexObject.Prefix}{session.Key}-*", $"is missing: no index lists {lost} packs that points need")
                .Reassurance = IndexCheck.Reassurance;
        }
    }
}
