namespace Holdfast.Erasure.Coding;

/// <summary>Numbers of shards, as a set: a bit for each of 0 to 255.</summary>
internal readonly record struct ShardSet(ulong First, ulong Second, ulong Third, ulong Fourth)
{
    /// <param name="shards">Ascending, each below <paramref name="totalShards"/>.</param>
    /// <param name="totalShards">At most 256.</param>
    /// <param name="name">Of the caller's parameter, for what is thrown.</param>
    /// <exception cref="ArgumentException">The numbers are not as said.</exception>
    public static ShardSet Of(ReadOnlySpan<int> shards, int totalShards, string name)
    {
        Span<ulong> words = stackalloc ulong[4];
        words.Clear();
        int previous = -1;
        foreach (int shard in shards)
        {
            if ((uint)shard >= (uint)totalShards) throw new ArgumentOutOfRangeException(name, shard, "no such shard");
            if (shard <= previous) throw new ArgumentException($"not ascending: {shard} follows {previous}", name);
            words[shard >> 6] |= 1UL << (shard & 63);
            previous = shard;
        }

        return new(words[0], words[1], words[2], words[3]);
    }

    public bool Overlaps(in ShardSet other) =>
        ((First & other.First) | (Second & other.Second) | (Third & other.Third) | (Fourth & other.Fourth)) != 0;
}
