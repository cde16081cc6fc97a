using System.Collections.Concurrent;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Indexing;

/// <summary>
/// Packs that probably hold what will be asked for: those of the point that a backup builds on, or that is restored. While
/// they answer, the index of a large vault need not be loaded for a small source.
/// </summary>
internal sealed partial class VaultIndex
{
    /// <summary>Their footers are read one after the other: beyond this many, the index finds a chunk sooner.</summary>
    private const int MaxExpectedPacks = 1024;

    /// <summary>So many are read for one chunk that is not at hand.</summary>
    private const int MaxFootersPerMiss = 32;

    private readonly ConcurrentQueue<PackId> expectedData = new();
    private readonly ConcurrentQueue<PackId> expectedTrees = new();
    private readonly SemaphoreSlim expecting = new(1);

    /// <summary>Names packs in the order in which their chunks will be asked for; too many are left out.</summary>
    public void Expect(IReadOnlyCollection<PackId> packs)
    {
        if (packs.Count > MaxExpectedPacks) return;
        foreach (PackId pack in packs) ExpectedOf(pack.Kind).Enqueue(pack);
    }

    private async ValueTask<ChunkLocation?> TryFindExpectedAsync(ChunkId id, ObjectKind kind, CancellationToken cancellationToken)
    {
        ConcurrentQueue<PackId> expected = ExpectedOf(kind);
        if (loaded || expected.IsEmpty) return null;
        await expecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            for (int read = 0; read <= MaxFootersPerMiss;)
            {
                // First of all: another may have read the footer while this one waited.
                if (footers.TryFind(id, kind, out ChunkLocation location)) return location;
                if (!expected.TryDequeue(out PackId pack)) return null;
                if (IsRemoved(pack)) continue;
                // One that is lost is told of; its chunks are looked for elsewhere.
                _ = await TryGetFooterAsync(pack, cancellationToken).ConfigureAwait(false);
                read++;
            }

            // Asked for in another order than they were written, or not there: the index tells at once.
            return null;
        }
        finally
        {
            expecting.Release();
        }
    }

    private ConcurrentQueue<PackId> ExpectedOf(ObjectKind kind) => kind == ObjectKind.DataPack ? expectedData : expectedTrees;
}
