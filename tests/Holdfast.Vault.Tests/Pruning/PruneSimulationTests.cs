namespace Holdfast.Vault.Tests.Pruning;

/// <summary>Everything at once: whatever the order of requests, every point that is there restores whole.</summary>
public sealed class PruneSimulationTests
{
    private const int Steps = 500;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 1)]
    public async Task WhateverTheOrderOfRequestsEveryPointRestores(int firstSeed, int seeds)
    {
        for (int seed = firstSeed; seed < firstSeed + seeds; seed++)
        {
            using var simulation = new PruneSimulation(seed);
            await simulation.RunAsync(Steps);
        }
    }

    [Theory]
    [Trait("Category", "Long")]
    [InlineData(1000, 100)]
    [InlineData(2000, 100)]
    [InlineData(3000, 1000)]
    public Task WhateverTheOrderOfManyRequestsEveryPointRestores(int firstSeed, int seeds) => WhateverTheOrderOfRequestsEveryPointRestores(firstSeed, seeds);

    /// Goal: the simulation finds what the rules are there for.
    [Fact]
    [Trait("Category", "Long")]
    public async Task APruneThatDeletesByAnOldListOfPointsIsFound()
    {
        for (int seed = 1; seed <= 2000; seed++)
        {
            using var simulation = new PruneSimulation(seed, BrokenRule.PointsAreListedOnce);
            try
            {
                await simulation.RunAsync(Steps);
            }
            catch (SimulationFailure failure)
            {
                TestContext.Current.TestOutputHelper?.WriteLine(failure.Message.Split('\n')[0]);
                return;
            }
        }

        Assert.Fail("nothing was found");
    }
}
