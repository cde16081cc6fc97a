using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Pruning;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Points;

/// <summary>
/// What all removals of a vault together say: which packs and references objects are to go or are gone, and where those of
/// their chunks are now that are still needed. Numbered and decided like marks. Does not change once it was read.
/// </summary>
internal sealed class Removals
{
    private const int ReadsAtOnce = 8;

    // Removals that are replaced vanish while they are read: so often is begun anew.
    private const int MaxRounds = 20;

    private readonly SortedDictionary<uint, RemovalRecord> records;
    private readonly Dictionary<PackId, PackRemoval> packs = [];
    private readonly Dictionary<SessionId, ReferencesRemoval> references = [];

    /// <summary>What one removal says by itself.</summary>
    internal Removals(RemovalRecord record)
        : this(new SortedDictionary<uint, RemovalRecord> { [0] = record }, [], 1, 1, null)
    {
    }

    private Removals(SortedDictionary<uint, RemovalRecord> records, IReadOnlyList<uint> replaced, uint next, uint understood, HoldfastException? damage)
    {
        Replaced = replaced;
        this.records = records;
        Next = next;
        Understood = understood;
        Damage = damage;
        foreach (RemovalRecord record in records.Values) Apply(record);
        HasMoves = packs.Values.Any(static pack => pack.Runs.Count > 0);
    }

    /// <summary>The number that the next removal gets.</summary>
    public uint Next { get; }

    /// <summary>All removals below this number were read.</summary>
    public uint Understood { get; }

    /// <summary>What cannot be read, if anything: then it is not known where chunks are now that points need.</summary>
    public HoldfastException? Damage { get; }

    /// <summary>How many objects say it.</summary>
    public int RecordCount => records.Count;

    /// <summary>Numbers of objects that a later one replaces.</summary>
    public IReadOnlyList<uint> Replaced { get; }

    /// <summary>Packs that are condemned or gone.</summary>
    public IReadOnlyDictionary<PackId, PackRemoval> Packs => packs;

    /// <summary>The same without what is said of them; a set of its own.</summary>
    public IReadOnlySet<PackId> PackSet => new HashSet<PackId>(packs.Keys);

    /// <summary>References objects that are condemned or gone.</summary>
    public IReadOnlyDictionary<SessionId, ReferencesRemoval> References => references;

    /// <summary>Whether anything is condemned and not yet gone.</summary>
    public bool HasPending =>
        packs.Values.Any(static pack => pack.Verdict == RemovalVerdict.Condemned) || references.Values.Any(static list => list.Verdict == RemovalVerdict.Condemned);

    /// <summary>Whether chunks of any pack were moved: else <see cref="Map"/> changes nothing.</summary>
    public bool HasMoves { get; }

    /// <summary>Reads all removals.</summary>
    /// <param name="vault">Whose.</param>
    /// <param name="known">What was read before, which is not read again; null for nothing.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static async Task<Removals> ReadAsync(OpenVault vault, Removals? known, CancellationToken cancellationToken)
    {
        for (int round = 0; ; round++)
        {
            Removals? read = await TryReadAsync(vault, known, round == MaxRounds, cancellationToken).ConfigureAwait(false);
            if (read is null)
            {
                await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (read.Damage is { } damage) vault.TellOfDamage(damage);
            return read;
        }
    }

    /// <summary>Puts a removal under a number; false when somebody else took the number: what was decided must be decided again.</summary>
    /// <remarks>When it returns true, the removal is durable.</remarks>
    public static async Task<bool> TryPutAsync(OpenVault vault, uint number, RemovalRecord record, CancellationToken cancellationToken)
    {
        if (number == uint.MaxValue) throw new HoldfastException(ErrorKind.Failed, $"{vault.Address}: has a removal of the highest number", "remove it: no holdfast wrote it");
        string name = RemovalRecord.Name(number);
        byte[] content = vault.Sealer.Seal(ObjectKind.Removal, name, record.Encode());
        if (await vault.Store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false) != PutOutcome.Taken) return true;
        // Until the one that has the number is shown.
        await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
        return false;
    }

    public bool IsRemoved(PackId pack) => packs.ContainsKey(pack);

    /// <summary>The opened body of a references object, for a <see cref="ReferenceReader"/>, with chunks that were moved at their places now.</summary>
    /// <exception cref="DamageException">It is missing or damaged.</exception>
    public async Task<byte[]> ReadReferencesAsync(OpenVault vault, SessionId list, CancellationToken cancellationToken)
    {
        string name = ReferenceSet.Name(list);
        byte[] body = await ReferenceSet.TryReadBodyAsync(vault, list, cancellationToken).ConfigureAwait(false) ?? throw new DamageException(name, "is missing");
        return HasMoves ? Map(ReferenceSet.Decode(body, name)).Encode() : body;
    }

    /// <summary>Chunks of a set by their places now. What was not moved is left where it is named.</summary>
    /// <returns>The set itself where nothing in it was moved.</returns>
    public ReferenceSet Map(ReferenceSet set)
    {
        var waiting = new PriorityQueue<PackRemoval, uint>();
        foreach (PackId pack in set.Packs) Expect(waiting, pack);
        if (waiting.Count == 0) return set;
        ReferenceSet mapped = set.Clone();
        // A chunk moves to a pack that is there, and so from one that was condemned earlier to one that may be condemned later.
        var done = new HashSet<PackId>();
        while (waiting.TryDequeue(out PackRemoval? removal, out _))
        {
            if (!done.Add(removal.Pack)) continue;
            foreach (PackId target in Move(mapped, removal)) Expect(waiting, target);
        }

        return mapped;
    }

