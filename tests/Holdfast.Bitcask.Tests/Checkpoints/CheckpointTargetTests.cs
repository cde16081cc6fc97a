using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Checkpoints;

/// Where a checkpoint may go, what it says where it may not, and that nothing is left of it then.
public sealed class CheckpointTargetTests
{
    [Fact]
    public void ADirectoryThatIsNotEmptyIsRefused()
    {
        SimulatedHost host = Filled(out BitcaskStore store);
        using (store)
        {
            store.Checkpoint("/copy");
            string[] before = [.. host.Disk.Paths()];

            HoldfastException refusal = Assert.Throws<HoldfastException>(() => store.Checkpoint("/copy"));

            Assert.Contains("/copy: is there already and is not empty", refusal.Message, StringComparison.Ordinal);
            Assert.Equal(before, host.Disk.Paths());
        }
    }

    [Fact]
    public void AnEmptyDirectoryIsTaken()
    {
        SimulatedHost host = Filled(out BitcaskStore store);
        using (store)
        {
            host.Disk.TryCreateDirectory("/copy");
            store.Checkpoint("/copy/");
            Assert.Equal(StoreTesting.Describe(store),
                StoreTesting.With(host, "/copy", StoreTesting.Small, StoreTesting.Describe));
        }
    }

    [Theory]
    [InlineData("/kv", "lies inside the store /kv")]
    [InlineData("/kv/copy", "lies inside the store /kv")]
    [InlineData("/kv/../kv/copy", "lies inside the store /kv")]
    [InlineData("/", "contains the store /kv")]
    [InlineData("/missing/copy", "/missing: there is no such directory")]
    [InlineData("/file", "is there already and is no directory")]
    public void AnotherPlaceThanADirectoryOfItsOwnIsRefused(string target, string reason)
    {
        SimulatedHost host = Filled(out BitcaskStore store);
        using (store)
        {
            using (IDiskFile file = host.Disk.CreateUnnamed("/")) Assert.True(host.Disk.TryPublish(file, "/file"));
            string[] before = [.. host.Disk.Paths()];

            HoldfastException refusal = Assert.Throws<HoldfastException>(() => store.Checkpoint(target));

            Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
            Assert.Equal(before, host.Disk.Paths());
        }
    }

    [Fact]
    public void AFullDiskLeavesNoHalfBackup()
    {
        SimulatedHost host = Filled(out BitcaskStore store);
        using (store)
        {
            store.Sync();
            string[] before = [.. host.Disk.Paths().Where(path => !path.StartsWith("/kv", StringComparison.Ordinal))];
            host.Disk.Capacity = host.Disk.UsedBytes + 9000;

            DiskException full = Assert.Throws<DiskException>(() => store.Backup("/copy"));

            Assert.True(full.IsNoSpace);
            Assert.Equal(before, host.Disk.Paths().Where(path => !path.StartsWith("/kv", StringComparison.Ordinal)));
            host.Disk.Capacity = long.MaxValue;
            store.Put("after", "all");
            store.Backup("/copy");
            Assert.Equal(StoreTesting.Describe(store),
                StoreTesting.With(host, "/copy", StoreTesting.Small, StoreTesting.Describe));
        }
    }

    /// Any call that fails: a clear error and no copy, or, if it was not needed, a whole copy; and the store goes on
    /// unless its own log was hit.
    [Theory]
    [InlineData(DiskException.InputOutput)]
    [InlineData(DiskException.NoSpace)]
    [InlineData(DiskException.AccessDenied)]
    public void ACheckpointThatFailsAtAnyCallLeavesNothing(int errno)
    {
        for (int failAt = 1; ; failAt++)
        {
            SimulatedHost host = Filled(out BitcaskStore store);
            using (store)
            {
                store.Sync();
                string content = StoreTesting.Describe(store);
                int first = host.Disk.CallCount;
                host.Disk.Fault = call => call.Number == first + failAt ? errno : null;
                bool failed = false;
                try
                {
                    store.Checkpoint("/copy");
                }
                catch (HoldfastException)
                {
                    failed = true;
                    Assert.Null(host.Disk.TryStat("/copy"));
                }

                bool wasReached = host.Disk.CallCount >= first + failAt;
                host.Disk.Fault = null;
                Assert.DoesNotContain(host.Disk.Paths(), path => path.Contains(".staging-", StringComparison.Ordinal));
                Assert.Equal(content, StoreTesting.Describe(store));
                if (!failed) Assert.True(
                    BitcaskStore.Verify(host, "/copy", all: true, CancellationToken.None).IsWhole, $"call {failAt}");
                if (!wasReached) return;
            }
        }
    }

