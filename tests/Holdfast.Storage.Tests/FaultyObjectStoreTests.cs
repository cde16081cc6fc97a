using Holdfast.Testing;

namespace Holdfast.Storage.Tests;

public sealed class FaultyObjectStoreTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly MemoryObjectStore inner = new();
    private readonly FaultyObjectStore store;

    public FaultyObjectStoreTests() => store = new FaultyObjectStore(inner);

    [Fact]
    public async Task ALostRequestDoesNothingAndALostReplyHasDoneIt()
    {
        store.FailBefore(StoreMethod.Put, call: 1);
        store.FailAfter(StoreMethod.Put, call: 2, isRetriable: false);

        ObjectStoreException first =
            await Assert.ThrowsAsync<ObjectStoreException>(() => store.PutIfAbsentAsync("a", new byte[1], None));
        Assert.True(first.IsRetriable);
        Assert.Empty(inner.Names);
        ObjectStoreException second =
            await Assert.ThrowsAsync<ObjectStoreException>(() => store.PutIfAbsentAsync("a", new byte[1], None));
        Assert.False(second.IsRetriable);
        Assert.Equal(["a"], inner.Names);
        Assert.Equal(PutOutcome.SameContent, await store.PutIfAbsentAsync("a", new byte[1], None));
        Assert.Equal(3, store.CallCount(StoreMethod.Put));
    }

    [Fact]
    public async Task ADelayedCallWaits()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Delay(StoreMethod.Put, call: 1, gate.Task);

        Task<PutOutcome> put = store.PutIfAbsentAsync("a", new byte[1], None);
        Assert.False(put.IsCompleted);
        Assert.Empty(inner.Names);
        gate.SetResult();

        Assert.Equal(PutOutcome.Written, await put);
    }

    [Fact]
    public async Task CallbacksSeeEachCall()
    {
        var seen = new List<StoreCall>();
        store.BeforeEach = call =>
        {
            seen.Add(call);
            return Task.CompletedTask;
        };
        await store.PutIfAbsentAsync("a", default, None);
        await store.StatAsync("a", None);
        await store.ListPageAsync("", null, None);

        Assert.Equal(
            [new(StoreMethod.Put, 1, "a"), new(StoreMethod.Stat, 1, "a"), new(StoreMethod.List, 1, "")], seen);
    }

    [Fact]
    public async Task DamageIsShownUntilItIsHealed()
    {
        await store.PutIfAbsentAsync("a", new byte[10], None);
        store.FlipByte("a", 4);
        store.Truncate("a", 6);

        Assert.Equal([0, 0, 0, 0, 255, 0], await store.TryGetAsync("a", 10, None));
        byte[] target = new byte[3];
        Assert.Equal(3, await store.ReadAsync("a", 3, target, None));
        Assert.Equal([0, 255, 0], target);
        Assert.Equal(0, await store.ReadAsync("a", 7, target, None));
        store.Hide("a");
        Assert.Null(await store.TryGetAsync("a", 10, None));
        Assert.Null(await store.ReadAsync("a", 0, target, None));
        Assert.Empty((await store.ListPageAsync("", null, None)).Entries);
        store.Heal("a");
        Assert.Equal(new byte[10], await store.TryGetAsync("a", 10, None));
    }
}
