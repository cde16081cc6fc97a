namespace Holdfast.Erasure.Tests;

/// Which shards are lost and which are there.
internal static class Patterns
{
    /// Every way to lose 1 to `most` of `total` shards.
    public static IEnumerable<int[]> UpTo(int most, int total)
    {
        for (ulong set = 1; set < 1UL << total; set++)
        {
            if (ulong.PopCount(set) > (ulong)most) continue;
            yield return [.. Enumerable.Range(0, total).Where(i => (set >> i & 1) != 0)];
        }
    }

    public static int[] Others(int total, int[] lost) => [.. Enumerable.Range(0, total).Except(lost)];

    /// So many of some shards, ascending.
    public static int[] Choose(Random random, IEnumerable<int> shards, int count)
    {
        int[] all = [.. shards];
        random.Shuffle(all);
        return [.. all.Take(count).Order()];
    }
}
