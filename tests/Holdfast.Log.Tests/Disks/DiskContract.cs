namespace Holdfast.Log.Tests.Disks;

/// <summary>What every <see cref="IDisk"/> must do while the power is on.</summary>
public abstract class DiskContract
{
    private const int NoEntry = 2;
    private const int NotDirectory = 20;

    protected abstract IDisk Disk { get; }

    /// <summary>An empty directory.</summary>
    protected abstract string Root { get; }

    [Fact]
    public void WhatIsAbsentIsNoError()
    {
        Assert.Null(Disk.TryOpen($"{Root}/x", DiskAccess.Read));
        Assert.Null(Disk.TryOpen($"{Root}/no/x", DiskAccess.ReadWrite));
        Assert.Null(Disk.TryStat($"{Root}/x"));
        Assert.Null(Disk.TryStat($"{Root}/no/x"));
        Assert.Null(Disk.TryList($"{Root}/no"));
        Assert.False(Disk.TryDelete($"{Root}/x"));
        Assert.False(Disk.TryDelete($"{Root}/no/x"));
        Assert.False(Disk.TryDeleteDirectory($"{Root}/no"));
    }

    [Fact]
    public void AMissingParentIsAnError()
    {
        AssertErrno(NoEntry, () => Disk.CreateUnnamed($"{Root}/no").Dispose());
        AssertErrno(NoEntry, () => Disk.TryCreateDirectory($"{Root}/no/x"));
        AssertErrno(NoEntry, () => Disk.SyncDirectory($"{Root}/no"));
        AssertErrno(NoEntry, () => Disk.Rename($"{Root}/x", $"{Root}/y"));
        using IDiskFile file = Disk.CreateUnnamed(Root);
        AssertErrno(NoEntry, () => Disk.TryPublish(file, $"{Root}/no/x"));
        Assert.True(Disk.TryPublish(file, $"{Root}/x"));
    }

    [Fact]
    public void AFileIsNoDirectoryAndADirectoryNoFile()
    {
        Publish($"{Root}/file", "content"u8);
        Disk.TryCreateDirectory($"{Root}/folder");

        Assert.Null(Disk.TryList($"{Root}/file"));
        Assert.False(Disk.TryDeleteDirectory($"{Root}/file"));
        AssertErrno(NotDirectory, () => Disk.CreateUnnamed($"{Root}/file").Dispose());
        AssertErrno(NotDirectory, () => Disk.SyncDirectory($"{Root}/file"));
        AssertErrno(NotDirectory, () => Disk.TryCreateDirectory($"{Root}/file/x"));
        Assert.Null(Disk.TryOpen($"{Root}/file/x", DiskAccess.Read));
        Assert.Null(Disk.TryStat($"{Root}/file/x"));
        Assert.Null(Disk.TryOpen($"{Root}/folder", DiskAccess.Read));
        Assert.Null(Disk.TryOpen($"{Root}/folder", DiskAccess.ReadWrite));
        Assert.False(Disk.TryDelete($"{Root}/folder"));
        Assert.True(Disk.TryStat($"{Root}/folder")!.Value.IsDirectory);
        Assert.False(Disk.TryStat($"{Root}/file")!.Value.IsDirectory);
    }

    [Fact]
    public void AnUnnamedFileIsInvisibleUntilItIsPublished()
    {
        using IDiskFile file = Disk.CreateUnnamed(Root);
        file.Write(0, "hello"u8);
        file.Sync();
        Assert.DoesNotContain(
            Disk.TryList(Root)!, e => !e.Name.StartsWith(IDisk.StagingPrefix, StringComparison.Ordinal));

        Assert.True(Disk.TryPublish(file, $"{Root}/name"));

        Assert.Equal([new DiskEntry("name", IsDirectory: false)], Disk.TryList(Root)!);
        Assert.Equal("hello"u8, Content($"{Root}/name"));
        file.Write(5, " again"u8);
        Assert.Equal("hello again"u8, Content($"{Root}/name"));
        Assert.Throws<ArgumentException>(() => Disk.TryPublish(file, $"{Root}/other"));
    }

