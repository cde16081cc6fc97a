using System.Runtime.ExceptionServices;

namespace Holdfast.Vault.Packing;

/// <summary>Workers that each take one pack after the other and fill a new one of their own.</summary>
internal static class PackLanes
{
    /// <summary>Fewer packs for a worker are not worth the half-filled pack that it leaves.</summary>
    private const int FewestPacksOfWorker = 4;

    /// <summary>How many are worth their while.</summary>
    public static int CountFor(int packs, int workers) => Math.Clamp(packs / FewestPacksOfWorker, 1, workers);

    /// <summary>Runs all to their ends; when one fails, the others are stopped, and nothing goes on.</summary>
    /// <exception cref="Exception">What one of them threw first.</exception>
    public static async Task RunAsync(IEnumerable<Func<CancellationToken, Task>> lanes, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Exception? failure = null;
        await Task.WhenAll(lanes.Select(lane => Task.Run(
            async () =>
            {
                try
                {
                    await lane(stop.Token).ConfigureAwait(false);
                }
                catch (Exception error)
                {
                    Interlocked.CompareExchange(ref failure, error, null);
                    await stop.CancelAsync().ConfigureAwait(false);
                }
            },
            CancellationToken.None))).ConfigureAwait(false);
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }
}
