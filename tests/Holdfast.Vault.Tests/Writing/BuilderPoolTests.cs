using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Tests.Writing;

public sealed class BuilderPoolTests : IDisposable
{
    private const int MaxBuilders = 3;
    private readonly BuilderPool pool;
    private int made;

    public BuilderPoolTests()
    {
        ObjectSealer sealer = TestKeys.Sealer();
        pool = new BuilderPool(MaxBuilders, () =>
        {
            Interlocked.Increment(ref made);
            return new PackBuilder(sealer, Compressor.DefaultLevel);
        });
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => pool.Dispose();

    [Fact]
    public async Task BuildersAreMadeAsTheyAreNeededAndUsedAgain()
    {
        PackBuilder first = await pool.TakeAsync(Token);
        pool.Return(first);

        Assert.Same(first, await pool.TakeAsync(Token));
        Assert.Equal(1, made);
    }

    [Fact]
    public async Task WhoFindsAllInUseWaitsForOneThatComesBack()
    {
        PackBuilder[] taken = [await pool.TakeAsync(Token), await pool.TakeAsync(Token), await pool.TakeAsync(Token)];
        Task<PackBuilder> fourth = pool.TakeAsync(Token).AsTask(), fifth = pool.TakeAsync(Token).AsTask();
        Assert.False(fourth.IsCompleted);
        Assert.False(fifth.IsCompleted);

        pool.Return(taken[1]);
        pool.Return(taken[0]);

        Assert.Equal(2, (await Task.WhenAll(fourth, fifth)).Distinct().Count(builder => builder == taken[0] || builder == taken[1]));
        Assert.Equal(MaxBuilders, made);
    }

    [Fact]
    public async Task AFailureWakesAllWhoWaitAndIsToldToWhoComesLater()
    {
        for (int i = 0; i < MaxBuilders; i++) await pool.TakeAsync(Token);
        Task<PackBuilder>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => pool.TakeAsync(Token).AsTask())];
        var reason = new InvalidTimeZoneException("the store is gone");

        pool.Fail(reason);
        pool.Fail(new InvalidOperationException("a second one"));

        foreach (Task<PackBuilder> task in waiting) Assert.Same(reason, await Assert.ThrowsAsync<InvalidTimeZoneException>(() => task));
        Assert.Same(reason, await Assert.ThrowsAsync<InvalidTimeZoneException>(() => pool.TakeAsync(Token).AsTask()));
    }

    [Fact]
    public async Task ABuilderThatComesBackAfterAFailureIsNoError()
    {
        PackBuilder builder = await pool.TakeAsync(Token);
        pool.Fail(new InvalidTimeZoneException("the store is gone"));
        pool.Return(builder);
    }

    [Fact]
    public async Task WaitingCanBeCancelledAndTakesNoBuilderAway()
    {
        PackBuilder[] taken = [await pool.TakeAsync(Token), await pool.TakeAsync(Token), await pool.TakeAsync(Token)];
        using var cancellation = new CancellationTokenSource();
        Task<PackBuilder> given = pool.TakeAsync(cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);

        pool.Return(taken[2]);

        Assert.Same(taken[2], await pool.TakeAsync(Token));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task ManyAtOnceNeverHaveOneBuilderTwiceNorMoreThanThereMayBe(int seed)
    {
        var inUse = new HashSet<PackBuilder>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(
            async () =>
            {
                var random = new Random(seed + worker);
                for (int i = 0; i < 500; i++)
                {
                    PackBuilder builder = await pool.TakeAsync(Token);
                    lock (inUse) Assert.True(inUse.Add(builder), $"seed {seed}: twice in use");
                    if (random.Next(3) == 0) await Task.Yield();
                    lock (inUse) inUse.Remove(builder);
                    pool.Return(builder);
                }
            },
            Token)));

        Assert.InRange(made, 1, MaxBuilders);
    }
}