    [Fact]
    public void AnUnnamedFileThatIsNotPublishedVanishes()
    {
        Disk.CreateUnnamed(Root).Dispose();

        Assert.Empty(Disk.TryList(Root)!);
    }

    [Fact]
    public void PublishingNeverReplaces()
    {
        Publish($"{Root}/name", "first"u8);
        Disk.TryCreateDirectory($"{Root}/folder");
        using IDiskFile second = Disk.CreateUnnamed(Root);
        second.Write(0, "second"u8);

        Assert.False(Disk.TryPublish(second, $"{Root}/name"));
        Assert.False(Disk.TryPublish(second, $"{Root}/folder"));

        Assert.Equal("first"u8, Content($"{Root}/name"));
        Assert.True(Disk.TryPublish(second, $"{Root}/other"));
        Assert.Equal("second"u8, Content($"{Root}/other"));
    }

    [Fact]
    public void ReadsAndWritesArePositional()
    {
        using IDiskFile file = Disk.CreateUnnamed(Root);
        file.Write(1000, "end"u8);
        file.Write(0, "start"u8);
        file.Write(0, []);

        Assert.Equal(1003, file.Length);
        byte[] target = new byte[10];
        Assert.Equal(10, file.Read(995, new byte[10].AsSpan()) + 2);
        Assert.Equal(3, file.Read(1000, target));
        Assert.Equal("end"u8, target.AsSpan(0, 3));
        Assert.Equal(0, file.Read(1003, target));
        Assert.Equal(0, file.Read(5000, target));
        Assert.Equal(10, file.Read(3, target));
        Assert.Equal([(byte)'r', (byte)'t', 0, 0, 0, 0, 0, 0, 0, 0], target);
        Assert.Equal(0, file.Read(0, []));
    }

    [Fact]
    public void SetLengthCutsAndExtendsWithZeros()
    {
        using IDiskFile file = Disk.CreateUnnamed(Root);
        file.Write(0, "123456789"u8);
        file.SetLength(4);
        Assert.Equal(4, file.Length);
        file.SetLength(6);
        byte[] target = new byte[9];
        Assert.Equal(6, file.Read(0, target));
        Assert.Equal("1234\0\0\0\0\0"u8, target);
    }

    [Fact]
    public void AReadOnlyFileRefusesWritesAndHasASync()
    {
        Publish($"{Root}/name", "content"u8);
        using IDiskFile file = Disk.TryOpen($"{Root}/name", DiskAccess.Read)!;

        AssertErrno(9, () => file.Write(0, "x"u8));
        AssertErrno(22, () => file.SetLength(0));
        AssertErrno(9, () => file.WriteDurably(0, "x"u8));
        AssertErrno(9, () => file.Allocate(1));
        file.StartWriteback(0, 1);
        file.Sync();
        Assert.Throws<ArgumentException>(() => Disk.TryPublish(file, $"{Root}/other"));
        Assert.Equal("content"u8, Content($"{Root}/name"));
    }

    [Fact]
    public void RenameReplacesAFile()
    {
        Publish($"{Root}/a", "a"u8);
        Publish($"{Root}/b", "b"u8);
        Disk.TryCreateDirectory($"{Root}/folder");
        using IDiskFile replaced = Disk.TryOpen($"{Root}/b", DiskAccess.Read)!;

        Disk.Rename($"{Root}/a", $"{Root}/b");
        Assert.Equal("a"u8, Content($"{Root}/b"));
        Assert.Null(Disk.TryStat($"{Root}/a"));
        Disk.Rename($"{Root}/b", $"{Root}/b");
        Disk.Rename($"{Root}/b", $"{Root}/folder/b");
        AssertErrno(39, () => Disk.Rename($"{Root}/folder/b", $"{Root}/folder"));
        Disk.TryCreateDirectory($"{Root}/other");
        AssertErrno(21, () => Disk.Rename($"{Root}/folder/b", $"{Root}/other"));

        Assert.Equal("a"u8, Content($"{Root}/folder/b"));
        byte[] target = new byte[1];
        Assert.Equal(1, replaced.Read(0, target));
        Assert.Equal("b"u8, target);
    }

