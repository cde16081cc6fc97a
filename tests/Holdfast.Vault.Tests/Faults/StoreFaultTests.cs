using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Tests.Faults;

public sealed class StoreFaultTests : IDisposable
{
    private const int Megabytes = 1 << 20;
    private readonly FaultWorld world = new();
    private readonly MemoryObjectStore store = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    /// <summary>ENOSPC and EIO.</summary>
    [Theory]
    [InlineData(28)]
    [InlineData(5)]
    public async Task AFullOrFailingDiskIsToldOfAndTheNextRunUsesWhatWasPut(int errno)
    {
        (string path, DirectoryTree tree) = Large();
        var counted = new SimulatedDisk(1);
        await RunOnAsync(counted, tree);
        for (int failAt = 8; failAt < counted.CallCount; failAt += 4)
        {
            var disk = new SimulatedDisk(1);
            int calls = 0;
            // Three calls in a row fail: a put, and what is done about it.
            disk.Fault = call =>
            {
                if (call.Kind is not (DiskCallKind.Write or DiskCallKind.Sync or DiskCallKind.CreateUnnamed)) return null;
                calls++;
                return calls >= failAt / 4 && calls < (failAt / 4) + 3 ? errno : null;
            };
            Exception? error = await Record.ExceptionAsync(() => RunOnAsync(disk, tree));
            disk.Fault = null;
            DirectoryStore directory = new(disk, TimeProvider.System, "/vault");
            await FaultWorld.InitAsync(directory);
            using OpenVault vault = await FaultWorld.OpenAsync(directory, seed: 2);
            if (error is not null)
            {
                Assert.True(error is HoldfastException, $"errno {errno} at {failAt}: {error}");
                Assert.Empty(await RestorePoints.ListAsync(vault, Token));
            }

            long packed = 0;
            await foreach (ObjectEntry entry in directory.ListAsync("data/", Token)) packed += entry.Length;
            BackupSummary next = await FaultWorld.BackupAsync(vault, tree, Token);
            // Random content: as long in its pack as in its file, but for what the pack adds.
            long reused = (4 * Megabytes) - next.Counts.BytesAdded;
            Assert.True(reused >= packed - (packed / 50) - 10_000, $"errno {errno} at {failAt}: {packed} bytes in packs, {reused} used again");
            await FaultWorld.AssertIsAsync(vault, (await RestorePoints.ListAsync(vault, Token))[^1], path);
            Assert.Empty(vault.Damages);
        }
    }

    [Fact]
    public async Task WhicheverPutFailsNoPointIsLeftAndTheNextRunUsesTheRest()
    {
        (string path, DirectoryTree tree) = Large();
        int puts = await CountPutsAsync(tree);
        Assert.InRange(puts, 5, 20);
        for (int failAt = 1; failAt <= puts; failAt++)
        {
            foreach (bool replyLost in (bool[])[false, true])
            {
                var memory = new MemoryObjectStore();
                await FaultWorld.InitAsync(memory);
                var faulty = new FaultyObjectStore(memory);
                if (replyLost) faulty.FailAfter(StoreMethod.Put, failAt);
                else faulty.FailBefore(StoreMethod.Put, failAt);
                using OpenVault vault = await FaultWorld.OpenAsync(faulty, seed: failAt);
                await Assert.ThrowsAsync<ObjectStoreException>(() => FaultWorld.BackupAsync(vault, tree, Token));

                int points = memory.Names.Count(name => name.StartsWith("points/", StringComparison.Ordinal));
                Assert.True(points == (replyLost && failAt == puts ? 1 : 0), $"put {failAt} of {puts}");
                long packed = await PackedAsync(memory);
                using OpenVault next = await FaultWorld.OpenAsync(memory, seed: 100 + failAt);
                BackupSummary summary = await FaultWorld.BackupAsync(next, tree, Token);
                Assert.Equal(packed > 4 * Megabytes ? 0 : 4 * Megabytes, summary.Counts.BytesAdded / Megabytes * Megabytes);
                foreach (RestorePoint point in await RestorePoints.ListAsync(next, Token)) await FaultWorld.AssertIsAsync(next, point, path);
                Assert.Empty(next.Damages);
            }
        }
    }

