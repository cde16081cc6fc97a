using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Indexing;

/// <summary>
/// Writes new index objects that list what others list, less some packs. The old ones stay: who merges deletes them when the
/// new ones are durable and the packs that were left out are gone. For one thread at a time.
/// </summary>
/// <param name="vault">Whose index it is.</param>
/// <param name="session">Names the new objects.</param>
/// <param name="firstNumber">Number of the first new object.</param>
/// <remarks>Memory follows the new object (22 bytes an entry) and the number of old ones (256 KiB each), not the vault.</remarks>
internal sealed class IndexMerger(OpenVault vault, SessionId session, uint firstNumber = 0)
{
    private uint nextNumber = firstNumber;

    /// <summary>Merges index objects, each into one of the new.</summary>
    /// <param name="indexes">Those that are to be replaced; those behind each other come into one object while it has room.</param>
    /// <param name="removed">Packs that are left out.</param>
    /// <param name="cancellationToken">Stops between entries and waits for the store; what was put stays.</param>
    /// <returns>Names of the new objects, which are durable; none where nothing is left to list.</returns>
    /// <exception cref="DamageException">One of the objects is damaged or gone: its name is the thing. Nothing is lost.</exception>
    public async Task<List<string>> MergeAsync(
        IReadOnlyList<IndexReader> indexes, IReadOnlySet<PackId> removed, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        // Two objects may list one pack.
        var listed = new HashSet<PackId>();
        var inputs = new List<Input>();
        int chunks = 0;
        foreach (IndexReader index in indexes)
        {
            Input input = Choose(index, removed, listed);
            if (inputs.Count > 0 && chunks + input.Kept > IndexObject.TargetChunks)
            {
                names.Add(await WriteAsync(inputs, cancellationToken).ConfigureAwait(false));
                inputs.Clear();
                chunks = 0;
            }

            if (input.Kept == 0) continue;
            inputs.Add(input);
            chunks += input.Kept;
        }

        if (inputs.Count > 0) names.Add(await WriteAsync(inputs, cancellationToken).ConfigureAwait(false));
        return names;
    }

    private static Input Choose(IndexReader index, IReadOnlySet<PackId> removed, HashSet<PackId> listed)
    {
        var input = new Input(index);
        for (int i = 0; i < index.Packs.Count; i++)
        {
            IndexedPack pack = index.Packs[i];
            if (!removed.Contains(pack.Id) && listed.Add(pack.Id)) input.Keep(i);
        }

        return input;
    }

    private async Task<string> WriteAsync(List<Input> inputs, CancellationToken cancellationToken)
    {
        string name = IndexObject.Name(session, nextNumber++);
        var packs = new List<IndexedPack>();
        foreach (Input input in inputs) input.Place(packs);
        using var builder = new IndexBuilder(vault.Sealer, name, packs);
        var next = new PriorityQueue<Input, IndexEntry>(inputs.Count);
        foreach (Input input in inputs)
        {
            if (await input.MoveNextAsync(cancellationToken).ConfigureAwait(false)) next.Enqueue(input, input.Current);
        }

        while (next.TryPeek(out Input? input, out IndexEntry entry))
        {
            builder.Add(entry);
            if (await input.MoveNextAsync(cancellationToken).ConfigureAwait(false)) next.DequeueEnqueue(input, input.Current);
            else next.Dequeue();
        }

        PutOutcome outcome = await vault.Store.PutIfAbsentAsync(name, builder.Finish(), cancellationToken).ConfigureAwait(false);
        if (outcome != PutOutcome.Taken) return name;
        throw new HoldfastException(ErrorKind.Failed, $"{vault.Store.Address}: {name}: the name is taken by another object", "run it again");
    }

    /// <summary>One old object, and which of its packs come along.</summary>
    private sealed class Input(IndexReader index)
    {
        private const int LeftOut = -1;

        private readonly IndexCursor cursor = new(index);
        private readonly int[] places = MakePlaces(index.Packs.Count);
        private int taken;

        /// <summary>Chunks of the packs that come along.</summary>
        public int Kept { get; private set; }

        /// <summary>The entry, with the pack's place in the new object.</summary>
        public IndexEntry Current { get; private set; }

        public void Keep(int pack)
        {
            places[pack] = 0;
            Kept += index.Packs[pack].ChunkCount;
        }

        /// <summary>Adds the packs that come along to the new object's table.</summary>
        public void Place(List<IndexedPack> packs)
        {
            for (int i = 0; i < places.Length; i++)
            {
                if (places[i] == LeftOut) continue;
                places[i] = packs.Count;
                packs.Add(index.Packs[i]);
            }
        }

        public async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
        {
            while (await cursor.MoveNextAsync(cancellationToken).ConfigureAwait(false))
            {
                IndexEntry entry = cursor.Current;
                int place = places[(int)entry.Pack];
                if (place == LeftOut) continue;
                if (taken++ == Kept) throw Miscounted();
                Current = entry with { Pack = (uint)place };
                return true;
            }

            // Else the new object would say less than its packs hold.
            return taken == Kept ? false : throw Miscounted();
        }

        private static int[] MakePlaces(int count)
        {
            int[] places = new int[count];
            Array.Fill(places, LeftOut);
            return places;
        }

        private DamageException Miscounted() => new(index.Name, "its entries are not those of the packs that it lists");
    }
}
