namespace Holdfast.Bitcask.Tests.Models;

/// Goal: a store does what a dictionary does, whatever is done to it and in whatever order, and after a power cut what
/// a dictionary did at some
/// moment since all was durable.
/// Method: random programs, run on both. One that fails is made as short as it can be and shown with its seed.
public sealed class StoreModelTests
{
    private const int Steps = 300;

    public static TheoryData<int, KeydirKind> Seeds
    {
        get
        {
            var seeds = new TheoryData<int, KeydirKind>();
            for (int seed = 1; seed <= 10; seed++)
            {
                seeds.Add(seed, KeydirKind.Compact);
                seeds.Add(seed, KeydirKind.Ordered);
            }

            return seeds;
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void AnyProgramDoesWhatADictionaryDoes(int seed, KeydirKind keydir) => Run(seed, keydir, Steps);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData(1000, 200)]
    public void ManyProgramsDoWhatADictionaryDoes(int first, int count)
    {
        for (int seed = first; seed < first + count; seed++) Run(seed, (KeydirKind)(seed % 2), 2 * Steps);
    }

    [Fact]
    public void AProgramThatFailsIsMadeShort()
    {
        List<int> shortest = Shrinker.Shrink(
            [.. Enumerable.Range(0, 100)], steps => steps.Contains(7) && steps.Contains(70) ? "both" : null);

        Assert.Equal([7, 70], shortest);
    }

    private static void Run(int seed, KeydirKind keydir, int count)
    {
        List<StoreStep> steps = StoreStep.Draw(new Random(seed), count);
        if (StoreRun.FailureOf(seed, keydir, steps) is null) return;
        List<StoreStep> shortest = Shrinker.Shrink(steps, shorter => StoreRun.FailureOf(seed, keydir, shorter));
        Assert.Fail(
            $"seed {seed}, {keydir}: {string.Join(", ", shortest)}: {StoreRun.FailureOf(seed, keydir, shortest)}");
    }
}
