using System.Collections.Concurrent;

namespace Holdfast.Erasure.Coding;

/// <summary>Recoveries that were asked for, for any number of threads.</summary>
internal sealed class RecoveryCache
{
    /// <summary>
    /// Then all are forgotten: which shards are lost changes seldom, and making one again takes microseconds.
    /// </summary>
    public const int MaxCount = 256;

    private readonly ConcurrentDictionary<(ShardSet Sources, ShardSet Targets), Recovery> recoveries = new();
    private int count;

    public Recovery? Find(ShardSet sources, ShardSet targets) => recoveries.GetValueOrDefault((sources, targets));

    /// <returns>The one that is remembered: another thread may have been faster.</returns>
    public Recovery Add(ShardSet sources, ShardSet targets, Recovery recovery)
    {
        // Counted here, since the dictionary takes all its locks for that. Additions that lose a race count too: no
        // harm.
        if (Interlocked.Increment(ref count) > MaxCount)
        {
            recoveries.Clear();
            Interlocked.Exchange(ref count, 1);
        }

        return recoveries.GetOrAdd((sources, targets), recovery);
    }
}
