namespace Holdfast.Storage.Remote;

/// <summary>Ends a request that makes no progress for too long; one that goes on slowly may take as long as it takes.</summary>
internal sealed class StallWatch : IDisposable
{
    private readonly TimeSpan limit;
    private readonly CancellationTokenSource stalled;

    /// <summary>Begins to watch.</summary>
    /// <param name="clock">Measures.</param>
    /// <param name="limit">So long without progress is too long.</param>
    public StallWatch(TimeProvider clock, TimeSpan limit)
    {
        this.limit = limit;
        stalled = new CancellationTokenSource(limit, clock);
    }

    /// <summary>Cancelled when the request is to end.</summary>
    public CancellationToken Token => stalled.Token;

    /// <summary>Something came or went.</summary>
    public void Progress() => stalled.CancelAfter(limit);

    public void Dispose() => stalled.Dispose();
}
