using Holdfast.Storage;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Pruning;

/// <summary>One prune, step by step. Cut off anywhere, it leaves a vault in which all points are whole; the next one goes on.</summary>
internal sealed class PruneWork : IAsyncDisposable
{
    private readonly OpenVault vault;
    private readonly PruneRequest request;
    private readonly SessionId session;
    private readonly Lease lease;
    private readonly PruneBudget budget;
    private readonly SessionWatch watch;
    private readonly LiveSet live;

    private PruneWork(OpenVault vault, PruneRequest request, SessionId session, Lease lease, PruneBudget budget)
    {
        this.vault = vault;
        this.request = request;
        this.session = session;
        this.lease = lease;
        this.budget = budget;
        watch = new SessionWatch(vault, session);
        live = new LiveSet(vault, budget);
    }

    public static async Task<PruneWork> BeginAsync(OpenVault vault, PruneRequest request, CancellationToken cancellationToken)
    {
        var session = SessionId.Create(vault.Host.Entropy);
        var budget = new PruneBudget(request, vault.Host.Clock);
        Lease lease = await Lease.BeginPruneAsync(vault, session, request.Host, cancellationToken).ConfigureAwait(false);
        return new PruneWork(vault, request, session, lease, budget);
    }

    public async Task<PruneSummary> RunAsync(CancellationToken cancellationToken)
    {
        TimeSpan window = request.UndeleteWindow ?? (await VaultSettings.ReadAsync(vault, cancellationToken).ConfigureAwait(false)).UndeleteWindow;
        var points = new PointDisposal(vault, window, budget);
        PointMarks marks = await points.CondemnAsync(await NowAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        PruneState state = await PruneState.ReadAsync(
            vault, watch, live, marks.IsCondemned, await NowAsync(cancellationToken).ConfigureAwait(false), fences: true, budget, cancellationToken).ConfigureAwait(false);
        PruneChoice choice = await PruneChoice.MakeAsync(vault, state, request, budget, cancellationToken).ConfigureAwait(false);
        PrunePlan plan = PlanOf(state, choice, points, state.Live.Leftover.Count);
        int deletedPoints = await points.DeleteAsync(state.Live.Leftover, cancellationToken).ConfigureAwait(false);

        var condemnation = new Condemnation(vault, state, session);
        await condemnation.PutAsync(choice.Unneeded, [], [.. state.UnneededReferences()], cancellationToken).ConfigureAwait(false);
        var consolidation = new Consolidation(vault, state, session, condemnation, budget, request.Progress);
        await consolidation.MoveAsync([.. choice.Moved.Select(static part => part.Pack)], cancellationToken).ConfigureAwait(false);
        if (choice.IsLimited) budget.TellOfMoves();

        var verdicts = new Verdicts(vault, state, watch, ReadMarksAsync, budget);
        await verdicts.DecideAsync(request.Waits, NowAsync, cancellationToken).ConfigureAwait(false);

        var sweep = new Sweep(vault, state, budget, request.Progress);
        await consolidation.MergeIndexesAsync(cancellationToken).ConfigureAwait(false);
        await sweep.DeleteAsync(cancellationToken).ConfigureAwait(false);
        if (!state.Removals.HasPending)
        {
            await watch.DeleteLeasesAsync(cancellationToken).ConfigureAwait(false);
            await sweep.ConsolidateAsync(watch, ReadMarksAsync, cancellationToken).ConfigureAwait(false);
        }

        return new PruneSummary
        {
            Plan = plan,
            Points = deletedPoints,
            Packs = sweep.Packs,
            PackBytes = sweep.PackBytes,
            MovedPacks = consolidation.MovedPacks,
            MovedBytes = consolidation.MovedBytes,
            WaitingPacks = state.Removals.Packs.Values.Count(static pack => pack.Verdict == RemovalVerdict.Condemned),
            WaitsFor = [.. verdicts.WaitsFor.Select(static waited => waited.Told)],
            StoppedBy = budget.StoppedBy,
            Duration = budget.Elapsed,
        };

        async Task<Func<SessionId, bool>> ReadMarksAsync(CancellationToken token) => (await points.ReadMarksAsync(token).ConfigureAwait(false)).IsCondemned;
    }

    /// <summary>What a prune would do; nothing is written.</summary>
    public static async Task<PrunePlan> PlanAsync(OpenVault vault, PruneRequest request, CancellationToken cancellationToken)
    {
        var budget = new PruneBudget(request, vault.Host.Clock);
        TimeSpan window = request.UndeleteWindow ?? (await VaultSettings.ReadAsync(vault, cancellationToken).ConfigureAwait(false)).UndeleteWindow;
        var points = new PointDisposal(vault, window, budget);
        PointMarks marks = await points.ReadMarksAsync(cancellationToken).ConfigureAwait(false);
        // Nothing is put by which the store would tell its time.
        DateTimeOffset now = vault.Host.Clock.GetUtcNow();
        HashSet<SessionId> chosen = [.. points.Choose(marks, now)];
        PruneState state = await PruneState.ReadAsync(
            vault, new SessionWatch(vault, SessionId.None), new LiveSet(vault, budget), point => marks.IsCondemned(point) || chosen.Contains(point), now,
            fences: false, budget, cancellationToken).ConfigureAwait(false);
        PruneChoice choice = await PruneChoice.MakeAsync(vault, state, request, budget, cancellationToken).ConfigureAwait(false);
        return PlanOf(state, choice, points, state.Live.Leftover.Count);
    }

    /// <summary>The lease goes; where that fails, it is taken for dead one day.</summary>
    public async ValueTask DisposeAsync() => await lease.GiveUpAsync().ConfigureAwait(false);

    private static PrunePlan PlanOf(PruneState state, PruneChoice choice, PointDisposal points, int leftover)
    {
        PackId[] pending = [.. state.Packs.Keys.Where(state.Removals.IsRemoved)];
        return new PrunePlan
        {
            Points = leftover,
            PointsInWindow = points.InWindow,
            UnneededPacks = choice.Unneeded.Count,
            UnneededBytes = choice.UnneededBytes,
            PendingPacks = pending.Length,
            PendingBytes = pending.Sum(pack => state.Packs[pack]),
            MovedPacks = choice.Moved.Count,
            MovedPackBytes = choice.MovedPackBytes,
            MovedBytes = choice.MovedBytes,
            OldPacks = choice.OldPacks,
            OldPackBytes = choice.OldPackBytes,
            KeptBytes = choice.KeptBytes,
            UnusedBytes = choice.UnusedBytes,
            IsEstimate = choice.IsEstimate,
            Sessions = [.. state.Sessions.Select(static session => session.Told)],
        };
    }

    /// <summary>The store's time: that of an object which is put for it.</summary>
    private async Task<DateTimeOffset> NowAsync(CancellationToken cancellationToken)
    {
        await lease.RenewAsync(cancellationToken).ConfigureAwait(false);
        budget.Count(4);
        // Until the store shows it.
        await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
        ObjectEntry? newest = await vault.Store.StatAsync(lease.NewestName, cancellationToken).ConfigureAwait(false);
        // Deleted by another prune, which took this one for dead: by no time that is known anything is too old.
        return newest?.Stored ?? DateTimeOffset.MinValue;
    }
}
