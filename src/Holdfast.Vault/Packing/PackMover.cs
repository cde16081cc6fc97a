using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>
/// Moves the chunks of packs that are still needed to new packs. Groups are copied as they are sealed, for which no key is
/// needed that reads them; where enough of a group is not needed, and the keys to open and verify it are at hand, what is
/// needed is sealed anew. For one thread at a time.
/// </summary>
/// <remarks>
/// Packs are taken in the order of their ids; reading, opening, building and putting go on side by side. Memory: for each worker a
/// few pieces of <see cref="MovePlan.PieceBytes"/> and a pack that is built, one more that is put, and eight bytes a chunk of packs that are at work.
/// </remarks>
internal sealed class PackMover : IDisposable
{
    private readonly ObjectSealer sealer;
    private readonly PackReader reader;
    private readonly MoveWriter writer;
    private readonly int workers;
    private readonly ChunkProof? dataProof;
    private readonly ChunkProof? treeProof;

    /// <summary>Makes a mover for one session.</summary>
    /// <param name="vault">Whose packs they are.</param>
    /// <param name="session">Names the new packs; nobody else may put packs of it.</param>
    /// <param name="workers">So many packs are built at once, at most.</param>
    /// <param name="level">Of zstd, for what is sealed anew.</param>
    public PackMover(OpenVault vault, SessionId session, int workers = 2, int level = Compressor.DefaultLevel)
        : this(vault.Store, vault.Sealer, session, vault.Sealer.Ring.Current.Identity is null ? null : vault.DataProof,
            vault.Sealer.Ring.Current.Identity is null ? null : vault.TreeProof, workers, level)
    {
    }

    /// <summary>The same of a vault's parts.</summary>
    internal PackMover(
        IObjectStore store, ObjectSealer sealer, SessionId session, ChunkProof? dataProof, ChunkProof? treeProof, int workers = 2,
        int level = Compressor.DefaultLevel)
    {
        this.sealer = sealer;
        this.workers = workers;
        this.dataProof = dataProof;
        this.treeProof = treeProof;
        reader = new PackReader(store, sealer);
        writer = new MoveWriter(store, sealer, session, workers, level);
    }

    /// <summary>Copies what is needed of packs to new ones. The old ones stay as they are.</summary>
    /// <param name="packs">
    /// Each with a bit for each ordinal that is needed: bit i % 64 of word i / 64. No pack twice. Where nothing of a pack is needed, it
    /// is not read.
    /// </param>
    /// <param name="progress">Counts packs and bytes that were read.</param>
    /// <param name="mayTake">Asked before each pack; once it says no, packs that were not begun stay where they are. Null for no limit.</param>
    /// <param name="cancellationToken">Stops it; packs that were put stay, and nobody refers to them.</param>
    /// <returns>Where everything is. All new packs are durable.</returns>
    /// <exception cref="HoldfastException">The store refused a pack or could not be reached.</exception>
    public async Task<MovedChunks> MoveAsync(
        IReadOnlyList<(PackFooter Source, ulong[] Live)> packs, WorkProgress? progress, Func<bool>? mayTake, CancellationToken cancellationToken)
    {
        MoveSource[] sources = [.. packs.Select(static pack => new MoveSource(pack.Source, pack.Live))];
        Array.Sort(sources, static (a, b) => a.Footer.Pack.CompareTo(b.Footer.Pack));
        int next = -1;
        MoveSource? TakeNext() => mayTake?.Invoke() != false && Interlocked.Increment(ref next) is var taken && taken < sources.Length ? sources[taken] : null;
        MoveLane[] lanes =
        [
            .. Enumerable.Range(0, PackLanes.CountFor(sources.Length, workers))
                .Select(_ => new MoveLane(reader, writer, sealer, ProofOf, TakeNext)),
        ];
        try
        {
            await PackLanes.RunAsync(lanes.Select<MoveLane, Func<CancellationToken, Task>>(lane => stop => lane.RunAsync(progress, stop)), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await writer.WhenStoppedAsync().ConfigureAwait(false);
        }

        List<PackFooter> made = await writer.TakeDurableAsync().ConfigureAwait(false);
        return new MovedChunks
        {
            Moved = [.. sources.Where(static source => source is { Damage: null, Result: not null }).Select(static source => source.Result!)],
            Unmoved = [.. sources.Where(static source => source.Damage is not null).Select(static source => new UnmovedPack(source.Footer.Pack, source.Damage!))],
            NewPacks = made,
            BytesRead = lanes.Sum(static lane => lane.BytesRead),
            BytesWritten = made.Sum(static footer => (long)footer.PackBytes),
        };
    }

    /// <summary>The same without a limit.</summary>
    public Task<MovedChunks> MoveAsync(IReadOnlyList<(PackFooter Source, ulong[] Live)> packs, WorkProgress? progress, CancellationToken cancellationToken) =>
        MoveAsync(packs, progress, null, cancellationToken);

    public void Dispose() => writer.Dispose();

    private ChunkProof? ProofOf(ObjectKind kind) => kind == ObjectKind.DataPack ? dataProof : treeProof;
}