    [Fact]
    public void ExchangedThingsHaveEachOthersNames()
    {
        Disk.TryCreateDirectory($"{Root}/old");
        Disk.TryCreateDirectory($"{Root}/staged");
        Disk.TryCreateDirectory($"{Root}/staged/new");
        Publish($"{Root}/old/x", "old"u8);
        Publish($"{Root}/staged/new/x", "new"u8);
        Publish($"{Root}/file", "file"u8);

        Assert.True(Disk.TryExchange($"{Root}/staged/new", $"{Root}/old"));
        Assert.Equal("new"u8, Content($"{Root}/old/x"));
        Assert.Equal("old"u8, Content($"{Root}/staged/new/x"));

        Assert.True(Disk.TryExchange($"{Root}/file", $"{Root}/old"));
        Assert.Equal("file"u8, Content($"{Root}/old"));
        Assert.Equal("new"u8, Content($"{Root}/file/x"));

        Assert.False(Disk.TryExchange($"{Root}/staged", $"{Root}/staged/new"));
        AssertErrno(NoEntry, () => Disk.TryExchange($"{Root}/staged", $"{Root}/absent"));
        AssertErrno(NoEntry, () => Disk.TryExchange($"{Root}/absent", $"{Root}/staged"));
    }

    [Fact]
    public void ARenamedDirectoryKeepsWhatIsInIt()
    {
        Disk.TryCreateDirectory($"{Root}/a");
        Disk.TryCreateDirectory($"{Root}/a/inner");
        Disk.TryCreateDirectory($"{Root}/empty");
        Disk.TryCreateDirectory($"{Root}/full");
        Publish($"{Root}/full/x", "x"u8);
        Publish($"{Root}/file", "x"u8);
        Publish($"{Root}/a/f", "f"u8);
        using IDiskFile open = Disk.TryOpen($"{Root}/a/f", DiskAccess.ReadWrite)!;

        AssertErrno(39, () => Disk.Rename($"{Root}/a", $"{Root}/full"));
        AssertErrno(NotDirectory, () => Disk.Rename($"{Root}/a", $"{Root}/file"));
        AssertErrno(NotDirectory, () => Disk.Rename($"{Root}/a", $"{Root}/file/a"));
        AssertErrno(22, () => Disk.Rename($"{Root}/a", $"{Root}/a/inner/a"));
        AssertErrno(39, () => Disk.Rename($"{Root}/a/inner", $"{Root}/a"));
        AssertErrno(NoEntry, () => Disk.Rename($"{Root}/a", $"{Root}/no/a"));
        Disk.Rename($"{Root}/a", $"{Root}/a");
        Disk.Rename($"{Root}/a", $"{Root}/empty");
        Disk.Rename($"{Root}/empty", $"{Root}/full/b");

        Assert.Null(Disk.TryStat($"{Root}/a"));
        Assert.Null(Disk.TryStat($"{Root}/empty"));
        Assert.True(Disk.TryStat($"{Root}/full/b/inner")!.Value.IsDirectory);
        open.Write(1, "g"u8);
        Assert.Equal("fg"u8, Content($"{Root}/full/b/f"));
    }