    [Fact]
    public void CancellingLeavesNothing()
    {
        SimulatedHost host = Filled(out BitcaskStore store);
        using (store)
        {
            using var cancelled = new CancellationTokenSource();
            cancelled.Cancel();
            Assert.ThrowsAny<OperationCanceledException>(() => store.Checkpoint("/copy", cancelled.Token));
            Assert.DoesNotContain(host.Disk.Paths(), path => path.Contains("copy", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void WhatMayNotBeWrittenToIsAClearError()
    {
        Assert.SkipWhen(Environment.UserName == "root", "root may write everywhere");
        using var directory = new TemporaryDirectory();
        using BitcaskStore store = BitcaskStore.Open($"{directory.Path}/kv", StoreTesting.Small);
        store.Put("k", "v");
        string parent = Directory.CreateDirectory($"{directory.Path}/locked").FullName;
        File.SetUnixFileMode(parent, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        DiskException denied = Assert.Throws<DiskException>(
            () => store.Checkpoint($"{parent}/copy", CancellationToken.None));

        Assert.Equal(DiskException.AccessDenied, denied.Errno);
        File.SetUnixFileMode(parent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.Empty(Directory.EnumerateFileSystemEntries(parent));
    }

    [Fact]
    public void OnAnotherFileSystemFilesAreCopied()
    {
        using var directory = new TemporaryDirectory(inMemory: true);
        using var other = new TemporaryDirectory();
        using BitcaskStore store = BitcaskStore.Open($"{directory.Path}/kv", StoreTesting.Small);
        for (int i = 0; i < 20; i++) store.Put($"k{i}", StoreTesting.Padded($"{i}", 900));
        CheckpointReport near = store.Checkpoint($"{directory.Path}/near", CancellationToken.None);
        Assert.Equal(near.Bytes, near.LinkedBytes);

        CheckpointReport far = store.Checkpoint($"{other.Path}/far", CancellationToken.None);

        // Where both lie on one file system after all, links are right.
        bool isOther = new HostDisk().TryStat(directory.Path)!.Value.DeviceId
            != new HostDisk().TryStat(other.Path)!.Value.DeviceId;
        Assert.Equal(isOther ? far.Bytes : 0, far.CopiedBytes + far.ClonedBytes);
        Assert.True(BitcaskStore.Verify($"{other.Path}/far", all: true, CancellationToken.None).IsWhole);
        using BitcaskStore copy = BitcaskStore.Open($"{other.Path}/far", StoreTesting.Small);
        Assert.Equal(StoreTesting.Describe(store), StoreTesting.Describe(copy));
    }

    [Fact]
    public void ABackupSharesNothingAndTheNextOneOnlyWhatIsTheSame()
    {
        SimulatedHost host = Filled(out BitcaskStore store);
        using (store)
        {
            CheckpointReport full = store.Backup("/one");
            Assert.Equal(0, full.LinkedBytes);
            store.Put("k1", "changed");
            CheckpointReport second = store.BackupTo("/two", "/one");
            Assert.True(second.LinkedBytes > 0 && second.LinkedBytes < second.Bytes, second.ToString());
            // A merge gives what it writes another identity.
            store.Merge(MergeScope.All);
            CheckpointReport third = store.BackupTo("/three", "/two");
            Assert.True(third.LinkedBytes < second.LinkedBytes, third.ToString());
            foreach (string path in (string[])["/two", "/three"])
            {
                Assert.Equal(StoreTesting.Describe(store),
                    StoreTesting.With(host, path, StoreTesting.Small, StoreTesting.Describe));
            }

            HoldfastException none = Assert.Throws<HoldfastException>(() => store.BackupTo("/four", "/nowhere"));
            Assert.Equal(ErrorKind.NotThere, none.Kind);
        }
    }

    [Fact]
    public void ABackupOfAnotherStoreIsNoPreviousOne()
    {
        SimulatedHost host = Filled(out BitcaskStore store);
        using (store)
        using (BitcaskStore other = BitcaskStore.Open(host, "/other", StoreTesting.Small))
        {
            other.Put("k", "v");
            other.Backup("/backup");
            HoldfastException refusal = Assert.Throws<HoldfastException>(() => store.BackupTo("/copy", "/backup"));
            Assert.Contains("is a backup of another store", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void WritingToACheckpointDoesNotChangeTheStore()
    {
        SimulatedHost host = Filled(out BitcaskStore store);
        using (store)
        {
            string before = StoreTesting.Describe(store);
            store.Checkpoint("/copy");
            using (BitcaskStore copy = BitcaskStore.Open(host, "/copy", StoreTesting.Small))
            {
                foreach (string key in StoreTesting.ReadAll(copy).Keys) copy.Delete(key);
                copy.Put("new", "x");
                copy.Merge(MergeScope.All);
            }

            Assert.Equal(before, StoreTesting.Describe(store));
            Assert.True(BitcaskStore.Verify(host, "/copy", all: true, CancellationToken.None).IsWhole);
        }

        Assert.Empty(StoreTesting.With(host, "/kv", StoreTesting.Small, reopened => reopened.Damages));
    }

    /// The manifest of so many is written in several pieces.
    [Fact]
    public void ACheckpointOfManySegmentsVerifiesWithAHintLessAndTwice()
    {
        SimulatedHost host = Filled(out BitcaskStore store);
        using (store)
        {
            for (int i = 0; i < 300; i++) store.Put($"key {i}", StoreTesting.Padded($"{i}", 900));
            Assert.True(store.Checkpoint("/first").Segments > 50);
            string removed = host.Disk.Paths().First(path =>
                path.StartsWith("/kv/", StringComparison.Ordinal) && path.EndsWith(".hint", StringComparison.Ordinal));
            Assert.True(host.Disk.TryDelete(removed));
            store.Checkpoint("/second");

            foreach (string copy in new[] { "/first", "/second" })
            {
                Assert.True(BitcaskStore.Verify(host, copy, all: true, CancellationToken.None).IsWhole);
                Assert.Equal(StoreTesting.Describe(store), StoreTesting.With(host, copy, StoreTesting.Small, StoreTesting.Describe));
            }

            Assert.DoesNotContain($"/second/{Path.GetFileName(removed)}", host.Disk.Paths());
        }
    }

    [Fact]
    public void VerificationReadsWhatIsNewAndAllWhenAsked()
    {
        SimulatedHost host = Filled(out BitcaskStore store);
        using (store)
        {
            store.Backup("/copy");
            Assert.True(BitcaskStore.Verify(host, "/copy", all: false, CancellationToken.None).BytesRead > 0);
            Assert.Equal(0, BitcaskStore.Verify(host, "/copy", all: false, CancellationToken.None).BytesRead);
            Assert.True(BitcaskStore.Verify(host, "/copy", all: true, CancellationToken.None).BytesRead > 0);
        }
    }

    private static SimulatedHost Filled(out BitcaskStore store)
    {
        SimulatedHost host = SimulatedHost.Create(1);
        store = BitcaskStore.Open(host, "/kv", StoreTesting.Small);
        for (int i = 0; i < 12; i++) store.Put($"k{i}", StoreTesting.Padded($"{i}", 900));
        store.Delete("k3");
        return host;
    }
}
