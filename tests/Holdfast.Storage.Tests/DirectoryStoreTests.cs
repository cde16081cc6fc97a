using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Storage.Tests;

public sealed class DirectoryStoreTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly SimulatedHost host = SimulatedHost.Create(seed: 1);
    private readonly DirectoryStore store;

    public DirectoryStoreTests() => store = new DirectoryStore(host.Disk, host.Clock, "/store");

    [Fact]
    public async Task AnObjectIsTheFileThatTheFormatSays()
    {
        await store.PutIfAbsentAsync("data/3f/00000001", new byte[] { 1, 2, 3 }, None);

        using IDiskFile file = host.Disk.TryOpen("/store/data/3f/00000001", DiskAccess.Read)!;
        byte[] content = new byte[4];
        Assert.Equal(3, file.Read(0, content));
        Assert.Equal([1, 2, 3, 0], content);
    }

    [Fact]
    public async Task WhatIsNoObjectIsNotListed()
    {
        await store.PutIfAbsentAsync("a/b", default, None);
        Place("/store/a/.hidden");
        Place("/store/a/UPPER");
        Place("/store/a/with space");
        Place($"/store/a/{new string('n', 199)}");
        host.Disk.TryCreateDirectory("/store/.git");
        Place("/store/.git/config");
        host.Disk.TryCreateDirectory("/store/lost+found");
        Place("/store/lost+found/x");

        Assert.Equal(["a/b"], await store.ListAsync("", None).Select(e => e.Name).ToArrayAsync());
    }

    [Fact]
    public async Task APipeAmongTheObjectsIsNoneAndHoldsNobodyUp()
    {
        using var directory = new TemporaryDirectory();
        var real = new DirectoryStore(new HostDisk(), TimeProvider.System, directory.Path);
        using (var make = System.Diagnostics.Process.Start("mkfifo", [Path.Combine(directory.Path, "pipe")])) await make.WaitForExitAsync(None);

        // On another thread, so that a wait for the pipe's other end fails the test instead of holding it up.
        Task<int?> reading = Task.Run(async () => await real.ReadAsync("pipe", 0, new byte[10], None), None);

        Assert.Null(await reading.WaitAsync(TimeSpan.FromMinutes(1), None));
        Assert.NotEqual(PutOutcome.Written, await Task.Run(() => PutAsync(real), None).WaitAsync(TimeSpan.FromMinutes(1), None));
    }

    [Fact]
    public async Task OldLeftoversAreRemovedAndYoungOnesKept()
    {
        await store.PutIfAbsentAsync("a/b", default, None);
        Place("/store/a/.staging-0000000000000001");
        Place("/store/.staging-0000000000000002");
        host.Clock.Advance(TimeSpan.FromHours(23));
        Place("/store/a/.staging-0000000000000003");
        await store.ListPageAsync("", null, None);
        Assert.Equal(3, host.Disk.TryList("/store/a")!.Count);

        host.Clock.Advance(TimeSpan.FromHours(2));
        await store.ListPageAsync("", null, None);

        Assert.Equal(
            [".staging-0000000000000003", "b"],
            host.Disk.TryList("/store/a")!.Select(e => e.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["a"], host.Disk.TryList("/store")!.Select(e => e.Name));
    }

    [Fact]
    public async Task AListingWorksWhereNothingMayBeRemoved()
    {
        await store.PutIfAbsentAsync("a", default, None);
        Place("/store/.staging-0000000000000001");
        host.Clock.Advance(TimeSpan.FromDays(2));
        host.Disk.Fault = call => call.Kind == DiskCallKind.Delete ? 30 : null;

        Assert.Single((await store.ListPageAsync("", null, None)).Entries);
    }

    [Fact]
    public async Task ADirectoryThatSomebodyRemovedIsMadeAgain()
    {
        await store.PutIfAbsentAsync("a/b/c", default, None);
        await store.DeleteAsync("a/b/c", None);
        host.Disk.TryDeleteDirectory("/store/a/b");
        host.Disk.TryDeleteDirectory("/store/a");

        Assert.Equal(PutOutcome.Written, await store.PutIfAbsentAsync("a/b/c", default, None));
    }

    [Fact]
    public async Task APutBelowAnObjectOrOverAPrefixIsRefused()
    {
        await store.PutIfAbsentAsync("a/b", default, None);

        ObjectStoreException below = await Assert.ThrowsAsync<ObjectStoreException>(
            () => store.PutIfAbsentAsync("a/b/c", default, None));
        ObjectStoreException over = await Assert.ThrowsAsync<ObjectStoreException>(
            () => store.PutIfAbsentAsync("a", default, None));

        Assert.Equal("/store: cannot write a/b/c: open: not a directory", below.Message);
        Assert.Equal("/store: a: other objects lie below this name", over.Message);
    }

    [Fact]
    public async Task APutThatFindsItsNameTakenWritesNothing()
    {
        await store.PutIfAbsentAsync("a", new byte[10], None);
        host.Disk.Fault = call => call.Kind is DiskCallKind.Write or DiskCallKind.CreateUnnamed ? 28 : null;

        Assert.Equal(PutOutcome.SameContent, await store.PutIfAbsentAsync("a", new byte[10], None));
        Assert.Equal(PutOutcome.Taken, await store.PutIfAbsentAsync("a", new byte[11], None));
    }

    [Fact]
    public async Task CancellingDuringTheWriteLeavesNothing()
    {
        using var cancellation = new CancellationTokenSource();
        host.Disk.Fault = call =>
        {
            if (call.Kind == DiskCallKind.Write) cancellation.Cancel();
            return null;
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => store.PutIfAbsentAsync("a", new byte[10], cancellation.Token));

        Assert.Null(await store.StatAsync("a", None));
    }

    [Fact]
    public async Task AParentThatMayNotBeReadIsNoObstacle()
    {
        host.Disk.TryCreateDirectory("/store");
        host.Disk.Fault = call => call is { Kind: DiskCallKind.SyncDirectory, Path: "/" } ? 13 : null;

        Assert.Equal(PutOutcome.Written, await store.PutIfAbsentAsync("a", default, None));
    }

    [Fact]
    public async Task EachDirectoryIsMadeDurableOncePerInstance()
    {
        await store.PutIfAbsentAsync("a/b/1", default, None);
        int syncs = 0;
        host.Disk.Fault = call =>
        {
            if (call.Kind == DiskCallKind.SyncDirectory) syncs++;
            return null;
        };

        await store.PutIfAbsentAsync("a/b/2", default, None);
        Assert.Equal(1, syncs);
    }

    [Theory]
    [InlineData(11, true)]
    [InlineData(24, true)]
    [InlineData(116, true)]
    [InlineData(5, false)]
    [InlineData(13, false)]
    public async Task AFailureSaysWhetherAnotherAttemptMayHelp(int errno, bool isRetriable)
    {
        host.Disk.Fault = _ => errno;

        Assert.Equal(isRetriable, (await Fails(() => store.PutIfAbsentAsync("a", default, None))).IsRetriable);
        Assert.Equal(isRetriable, (await Fails(() => store.StatAsync("a", None))).IsRetriable);
        Assert.Equal(isRetriable, (await Fails(() => store.DeleteAsync("a", None))).IsRetriable);
        Assert.Equal(isRetriable, (await Fails(() => store.ListPageAsync("", null, None))).IsRetriable);
        Assert.Equal(
            isRetriable, (await Fails(async () => await store.ReadAsync("a", 0, new byte[1], None))).IsRetriable);

        static Task<ObjectStoreException> Fails(Func<Task> action) => Assert.ThrowsAsync<ObjectStoreException>(action);
    }

    [Fact]
    public void ARelativeRootIsRefused() =>
        Assert.Throws<ArgumentException>(() => new DirectoryStore(host.Disk, host.Clock, "relative"));

    /// <summary>Null when the store refuses.</summary>
    private static async Task<PutOutcome?> PutAsync(DirectoryStore store)
    {
        try
        {
            return await store.PutIfAbsentAsync("pipe", new byte[] { 1 }, None);
        }
        catch (ObjectStoreException)
        {
            return null;
        }
    }

    private void Place(string path)
    {
        using IDiskFile file = host.Disk.CreateUnnamed(path[..path.LastIndexOf('/')]);
        Assert.True(host.Disk.TryPublish(file, path));
    }
}