    [Fact]
    public void ALinkIsAnotherNameOfTheFile()
    {
        Publish($"{Root}/a", "1"u8);
        Publish($"{Root}/taken", "2"u8);
        Disk.TryCreateDirectory($"{Root}/d");
        Assert.Equal(1u, Disk.TryStat($"{Root}/a")!.Value.LinkCount);

        Assert.True(Disk.TryLink($"{Root}/a", $"{Root}/d/b"));
        Assert.False(Disk.TryLink($"{Root}/a", $"{Root}/d/b"));
        Assert.False(Disk.TryLink($"{Root}/a", $"{Root}/taken"));
        Assert.False(Disk.TryLink($"{Root}/a", $"{Root}/d"));
        Assert.False(Disk.TryLink($"{Root}/a", $"{Root}/a"));
        AssertErrno(NoEntry, () => Disk.TryLink($"{Root}/none", $"{Root}/taken"));
        AssertErrno(NoEntry, () => Disk.TryLink($"{Root}/a", $"{Root}/no/b"));
        AssertErrno(NotDirectory, () => Disk.TryLink($"{Root}/a", $"{Root}/taken/b"));
        AssertErrno(DiskException.NotPermitted, () => Disk.TryLink($"{Root}/d", $"{Root}/e"));

        DiskStat a = Disk.TryStat($"{Root}/a")!.Value, b = Disk.TryStat($"{Root}/d/b")!.Value;
        Assert.Equal((2u, 2u, a.DeviceId), (a.LinkCount, b.LinkCount, b.DeviceId));
        using (IDiskFile file = Disk.TryOpen($"{Root}/d/b", DiskAccess.ReadWrite)!) file.Write(0, "3"u8);
        Assert.Equal("3"u8, Content($"{Root}/a"));
        Disk.Rename($"{Root}/a", $"{Root}/d/b");
        Assert.True(Disk.TryDelete($"{Root}/a"));
        Assert.Equal("3"u8, Content($"{Root}/d/b"));
        Assert.Equal(1u, Disk.TryStat($"{Root}/d/b")!.Value.LinkCount);
    }

    [Fact]
    public void ACloneHasTheContentAndItsOwnLife()
    {
        Publish($"{Root}/a", new byte[10_000]);
        using IDiskFile source = Disk.TryOpen($"{Root}/a", DiskAccess.Read)!, target = Disk.CreateUnnamed(Root);
        target.Write(0, "target"u8);

        // Few file systems can.
        if (!Disk.TryClone(source, target))
        {
            Assert.Equal(6, target.Length);
            return;
        }

        target.Write(9_999, "x"u8);
        Assert.Equal(10_000, target.Length);
        Assert.Equal(new byte[10_000], Content($"{Root}/a"));
        byte[] content = new byte[10_000];
        Assert.Equal(10_000, target.Read(0, content));
        Assert.Equal((byte)'x', Assert.Single(content, b => b != 0));
        AssertErrno(9, () => Disk.TryClone(target, source));
    }

    [Fact]
    public void ALockHasOneHolderAndSaysWho()
    {
        string path = $"{Root}/lock";
        using IDiskLock held = Disk.TryLock(path, "process 7 since noon", out string nobody)!;
        Assert.Equal("", nobody);
        Assert.Equal("process 7 since noon"u8, Content(path));
        Assert.Null(Disk.TryLock(path, "somebody else", out string holder));
        Assert.Equal("process 7 since noon", holder);
        Assert.Equal("process 7 since noon"u8, Content(path));
        using IDiskLock? other = Disk.TryLock($"{Root}/other", "x", out _);
        Assert.NotNull(other);
        held.Dispose();
        Assert.Equal([], Content(path));

        string note = $"  {new string('n', 2000)}";
        using IDiskLock? next = Disk.TryLock(path, note, out _);
        Assert.NotNull(next);
        held.Dispose();
        Assert.Equal(note, System.Text.Encoding.UTF8.GetString(Content(path)));
        Assert.Null(Disk.TryLock(path, "", out string begins));
        Assert.Equal(new string('n', 1022), begins);
    }

    [Fact]
    public void ALockOverAnOlderTextHasItsOwn()
    {
        Publish($"{Root}/lock", "the name of one who was killed"u8);

        using IDiskLock? held = Disk.TryLock($"{Root}/lock", "ünïcode", out _);

        Assert.Null(Disk.TryLock($"{Root}/lock", "", out string holder));
        Assert.Equal("ünïcode", holder);
    }