    [Fact]
    public async Task AReadOrListThatFailsIsToldOfAndLeavesNoPoint()
    {
        (string path, DirectoryTree tree) = Large();
        await FaultWorld.InitAsync(store);
        using (OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1)) await FaultWorld.BackupAsync(vault, tree, Token);
        File.WriteAllBytes(Path.Combine(path, "more"), TestKeys.Content(1000));
        foreach (StoreMethod method in (StoreMethod[])[StoreMethod.Read, StoreMethod.List, StoreMethod.Stat])
        {
            for (int failAt = 1; failAt < 60; failAt++)
            {
                var faulty = new FaultyObjectStore(store);
                faulty.FailBefore(method, failAt);
                string[] points = PointNames();
                Exception? error = await Record.ExceptionAsync(async () =>
                {
                    using OpenVault vault = await FaultWorld.OpenAsync(faulty, seed: (1000 * (int)method) + failAt);
                    await FaultWorld.BackupAsync(vault, tree, Token);
                });
                if (error is null) break;
                Assert.True(error is ObjectStoreException, $"{method} {failAt}: {error}");
                Assert.Equal(points, PointNames());
            }
        }

        using OpenVault last = await FaultWorld.OpenAsync(store, seed: 9);
        foreach (RestorePoint point in await RestorePoints.ListAsync(last, Token)) await FaultWorld.ReadAsync(last, point);
        Assert.DoesNotContain(store.Names, name => name.StartsWith("leases/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ALeaseThatCannotBeRemovedDoesNotUndoABackup()
    {
        (string path, DirectoryTree tree) = Large();
        await FaultWorld.InitAsync(store);
        var faulty = new FaultyObjectStore(store);
        faulty.FailBefore(StoreMethod.Delete, 1);
        using OpenVault vault = await FaultWorld.OpenAsync(faulty, seed: 1);
        var notices = new List<ItemNotice>();

        BackupSummary summary = await BackupRun.RunAsync(vault, FaultWorld.Request(tree) with { OnNotice = notices.Add }, Token);

        Assert.NotNull(summary.Point);
        Assert.False(Assert.Single(notices).IsError);
        await FaultWorld.AssertIsAsync(vault, Assert.Single(await RestorePoints.ListAsync(vault, Token)), path);
    }

    [Fact]
    public async Task CancellingAnywhereLeavesNoPointAndNoDamage()
    {
        const int seed = 3;
        var random = new Random(seed);
        (string path, DirectoryTree tree) = Large();
        await FaultWorld.InitAsync(store);
        for (int i = 0; i < 12; i++)
        {
            using var stop = new CancellationTokenSource();
            int calls = 0, stopAt = random.Next(1, 60);
            var faulty = new FaultyObjectStore(store)
            {
                BeforeEach = _ =>
                {
                    if (Interlocked.Increment(ref calls) == stopAt) stop.Cancel();
                    return Task.CompletedTask;
                },
            };
            using OpenVault vault = await FaultWorld.OpenAsync(faulty, seed: 50 + i);
            // Different each time, so that there is something to put.
            File.WriteAllBytes(Path.Combine(path, "changing"), TestKeys.Random(random, 200_000));
            int before = PointNames().Length;
            Exception? error = await Record.ExceptionAsync(() => FaultWorld.BackupAsync(vault, tree, stop.Token));
            Assert.True(error is null or OperationCanceledException, $"seed {seed}, round {i}: {error}");
            Assert.Equal(before + (error is null ? 1 : 0), PointNames().Length);
        }

        using OpenVault last = await FaultWorld.OpenAsync(store, seed: 4);
        BackupSummary next = await FaultWorld.BackupAsync(last, tree, Token);
        Assert.InRange(next.Counts.BytesAdded, 0, Megabytes);
        foreach (RestorePoint point in await RestorePoints.ListAsync(last, Token)) await FaultWorld.ReadAsync(last, point);
        Assert.Empty(last.Damages);
        Assert.DoesNotContain(store.Names, name => name.StartsWith("leases/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TwoBackupsAtOnceBothMakeWholePoints()
    {
        (string path, DirectoryTree tree) = Large();
        (string otherPath, DirectoryTree otherTree) = world.Source("other", ("a", TestKeys.Content(2 * Megabytes)), ("b", [1]));
        await FaultWorld.InitAsync(store);
        using OpenVault one = await FaultWorld.OpenAsync(store, seed: 1), two = await FaultWorld.OpenAsync(store, seed: 2);

        BackupSummary[] made = await Task.WhenAll(
            Task.Run(() => FaultWorld.BackupAsync(one, tree, Token), Token), Task.Run(() => FaultWorld.BackupAsync(two, otherTree, Token), Token));

        using OpenVault fresh = await FaultWorld.OpenAsync(store, seed: 3);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(fresh, Token);
        await FaultWorld.AssertIsAsync(fresh, points.Single(point => point.Id == made[0].Point), path);
        await FaultWorld.AssertIsAsync(fresh, points.Single(point => point.Id == made[1].Point), otherPath);
        Assert.Empty(fresh.Damages);
    }

    [Fact]
    public async Task WhatAKilledSessionPutIsFoundByItsLease()
    {
        byte[] content = TestKeys.Content(100_000);
        (string path, DirectoryTree tree) = world.Source("killed", ("a", content));
        await FaultWorld.InitAsync(store);
        using (OpenVault killed = await FaultWorld.OpenAsync(store, seed: 1))
        {
            // Puts the file's chunks as a backup would, and is heard of no more: no index, and the lease stays.
            await using WriteSession session = await WriteSession.BeginAsync(killed, "here", 3, 4, Token);
            var sink = new ChunkSink(session, ObjectKind.DataPack);
            for (int start = 0, cut; start < content.Length; start += cut)
            {
                cut = killed.Chunker.FirstCut(content.AsSpan(start));
                await sink.AddAsync(killed.DataIdentity.Of(content.AsSpan(start, cut)), content.AsMemory(start, cut), Token);
            }

            sink.Flush(Token);
            while (!store.Names.Any(name => name.StartsWith(PackId.DataPrefix, StringComparison.Ordinal))) await Task.Yield();
        }

        Assert.Contains(store.Names, name => name.StartsWith("leases/", StringComparison.Ordinal));
        using OpenVault next = await FaultWorld.OpenAsync(store, seed: 2);
        BackupSummary summary = await FaultWorld.BackupAsync(next, tree, Token);

        // Only the tree is new.
        Assert.InRange(summary.Counts.BytesAdded, 1, 1000);
        using OpenVault fresh = await FaultWorld.OpenAsync(store, seed: 3);
        await FaultWorld.AssertIsAsync(fresh, Assert.Single(await RestorePoints.ListAsync(fresh, Token)), path);
    }

    [Fact]
    public async Task AnUnchangedTreeWhosePackWasReplacedDoesNotReferToTheLostOne()
    {
        (string path, DirectoryTree tree) = world.Source("healed", ("a", TestKeys.Content(100_000)));
        await FaultWorld.InitAsync(store);
        await Task.Delay(50, Token);
        using (OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1)) await FaultWorld.BackupAsync(vault, tree, Token);
        foreach (string name in store.Names.Where(name => name.StartsWith("data/", StringComparison.Ordinal))) await store.DeleteAsync(name, Token);

        using OpenVault next = await FaultWorld.OpenAsync(store, seed: 2);
        BackupSummary healed = await FaultWorld.BackupAsync(next, tree, Token);
        BackupSummary same = await FaultWorld.BackupAsync(next, tree, Token);

        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(next, Token);
        RestorePoint point = points.Single(candidate => candidate.Id == healed.Point);
        Assert.Equal(100_000, healed.Counts.BytesAdded);
        Assert.Equal(healed.Point, point.References);
        await FaultWorld.AssertIsAsync(next, point, path);
        // Of the two lists the whole one goes on being used.
        Assert.Equal(healed.Point, points.Single(candidate => candidate.Id == same.Point).References);
    }

    private string[] PointNames() => [.. store.Names.Where(name => name.StartsWith("points/", StringComparison.Ordinal))];

    private (string Path, DirectoryTree Tree) Large()
    {
        byte[] content = TestKeys.Content(4 * Megabytes);
        return world.Source("large", ("a", content[..Megabytes]), ("b/c", content[Megabytes..(3 * Megabytes)]), ("d", content[(3 * Megabytes)..]));
    }

    private static async Task RunOnAsync(SimulatedDisk disk, IFileTree tree)
    {
        DirectoryStore store = new(disk, TimeProvider.System, "/vault");
        await FaultWorld.InitAsync(store);
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1);
        await FaultWorld.BackupAsync(vault, tree, Token);
    }

    private static async Task<int> CountPutsAsync(IFileTree tree)
    {
        var memory = new MemoryObjectStore();
        await FaultWorld.InitAsync(memory);
        var counting = new FaultyObjectStore(memory);
        using OpenVault vault = await FaultWorld.OpenAsync(counting, seed: 1);
        await FaultWorld.BackupAsync(vault, tree, Token);
        return counting.CallCount(StoreMethod.Put);
    }

    private static async Task<long> PackedAsync(IObjectStore objects)
    {
        long bytes = 0;
        await foreach (ObjectEntry entry in objects.ListAsync("data/", Token)) bytes += entry.Length;
        return bytes;
    }
}
