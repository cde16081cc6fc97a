using Holdfast.Log;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Checking;

/// <summary>Compares the entries of index objects with the footers of packs.</summary>
internal sealed class IndexCheck(CheckRequest request, ChunkTable table, PackInventory packs, Findings findings)
{
    /// <summary>Why damage of an index affects nothing.</summary>
    public const string Reassurance = "nothing is lost: the packs say the same, and the next backup lists them anew";

    private readonly Dictionary<(ulong IdHigh, uint IdLow), List<Finding>> lost = [];
    private readonly HashSet<PackId> namedByIndex = [];

    /// <summary>What made a chunk unreadable that no usable pack holds: the findings about the packs that held it, as far as any index tells.</summary>
    public IReadOnlyList<Finding> FindingsOf(in ChunkId id) => lost.GetValueOrDefault((id.W0, (uint)(id.W1 >> 32))) ?? [];

    /// <summary>Whether the chunks of an unusable pack are known from an index.</summary>
    public bool IsNamed(PackId pack) => namedByIndex.Contains(pack);

    public Task RunAsync(CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, request.Workers), CancellationToken = cancellationToken };
        return Parallel.ForEachAsync(packs.Indexes, options, CheckAsync);
    }

    private async ValueTask CheckAsync(IndexReader index, CancellationToken cancellationToken)
    {
        string? wrong = null;
        (ulong High, uint Low) previous = default;
        try
        {
            await foreach ((ulong high, uint low, PackId pack, int ordinal) in index.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                if ((high, low).CompareTo(previous) < 0) wrong ??= "its entries are out of order";
                previous = (high, low);
                if (packs.Unusable.TryGetValue(pack, out Finding? finding))
                {
                    NoteLost(pack, (high, low), finding);
                    continue;
                }

                if (table.TryGet(pack) is not { } known || ordinal >= known.Ids.Length) continue;
                ChunkId id = known.Ids[ordinal];
                if (id.W0 != high || (uint)(id.W1 >> 32) != low) wrong ??= $"chunk {ordinal} of {pack} is another than its footer says";
                else if (!index.MayContain(id)) wrong ??= $"its filter denies chunk {ordinal} of {pack}";
            }
        }
        catch (DamageException error) when (error.IsMissing)
        {
            // What it listed, others list now; if not, the next check tells.
            findings.Tell(index.Name, "was replaced by another while the check was at work");
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            findings.Add(index.Name, error).Reassurance = Reassurance;
        }

        if (wrong is not null) findings.Add(index.Name, wrong).Reassurance = Reassurance;
    }

    private void NoteLost(PackId pack, (ulong High, uint Low) id, Finding finding)
    {
        lock (lost)
        {
            namedByIndex.Add(pack);
            if (!lost.TryGetValue(id, out List<Finding>? findingsOfId)) lost.Add(id, findingsOfId = []);
            if (!findingsOfId.Contains(finding)) findingsOfId.Add(finding);
        }
    }
}