    [Fact]
    public void WhatIsNoFileHasNoLock()
    {
        Disk.TryCreateDirectory($"{Root}/d");

        AssertErrno(21, () => Disk.TryLock($"{Root}/d", "", out _));
        AssertErrno(NoEntry, () => Disk.TryLock($"{Root}/no/lock", "", out _));
        Assert.Null(Disk.TryStat($"{Root}/no"));
    }

    [Fact]
    public void OfConcurrentLocksOneIsTaken()
    {
        var taken = new System.Collections.Concurrent.ConcurrentBag<IDiskLock>();
        Parallel.For(0, 16, i =>
        {
            if (Disk.TryLock($"{Root}/lock", $"{i}", out _) is { } held) taken.Add(held);
        });

        Assert.Single(taken).Dispose();
        using IDiskLock? next = Disk.TryLock($"{Root}/lock", "", out _);
        Assert.NotNull(next);
    }

    [Fact]
    public void ADurableWriteIsAWrite()
    {
        using IDiskFile file = Disk.CreateUnnamed(Root);
        file.WriteDurably(1000, "end"u8);
        file.WriteDurably(0, "start"u8);
        file.WriteDurably(500, []);
        file.Write(5, "less"u8);

        Assert.Equal(1003, file.Length);
        byte[] target = new byte[9];
        Assert.Equal(9, file.Read(0, target));
        Assert.Equal("startless"u8, target);
        Assert.Equal(3, file.Read(1000, target));
        Assert.Equal("end"u8, target.AsSpan(0, 3));
    }

    [Fact]
    public void ReservedSpaceDoesNotShow()
    {
        using IDiskFile file = Disk.CreateUnnamed(Root);
        file.Allocate(0);
        file.Allocate(100_000);
        Assert.Equal(0, file.Length);
        file.Write(10, "x"u8);
        file.Allocate(50);
        Assert.Equal(11, file.Length);
        file.SetLength(11);
        Assert.Equal(11, file.Length);
    }

    [Fact]
    public void AHintChangesNothing()
    {
        using IDiskFile file = Disk.CreateUnnamed(Root);
        file.Write(0, "content"u8);
        file.StartWriteback(0, 7);
        file.StartWriteback(1 << 20, long.MaxValue);

        Assert.Throws<ArgumentOutOfRangeException>(() => file.StartWriteback(0, 0));
        Assert.Equal(7, file.Length);
    }

    [Fact]
    public unsafe void AMappingShowsTheFileAsItIs()
    {
        using IDiskFile writer = Disk.CreateUnnamed(Root);
        writer.Write(0, "before"u8);
        Assert.True(Disk.TryPublish(writer, $"{Root}/f"));
        IDiskFile file = Disk.TryOpen($"{Root}/f", DiskAccess.Read)!;
        Assert.Throws<ArgumentOutOfRangeException>(() => file.TryMap(0));
        using DiskMapping? mapping = file.TryMap(1 << 20);
        file.Dispose();
        // Not every disk can.
        if (mapping is null) return;

        Assert.Equal(1 << 20, mapping.Length);
        Assert.Equal("before"u8, new ReadOnlySpan<byte>(mapping.Start, 6));
        writer.Write(0, "behind"u8);
        writer.Write(100_000, "grown"u8);
        Assert.Equal("behind"u8, new ReadOnlySpan<byte>(mapping.Start, 6));
        Assert.Equal("grown"u8, new ReadOnlySpan<byte>(mapping.Start + 100_000, 5));
        mapping.Dispose();
        Assert.Throws<ObjectDisposedException>(() => mapping.Start is null);
    }

    [Fact]
    public void FreeSpaceIsThatOfTheFileSystem()
    {
        Assert.True(Disk.FreeBytes(Root) > 0);
        AssertErrno(NoEntry, () => Disk.FreeBytes($"{Root}/no"));
    }