    private void Expect(PriorityQueue<PackRemoval, uint> waiting, PackId pack)
    {
        if (packs.TryGetValue(pack, out PackRemoval? removal) && removal.Runs.Count > 0) waiting.Enqueue(removal, removal.Since);
    }

    private static HashSet<PackId> Move(ReferenceSet set, PackRemoval removal)
    {
        var targets = new HashSet<PackId>();
        ulong[] needed = [.. set.OrdinalsOf(removal.Pack)];
        int count = set.ChunkCountOf(removal.Pack), run = 0, inRun = 0;
        var left = new ReferenceSet();
        for (int ordinal = 0; ordinal < count; ordinal++)
        {
            bool isNeeded = (needed[ordinal / 64] & (1UL << (ordinal % 64))) != 0;
            if (!removal.IsMoved(ordinal))
            {
                if (isNeeded) left.Add(removal.Pack, count, ordinal);
                continue;
            }

            ChunkRun place = removal.Runs[run];
            if (isNeeded)
            {
                if (set.Holds(place.Pack) && set.ChunkCountOf(place.Pack) != place.PackChunks)
                {
                    throw new DamageException(RemovalRecord.Name(removal.Since), $"names {place.Pack} with {place.PackChunks} chunks, others with {set.ChunkCountOf(place.Pack)}");
                }

                set.Add(place.Pack, place.PackChunks, place.First + inRun);
                targets.Add(place.Pack);
            }

            if (++inRun < place.Count) continue;
            run++;
            inRun = 0;
        }

        set.Replace(removal.Pack, left);
        return targets;
    }

    private static async Task<Removals?> TryReadAsync(
        OpenVault vault, Removals? known, bool isLast, CancellationToken cancellationToken)
    {
        var numbers = new SortedSet<uint>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(RemovalRecord.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (ObjectNumber.TryParse(entry.Name.AsSpan(RemovalRecord.Prefix.Length), out uint number)) numbers.Add(number);
        }

        if (numbers.Count == 0) return new Removals([], [], 0, 0, null);
        uint next = numbers.Max + 1;
        var read = new SortedDictionary<uint, RemovalRecord>();
        var errors = new SortedDictionary<uint, HoldfastException>();
        var gate = new Lock();
        var options = new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(numbers, options, async (number, cancellation) =>
        {
            RemovalRecord? record = null;
            HoldfastException? error = null;
            try
            {
                if (known is null || !known.records.TryGetValue(number, out record)) record = await RemovalRecord.TryReadAsync(vault, number, cancellation).ConfigureAwait(false);
            }
            catch (HoldfastException failure) when (DamageException.IsLoss(failure))
            {
                error = failure;
            }

            lock (gate)
            {
                if (record is not null) read[number] = record;
                if (error is not null) errors[number] = error;
            }
        }).ConfigureAwait(false);
        return Combine(read, errors, next, isLast);
    }

    /// <summary>
    /// Of the removals from the last that replaces all before it none may lack. What comes behind one that cannot be read is
    /// left out with it: it may speak of what that one says.
    /// </summary>
    private static Removals? Combine(
        SortedDictionary<uint, RemovalRecord> read, SortedDictionary<uint, HoldfastException> errors, uint next, bool isLast)
    {
        uint first = 0;
        foreach ((uint number, RemovalRecord record) in read)
        {
            if (record.ReplacesAll) first = number;
        }

        uint[] replaced = [.. read.Keys.Concat(errors.Keys).Where(number => number < first)];
        var needed = new SortedDictionary<uint, RemovalRecord>();
        for (uint number = first; number < next; number++)
        {
            if (read.TryGetValue(number, out RemovalRecord? record))
            {
                needed.Add(number, record);
                continue;
            }

            if (!errors.TryGetValue(number, out HoldfastException? error))
            {
                // Replaced meanwhile, or listed before it was there: a new listing tells.
                if (!isLast) return null;
                error = new DamageException(RemovalRecord.Name(number), "is missing");
            }

            return new Removals(needed, replaced, next, number, error);
        }

        return new Removals(needed, replaced, next, next, null);
    }

    private void Apply(RemovalRecord record)
    {
        if (record.ReplacesAll)
        {
            packs.Clear();
            references.Clear();
        }

        foreach (PackRemoval said in record.Packs)
        {
            PackRemoval? before = packs.GetValueOrDefault(said.Pack);
            // What is gone is gone, whatever is said afterwards.
            if (before?.Verdict == RemovalVerdict.Gone) continue;
            if (said.Verdict is RemovalVerdict.Condemned or RemovalVerdict.Gone) packs[said.Pack] = said;
            else if (said.Verdict == RemovalVerdict.Reprieved) packs.Remove(said.Pack);
            else if (before is not null) packs[said.Pack] = before with { Verdict = RemovalVerdict.Gone };
        }

        foreach (ReferencesRemoval said in record.References)
        {
            bool isKnown = references.TryGetValue(said.Id, out ReferencesRemoval before);
            if (isKnown && before.Verdict == RemovalVerdict.Gone) continue;
            if (said.Verdict is RemovalVerdict.Condemned or RemovalVerdict.Gone) references[said.Id] = said;
            else if (said.Verdict == RemovalVerdict.Reprieved) references.Remove(said.Id);
            else if (isKnown) references[said.Id] = before with { Verdict = RemovalVerdict.Gone };
        }
    }
}
