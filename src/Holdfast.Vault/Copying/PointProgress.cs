namespace Holdfast.Vault.Copying;

/// <summary>Says how far a point is whose files nobody counts: by its packs. For one thread at a time.</summary>
internal sealed class PointProgress(WorkProgress progress, RestorePoint point, int packs)
{
    private int taken;

    /// <summary>One more pack was dealt with.</summary>
    public void TakePack()
    {
        taken++;
        progress.AddDone(Part(point.Counts.Files, taken) - Part(point.Counts.Files, taken - 1), Part(point.Counts.Bytes, taken) - Part(point.Counts.Bytes, taken - 1));
    }

    private long Part(long all, int of) => (long)((Int128)all * of / packs);
}
