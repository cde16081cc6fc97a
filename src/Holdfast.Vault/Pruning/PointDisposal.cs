using Holdfast.Log;
using Holdfast.Vault.Points;
using Holdfast.Vault.Repairing;

namespace Holdfast.Vault.Pruning;

/// <summary>Condemns points that were forgotten long enough ago, and deletes their objects.</summary>
internal sealed class PointDisposal(OpenVault vault, TimeSpan undeleteWindow, PruneBudget budget)
{
    private const int DeletesAtOnce = 8;

    // Each round that fails, somebody else has finished one.
    private const int MaxRounds = 100;

    /// <summary>Forgotten points that can still be brought back.</summary>
    public int InWindow { get; private set; }

    /// <summary>What marks say.</summary>
    /// <exception cref="HoldfastException">Kind Damage: a mark cannot be read.</exception>
    public async Task<PointMarks> ReadMarksAsync(CancellationToken cancellationToken)
    {
        PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        return marks.Damage is not { } damage ? marks : throw new HoldfastException(
            ErrorKind.Damage, $"{damage.Message}; so it is not known which points stay, and nothing is deleted", Remedy.FromCopyOrDrop, damage);
    }

    /// <summary>Points that are to be condemned, ascending.</summary>
    public SessionId[] Choose(PointMarks marks, DateTimeOffset now)
    {
        SessionId[] open = [.. marks.Forgotten.Where(point => !marks.IsCondemned(point))];
        SessionId[] chosen = [.. open.Where(point => now - marks.ForgottenSince(point)!.Value >= undeleteWindow).Order()];
        InWindow = open.Length - chosen.Length;
        return chosen;
    }

    /// <summary>Condemns them; when it returns, they can be brought back no more.</summary>
    /// <returns>The marks afterwards.</returns>
    public async Task<PointMarks> CondemnAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            PointMarks marks = await ReadMarksAsync(cancellationToken).ConfigureAwait(false);
            SessionId[] chosen = Choose(marks, now);
            if (chosen.Length == 0) return marks;
            uint number = marks.Next;
            foreach (SessionId[] part in chosen.Chunk(PointMark.MaxPoints))
            {
                var mark = new PointMark(MarkKind.Condemn, vault.Host.Clock.GetUtcNow(), null, "", part);
                budget.Count(1);
                if (!await PointMarks.TryPutAsync(vault, number++, mark, cancellationToken).ConfigureAwait(false)) break;
            }
        }

        throw new HoldfastException(ErrorKind.Busy, $"{vault.Address}: others forget or hold points all the time", "try again");
    }

    /// <summary>Deletes objects of condemned points; stops where the budget does.</summary>
    public async Task<int> DeleteAsync(IReadOnlyList<SessionId> points, CancellationToken cancellationToken)
    {
        int deleted = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = DeletesAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(points, options, async (point, cancellation) =>
        {
            if (!budget.TryTake(1)) return;
            if (await vault.Store.DeleteAsync(PointCodec.Name(point), cancellation).ConfigureAwait(false)) Interlocked.Increment(ref deleted);
        }).ConfigureAwait(false);
        return deleted;
    }
}