    [Fact]
    public void DirectoriesAreMadeAndRemovedOnce()
    {
        Assert.True(Disk.TryCreateDirectory($"{Root}/d"));
        Assert.False(Disk.TryCreateDirectory($"{Root}/d"));
        Publish($"{Root}/d/f", "x"u8);
        Assert.False(Disk.TryCreateDirectory($"{Root}/d/f"));
        Assert.False(Disk.TryDeleteDirectory($"{Root}/d"));
        Assert.True(Disk.TryDelete($"{Root}/d/f"));
        Assert.False(Disk.TryDelete($"{Root}/d/f"));
        Disk.SyncDirectory($"{Root}/d");
        Assert.True(Disk.TryDeleteDirectory($"{Root}/d"));
        Assert.False(Disk.TryDeleteDirectory($"{Root}/d"));
    }

    [Fact]
    public void ADisposedFileRefusesEverything()
    {
        IDiskFile file = Disk.CreateUnnamed(Root);
        file.Dispose();
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(() => file.Length);
        Assert.Throws<ObjectDisposedException>(() => file.Read(0, new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => file.Write(0, new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => file.SetLength(1));
        Assert.Throws<ObjectDisposedException>(file.Sync);
        Assert.Throws<ObjectDisposedException>(() => file.WriteDurably(0, new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => file.Allocate(1));
        Assert.Throws<ObjectDisposedException>(() => file.StartWriteback(0, 1));
        Assert.Throws<ObjectDisposedException>(() => file.TryMap(1));
        using IDiskFile other = Disk.CreateUnnamed(Root);
        Assert.Throws<ObjectDisposedException>(() => Disk.TryClone(file, other));
        Assert.Throws<ObjectDisposedException>(() => Disk.TryClone(other, file));
        Assert.Throws<ObjectDisposedException>(() => Disk.TryPublish(file, $"{Root}/x"));
    }

    [Fact]
    public void AnotherDisksFileIsRefused()
    {
        using var file = new ForeignFile();
        Assert.Throws<ArgumentException>(() => Disk.TryPublish(file, $"{Root}/x"));
        using IDiskFile own = Disk.CreateUnnamed(Root);
        Assert.Throws<ArgumentException>(() => Disk.TryClone(file, own));
        Assert.Throws<ArgumentException>(() => Disk.TryClone(own, file));
    }

    [Fact]
    public void OfConcurrentPublishesOneWins()
    {
        for (int round = 0; round < 20; round++)
        {
            int winners = 0;
            Parallel.For(0, 8, _ =>
            {
                using IDiskFile file = Disk.CreateUnnamed(Root);
                if (Disk.TryPublish(file, $"{Root}/{round}")) Interlocked.Increment(ref winners);
            });
            Assert.Equal(1, winners);
        }

        Assert.Equal(20, Disk.TryList(Root)!.Count);
    }

    protected void Publish(string path, ReadOnlySpan<byte> content)
    {
        using IDiskFile file = Disk.CreateUnnamed(path[..path.LastIndexOf('/')]);
        file.Write(0, content);
        file.Sync();
        Assert.True(Disk.TryPublish(file, path));
    }

    protected byte[] Content(string path)
    {
        using IDiskFile file = Disk.TryOpen(path, DiskAccess.Read)!;
        byte[] content = new byte[file.Length];
        Assert.Equal(content.Length, file.Read(0, content));
        return content;
    }

    private static void AssertErrno(int errno, Action action)
    {
        DiskException error = Assert.Throws<DiskException>(action);
        Assert.True(error.Errno == errno, $"{error.Message}, expected {errno}");
    }

    private sealed class ForeignFile : IDiskFile
    {
        public long Length => 0;

        public int Read(long offset, Span<byte> target) => 0;

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
        }

        public void WriteDurably(long offset, ReadOnlySpan<byte> source)
        {
        }

        public void SetLength(long length)
        {
        }

        public void Allocate(long length)
        {
        }

        public void Sync()
        {
        }

        public void StartWriteback(long offset, long length)
        {
        }

        public DiskMapping? TryMap(long length) => null;

        public void Dispose()
        {
        }
    }
}
