namespace Holdfast.Vault.Pruning;

/// <summary>How much a prune may still do. May be used from any thread.</summary>
/// <param name="request">The limits.</param>
/// <param name="clock">By which time passes.</param>
internal sealed class PruneBudget(PruneRequest request, TimeProvider clock)
{
    private readonly long started = clock.GetTimestamp();
    private long requests;
    private int limit;

    /// <summary>What ran out first.</summary>
    public PruneLimit StoppedBy => (PruneLimit)Volatile.Read(ref limit);

    public TimeSpan Elapsed => clock.GetElapsedTime(started);

    /// <summary>Counts requests that were made whatever the limits say.</summary>
    public void Count(int made) => Interlocked.Add(ref requests, made);

    /// <summary>Counts requests that are about to be made; false when they are not to be made any more.</summary>
    public bool TryTake(int wanted)
    {
        if (request.MaxTime is { } maxTime && Elapsed >= maxTime) return Stop(PruneLimit.Time);
        return Interlocked.Add(ref requests, wanted) <= (request.MaxRequests ?? long.MaxValue) || Stop(PruneLimit.Requests);
    }

    /// <summary>More would have been moved, but for the limit.</summary>
    public void TellOfMoves() => Stop(PruneLimit.Moved);

    private bool Stop(PruneLimit by)
    {
        Interlocked.CompareExchange(ref limit, (int)by, (int)PruneLimit.None);
        return false;
    }
}
