using Holdfast.Files;
using Holdfast.Vault.Backup;
using TreeEntry = Holdfast.Vault.Trees.TreeEntry;

namespace Holdfast.Vault.Tests.Backup;

public sealed class WalkPagesTests
{
    private readonly WalkPages pages = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Every step arrives once and in order, however the reader lags, and pages that went round hold nothing old.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(100_000)]
    public async Task StepsArriveOnceAndInOrder(int count)
    {
        Task writing = Task.Run(
            async () =>
            {
                for (int i = 0; i < count; i++)
                {
                    WalkItem item = Step(i);
                    if (pages.TryAdd(item)) continue;
                    await pages.FlushAsync(Token);
                    Assert.True(pages.TryAdd(item));
                }

                await pages.FlushAsync(Token);
                pages.Complete();
            },
            Token);

        int next = 0;
        await foreach (WalkPage page in pages.Reader.ReadAllAsync(Token))
        {
            Assert.NotEqual(0, page.Count);
            for (int i = 0; i < page.Count; i++) Assert.Equal(next++, (int)page[i].Entry!.Attributes.Inode);
            pages.Recycle(page);
        }

        await writing;
        Assert.Equal(count, next);
    }

    [Fact]
    public async Task NoMoreThanABoundedNumberOfStepsLieAheadAndAWriterWhoWaitsCanBeStopped()
    {
        int added = 0;
        while (pages.TryAdd(Step(added)))
        {
            added++;
            Assert.True(added < 1 << 20, "there is no end");
        }

        using var cancellation = new CancellationTokenSource();
        Task waiting = pages.FlushAsync(cancellation.Token).AsTask();
        Assert.False(waiting.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        // Nothing of it is lost by that: the page is sent when there is room.
        Assert.True(pages.Reader.TryRead(out WalkPage? first));
        Assert.Equal(0UL, first[0].Entry!.Attributes.Inode);
        Assert.True(pages.TryAdd(Step(added)));
    }

    private static WalkItem Step(int number) => new(
        WalkStep.Ready, new TreeEntry { Name = [], Attributes = new NodeAttributes { Kind = NodeKind.Fifo, Inode = (ulong)number } }, null);
}
