using Holdfast.Vault.Indexing;

namespace Holdfast.Vault.Tests.Indexing;

public sealed class IndexMergePolicyTests
{
    [Fact]
    public void AFewSoundObjectsStayAsTheyAre()
    {
        Assert.Empty(IndexMergePolicy.Choose([]));
        Assert.Empty(IndexMergePolicy.Choose([.. Enumerable.Range(0, 7).Select(i => new IndexUsage($"{i}", 100, 10))]));
        Assert.Empty(IndexMergePolicy.Choose([.. Enumerable.Range(0, 50).Select(i => new IndexUsage($"{i}", IndexObject.TargetChunks, 0))]));
    }

    [Fact]
    public void AnObjectOfWhichMoreThanAQuarterIsDeadIsWrittenAnew()
    {
        IndexUsage quarter = new("quarter", 75, 25), more = new("more", 74, 26), all = new("all", 0, 5), full = new("full", 1_000_000, 400_000);

        List<List<IndexUsage>> groups = IndexMergePolicy.Choose([quarter, full, more, all]);

        Assert.Equal([all, more, full], groups.SelectMany(group => group));
        Assert.Equal([full], IndexMergePolicy.Choose([full]).Single());
    }

    [Fact]
    public void ManyOfASizeBecomeOne()
    {
        List<IndexUsage> many = [.. Enumerable.Range(0, 8).Select(i => new IndexUsage($"{i}", 100 + i, 0))];

        Assert.Equal(many, Assert.Single(IndexMergePolicy.Choose([.. many, new IndexUsage("other", 100_000, 0)])));
    }

    /// <summary>Objects of random sizes come, packs die, and all that is chosen is merged each time.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void ObjectsStayFewAndEntriesAreSeldomRewritten(int seed)
    {
        var random = new Random(seed);
        var current = new List<IndexUsage>();
        long added = 0, rewritten = 0, died = 0;
        for (int round = 0; round < 4000; round++)
        {
            int chunks = (int)Math.Pow(2, random.NextDouble() * (random.Next(40) == 0 ? 20 : 12));
            added += chunks;
            current.Add(new IndexUsage($"{round:d5}", chunks, 0));
            if (random.Next(3) == 0)
            {
                int at = random.Next(current.Count), dead = random.Next(current[at].LiveChunks + 1);
                current[at] = current[at] with { LiveChunks = current[at].LiveChunks - dead, DeadChunks = current[at].DeadChunks + dead };
                died += dead;
            }

            foreach (List<IndexUsage> group in IndexMergePolicy.Choose(current))
            {
                int live = group.Sum(index => index.LiveChunks);
                Assert.True(group.Count == 1 || live <= IndexObject.TargetChunks, $"seed {seed}: {live} in one");
                rewritten += live;
                current.RemoveAll(group.Contains);
                if (live > 0) current.Add(new IndexUsage($"{round:d5}-{group[0].Name}", live, 0));
            }

            long alive = current.Sum(index => (long)index.LiveChunks);
            Assert.True(current.Count <= 56 + (2 * alive / IndexObject.TargetChunks), $"seed {seed}, round {round}: {current.Count} objects");
            Assert.All(current, index => Assert.True(index.DeadChunks * 3L <= index.LiveChunks + 3, $"seed {seed}, round {round}: {index} is worn"));
        }

        Assert.True(rewritten <= (7 * added) + (3 * died), $"seed {seed}: {rewritten} entries rewritten for {added} added and {died} dead");
    }
}
