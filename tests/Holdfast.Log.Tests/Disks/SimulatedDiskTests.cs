using Holdfast.Testing;

namespace Holdfast.Log.Tests.Disks;

/// What the simulator may lose it loses for some outcome, and what it must keep it keeps for all.
public sealed class SimulatedDiskTests
{
    private const int Outcomes = 200;
    private const int Sector = 512;

    [Fact]
    public void WhatWasSyncedIsNeverLost()
    {
        var disk = new SimulatedDisk(seed: 1);
        byte[] content = Bytes(5000, 1);
        disk.TryCreateDirectory("/d");
        disk.SyncDirectory("/");
        using IDiskFile file = Publish(disk, "/d/f", content);
        disk.SyncDirectory("/d");

        Assert.All(AfterCrashes(disk), after => Assert.Equal(content, Content(after, "/d/f")));
    }

    [Fact]
    public void AnUnsyncedNameMayBeLostOrNot()
    {
        var disk = new SimulatedDisk(seed: 2);
        using IDiskFile file = Publish(disk, "/f", Bytes(10, 1));

        Assert.Equal([false, true], Seen(disk, after => after.TryStat("/f") is not null));
        Assert.All(AfterCrashes(disk), after => Assert.True(Content(after, "/f") is null or { Length: 10 }));
    }

    [Fact]
    public void SyncingAFileDoesNotSyncItsName()
    {
        var disk = new SimulatedDisk(seed: 2);
        using IDiskFile file = Publish(disk, "/f", Bytes(10, 1));
        file.Sync();

        Assert.Contains(AfterCrashes(disk), after => after.TryStat("/f") is null);
    }

    [Fact]
    public void AnUnnamedFileIsGone()
    {
        var disk = new SimulatedDisk(seed: 3);
        using IDiskFile file = disk.CreateUnnamed("/");
        file.Write(0, Bytes(10, 1));
        file.Sync();
        disk.SyncDirectory("/");

        Assert.All(AfterCrashes(disk), after => Assert.Empty(after.TryList("/")!));
    }

    [Fact]
    public void ANameWithoutSyncedContentMayBeEmptyPartialOrWhole()
    {
        var disk = new SimulatedDisk(seed: 4);
        byte[] content = Bytes(4 * Sector, 1);
        using IDiskFile file = disk.CreateUnnamed("/");
        file.Write(0, content);
        disk.TryPublish(file, "/f");
        disk.SyncDirectory("/");

        byte[][] seen = [.. AfterCrashes(disk).Select(after => Content(after, "/f")!)];

        Assert.Contains(seen, c => c.Length == 0);
        Assert.Contains(seen, c => c.SequenceEqual(content));
        Assert.Contains(seen, c => c.Length == content.Length && !c.SequenceEqual(content));
        Assert.All(seen, c => Assert.Equal(0, c.Length % Sector));
    }

    [Fact]
    public void SectorsOfUnsyncedWritesSurviveInAnyOrderButWhole()
    {
        var disk = new SimulatedDisk(seed: 5);
        using IDiskFile file = Publish(disk, "/f", new byte[4 * Sector]);
        disk.SyncDirectory("/");
        file.Write(0, Filled(2 * Sector, 1));
        file.Write(2 * Sector, Filled(2 * Sector, 2));

        string[] seen = Seen(disk, after =>
        {
            byte[] content = Content(after, "/f")!;
            byte[][] sectors = [.. content.Chunk(Sector)];
            Assert.All(sectors, s => Assert.Single(s.Distinct()));
            return string.Concat(sectors.Select(s => s[0]));
        });

        Assert.Contains("0000", seen);
        Assert.Contains("1122", seen);
        Assert.Contains("0022", seen);
        Assert.Contains("1100", seen);
        Assert.Contains("0102", seen);
        Assert.All(seen, s => Assert.Matches("^[01][01][02][02]$", s));
    }

    [Fact]
    public void ASectorHoldsAStateThatItHadInMemory()
    {
        var disk = new SimulatedDisk(seed: 6);
        using IDiskFile file = Publish(disk, "/f", new byte[3]);
        disk.SyncDirectory("/");
        file.Write(0, [1]);
        file.Write(1, [2]);
        file.Write(0, [3]);

        string[] seen = Seen(disk, after => string.Concat(Content(after, "/f")!));

        Assert.Equal(["000", "100", "120", "320"], seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AnUnsyncedLengthMayHaveChangedOrNot()
    {
        var disk = new SimulatedDisk(seed: 7);
        using IDiskFile file = Publish(disk, "/f", Filled(1000, 1));
        disk.SyncDirectory("/");
        file.SetLength(100);
        file.Write(100, Filled(50, 2));

        byte[][] seen = [.. AfterCrashes(disk).Select(after => Content(after, "/f")!)];

        Assert.Equal([100, 150, 1000], seen.Select(c => c.Length).Distinct().Order());
        Assert.All(seen, c => Assert.All(c[..100], b => Assert.Equal(1, b)));
        Assert.Contains(seen, c => c.Length == 150 && c[149] == 2);
        Assert.Contains(seen, c => c.Length == 150 && c[149] == 0);
        Assert.DoesNotContain(seen, c => c.Length == 150 && c[149] == 1);
    }

    [Fact]
    public void AnUnsyncedDeleteMayComeBack()
    {
        var disk = new SimulatedDisk(seed: 8);
        Publish(disk, "/f", Bytes(10, 1)).Dispose();
        disk.SyncDirectory("/");
        disk.TryDelete("/f");
        Assert.Equal([false, true], Seen(disk, after => after.TryStat("/f") is not null));

        disk = disk.AfterPowerCut(FirstOutcome(disk, after => after.TryStat("/f") is not null));
        Assert.True(disk.TryDelete("/f"));
        disk.SyncDirectory("/");
        Assert.All(AfterCrashes(disk), after => Assert.Null(after.TryStat("/f")));
    }

    [Fact]
    public void OperationsInOneDirectorySurviveIndependently()
    {
        var disk = new SimulatedDisk(seed: 9);
        Publish(disk, "/a", []).Dispose();
        Publish(disk, "/b", []).Dispose();

        string[] seen = Seen(disk, after => string.Concat(
            after.TryList("/")!.Select(e => e.Name).Order(StringComparer.Ordinal)));

        Assert.Equal(["", "a", "ab", "b"], seen.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/b")]
    [InlineData("/d/b")]
    public void ARenameNeverLosesBothNames(string to)
    {
        var disk = new SimulatedDisk(seed: 10);
        disk.TryCreateDirectory("/d");
        Publish(disk, "/a", "new"u8.ToArray()).Dispose();
        Publish(disk, to, "old"u8.ToArray()).Dispose();
        disk.SyncDirectory("/");
        disk.SyncDirectory("/d");
        disk.Rename("/a", to);

        string[] seen = Seen(disk, after => $"{Text(after, "/a")} {Text(after, to)}");
        Assert.Equal(["- new", "new old"], seen.Order(StringComparer.Ordinal));

        disk = disk.AfterPowerCut(FirstOutcome(disk, after => after.TryStat("/a") is not null));
        disk.Rename("/a", to);
        disk.SyncDirectory("/");
        Assert.All(AfterCrashes(disk), after => Assert.Equal("- new", $"{Text(after, "/a")} {Text(after, to)}"));
    }

    [Fact]
    public void ARenameToASyncedDirectoryMayLeaveTheOldName()
    {
        var disk = new SimulatedDisk(seed: 11);
        disk.TryCreateDirectory("/d");
        Publish(disk, "/a", "x"u8.ToArray()).Dispose();
        disk.SyncDirectory("/");
        disk.Rename("/a", "/d/a");
        disk.SyncDirectory("/d");

        string[] seen = Seen(disk, after => $"{Text(after, "/a")} {Text(after, "/d/a")}");
        Assert.Equal(["- x", "x x"], seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ARenameIntoANewDirectoryLosesNothing()
    {
        var disk = new SimulatedDisk(seed: 11);
        Publish(disk, "/a", "x"u8.ToArray()).Dispose();
        disk.SyncDirectory("/");
        disk.TryCreateDirectory("/d");
        disk.TryCreateDirectory("/d/e");
        disk.Rename("/a", "/d/e/a");

        string[] seen = Seen(disk, after => $"{Text(after, "/a")} {Text(after, "/d/e/a")}");
        Assert.Equal(["- x", "x -"], seen.Order(StringComparer.Ordinal));
        disk.SyncDirectory("/d/e");
        seen = Seen(disk, after => $"{Text(after, "/a")} {Text(after, "/d/e/a")}");
        Assert.Equal(["- x", "x -", "x x"], seen.Order(StringComparer.Ordinal));
        disk.SyncDirectory("/");
        Assert.All(AfterCrashes(disk), after => Assert.Equal("- x", $"{Text(after, "/a")} {Text(after, "/d/e/a")}"));
    }

    [Theory]
    [InlineData("/b", "/")]
    [InlineData("/d/b", "/")]
    [InlineData("/d/b", "/d")]
    public void ARenamedDirectoryHasOneOfBothNamesAndItsContent(string to, string synced)
    {
        var disk = new SimulatedDisk(seed: 17);
        disk.TryCreateDirectory("/a");
        disk.TryCreateDirectory("/d");
        Publish(disk, "/a/f", "x"u8.ToArray()).Dispose();
        disk.SyncDirectory("/a");
        disk.SyncDirectory("/");
        disk.TryCreateDirectory(to);
        disk.Rename("/a", to);
        Publish(disk, $"{to}/g", "y"u8.ToArray()).Dispose();
        disk.SyncDirectory(to);

        string[] seen = Seen(disk, after => string.Join(' ', after.Paths().Where(path => path.EndsWith('f'))));
        Assert.Equal([$"{to}/f", "/a/f"], seen.OrderDescending(StringComparer.Ordinal));
        Assert.All(AfterCrashes(disk), after =>
            Assert.Equal("xy", string.Concat(after.Paths().Where(p => !p.EndsWith('/')).Select(p => Text(after, p)))));
        disk.SyncDirectory(synced);
        Assert.All(AfterCrashes(disk), after =>
        {
            Assert.Equal("xy", Text(after, $"{to}/f") + Text(after, $"{to}/g"));
            Assert.Null(after.TryStat("/a"));
        });
    }

    /// Each lost without the other, two moves would put each directory into the other, and both out of reach.
    [Fact]
    public void DirectoriesNeverComeToLieInEachOther()
    {
        var disk = new SimulatedDisk(seed: 18);
        disk.TryCreateDirectory("/a");
        disk.TryCreateDirectory("/a/b");
        disk.SyncDirectory("/a");
        disk.SyncDirectory("/");
        disk.Rename("/a/b", "/b");
        disk.Rename("/a", "/b/a");

        string[] seen = Seen(disk, after => string.Concat(after.Paths()));
        Assert.Equal(["/a//a/b/", "/a//b/", "/b//b/a/"], seen.Order(StringComparer.Ordinal));
        // The second needs the first, so it brings it with it.
        disk.SyncDirectory("/b");
        Assert.All(AfterCrashes(disk), after => Assert.Equal(["/b/", "/b/a/"], after.Paths()));
    }

    [Fact]
    public void ADirectoryThatReplacedAnotherIsNotThereWithoutIt()
    {
        var disk = new SimulatedDisk(seed: 19);
        disk.TryCreateDirectory("/a");
        disk.TryCreateDirectory("/b");
        Publish(disk, "/b/f", "x"u8.ToArray()).Dispose();
        disk.SyncDirectory("/b");
        disk.SyncDirectory("/");
        disk.TryDelete("/b/f");
        disk.Rename("/a", "/b");

        string[] seen = Seen(disk, after => string.Concat(after.Paths()));
        Assert.Equal(["/a//b/", "/a//b//b/f", "/b/"], seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AnUnsyncedLinkMayBeLostAndASyncedOneIsOfTheSameFile()
    {
        var disk = new SimulatedDisk(seed: 20);
        using IDiskFile file = Publish(disk, "/a", "x"u8.ToArray());
        disk.SyncDirectory("/");
        disk.TryCreateDirectory("/d");
        disk.TryLink("/a", "/d/b");
        disk.SyncDirectory("/");
        Assert.Equal(["x -", "x x"], Seen(disk, after => $"{Text(after, "/a")} {Text(after, "/d/b")}"));
        disk.SyncDirectory("/d");
        disk.TryDelete("/a");
        disk.SyncDirectory("/");
        disk.TryLink("/d/b", "/c");
        disk.SyncDirectory("/");
        file.Write(0, "y"u8);

        string[] seen = Seen(disk, after =>
        {
            using IDiskFile again = after.TryOpen("/c", DiskAccess.ReadWrite)!;
            Assert.Equal(2u, after.TryStat("/c")!.Value.LinkCount);
            string before = Text(after, "/d/b");
            again.Write(0, "z"u8);
            return before + Text(after, "/d/b");
        });
        Assert.Equal(["xz", "yz"], seen);
    }

    [Fact]
    public void ALockEndsWithThePowerAndItsTextMayStay()
    {
        var disk = new SimulatedDisk(seed: 21);
        IDiskLock held = disk.TryLock("/lock", "holder", out _)!;
        disk.SyncDirectory("/");

        SimulatedDisk after = disk.AfterPowerCut();

        Assert.Equal("holder", Text(after, "/lock"));
        using IDiskLock? again = after.TryLock("/lock", "next", out _);
        Assert.NotNull(again);
        Assert.Equal("next", Text(after, "/lock"));
        held.Dispose();
        Assert.Null(after.TryLock("/lock", "third", out string holder));
        Assert.Equal("next", holder);
        Assert.Equal("holder", Text(disk.AfterPowerCut(), "/lock"));
    }

    [Fact]
    public void TheNameOfALocksFileIsLostLikeAnyOther()
    {
        var disk = new SimulatedDisk(seed: 22);
        disk.TryLock("/lock", "holder", out _)!.Dispose();
        Assert.Equal([false, true], Seen(disk, after => after.TryStat("/lock") is not null));
        disk.SyncDirectory("/");
        using IDiskLock held = disk.TryLock("/lock", "holder", out _)!;
        Assert.Single(disk.AllAfterPowerCut());
    }

    [Fact]
    public void ADurableWriteLeavesWhatWasWrittenBeforeItToChance()
    {
        var disk = new SimulatedDisk(seed: 23);
        using IDiskFile file = Publish(disk, "/f", Filled(Sector, 9));
        disk.SyncDirectory("/");
        file.Write(0, Filled(3 * Sector, 1));
        file.WriteDurably(3 * Sector, Filled(100, 2));

        string[] seen = Seen(disk, after =>
        {
            byte[] content = Content(after, "/f")!;
            Assert.Equal((3 * Sector) + 100, content.Length);
            return string.Concat(content.Chunk(Sector).Select(s => s[0]));
        });
        Assert.Equal(
            ["1002", "1012", "1102", "1112", "9002", "9012", "9102", "9112"], seen.Order(StringComparer.Ordinal));
        file.WriteDurably(Sector - 1, Filled(2, 3));
        Assert.Equal(2, disk.AllAfterPowerCut().Count);
    }

    [Fact]
    public void ADurableWriteBelowAllLengthsLeavesTheLengthToChance()
    {
        var disk = new SimulatedDisk(seed: 24);
        using IDiskFile file = Publish(disk, "/f", Filled(4 * Sector, 1));
        disk.SyncDirectory("/");
        file.SetLength(2 * Sector);
        file.WriteDurably(0, Filled(10, 2));

        Assert.Equal([2, 4], Seen(disk, after => Content(after, "/f")!.Length / Sector));
        Assert.All(AfterCrashes(disk), after => Assert.Equal(Filled(10, 2), Content(after, "/f")![..10]));
        file.WriteDurably((2 * Sector) - 1, Filled(1, 3));
        file.Write(2 * Sector, Filled(1, 4));
        file.WriteDurably(3 * Sector, Filled(Sector, 5));
        Assert.All(AfterCrashes(disk), after => Assert.Equal(4 * Sector, Content(after, "/f")!.Length));
        // Cut off and grown again: zeros, or what was written there, but never what had been there before.
        Assert.Equal([0, 4], Seen(disk, after => (int)Content(after, "/f")![2 * Sector]));
    }

    [Fact]
    public void ADurableWriteThatIsCutLeavesAnyPart()
    {
        var seen = new HashSet<string>();
        for (int seed = 0; seed < 400; seed++)
        {
            var disk = new SimulatedDisk(seed, cutAt: 6);
            using IDiskFile file = Publish(disk, "/f", Filled(2 * Sector, 1));
            disk.SyncDirectory("/");
            Assert.Throws<PowerCutException>(() => file.WriteDurably(0, Filled(2 * Sector, 2)));
            seen.Add(string.Concat(Content(disk.AfterPowerCut(), "/f")!.Chunk(Sector).Select(s => s[0])));
        }

        Assert.Equal(["11", "12", "21", "22"], seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AFailedDurableWriteIsStickyUnlessTheDiskIsFull()
    {
        var disk = new SimulatedDisk(seed: 25);
        using IDiskFile file = Publish(disk, "/f", Filled(Sector, 1));
        disk.FailAt(disk.CallCount + 1, DiskException.NoSpace);
        Assert.Throws<DiskException>(() => file.WriteDurably(Sector, Filled(Sector, 2)));
        file.SetLength(Sector);
        disk.Capacity = disk.UsedBytes;
        Assert.Throws<DiskException>(() => file.WriteDurably(Sector, Filled(Sector, 2)));
        file.WriteDurably(0, Filled(Sector, 3));

        // The sync may have failed for space too (thin volumes): where there was room, nobody knows which it was.
        disk.FailAt(disk.CallCount + 1, DiskException.NoSpace);
        Assert.Throws<DiskException>(() => file.WriteDurably(0, Filled(Sector, 4)));
        Assert.Throws<DiskException>(() => file.Read(0, new byte[1]));
        Assert.Throws<DiskException>(file.Sync);
        Assert.Contains(Content(disk, "/f")![0], new byte[] { 3, 4 });
    }

    [Fact]
    public void AHintIsNoCallButNeedsPower()
    {
        var disk = new SimulatedDisk(seed: 26);
        using IDiskFile file = disk.CreateUnnamed("/");
        int before = disk.CallCount;
        file.StartWriteback(0, 1);
        Assert.Null(file.TryMap(1));
        Assert.Equal(before, disk.CallCount);
        disk.AfterPowerCut();
        Assert.Throws<PowerCutException>(() => file.StartWriteback(0, 1));
        Assert.Throws<PowerCutException>(() => file.TryMap(1));
    }

    [Fact]
    public void ADiskThatCannotCloneSaysSo()
    {
        var disk = new SimulatedDisk(seed: 27);
        using IDiskFile source = Publish(disk, "/f", Filled(Sector, 1)), target = disk.CreateUnnamed("/");

        Assert.False(disk.TryClone(source, target));
        Assert.Equal(0, target.Length);
    }

    [Fact]
    public void AnUnsyncedDirectoryIsLostWithAllInIt()
    {
        var disk = new SimulatedDisk(seed: 12);
        disk.TryCreateDirectory("/d");
        Publish(disk, "/d/f", []).Dispose();
        disk.SyncDirectory("/d");

        Assert.Equal(["- -", "d f"], Seen(disk, after =>
            (after.TryStat("/d") is null ? "-" : "d") + (after.TryStat("/d/f") is null ? " -" : " f"))
            .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ARemovedDirectoryTakesNothingWithItThatWasMovedAway()
    {
        var disk = new SimulatedDisk(seed: 13);
        disk.TryCreateDirectory("/d");
        disk.TryCreateDirectory("/e");
        Publish(disk, "/d/f", "x"u8.ToArray()).Dispose();
        disk.SyncDirectory("/");
        disk.SyncDirectory("/d");
        disk.Rename("/d/f", "/e/f");
        Assert.True(disk.TryDeleteDirectory("/d"));

        string[] seen = Seen(disk, after => $"{Text(after, "/d/f")} {Text(after, "/e/f")}");
        Assert.Equal(["- x", "x -"], seen.Order(StringComparer.Ordinal));
        disk.SyncDirectory("/");
        Assert.All(AfterCrashes(disk), after => Assert.Equal("x", Text(after, "/e/f")));
    }

    [Fact]
    public void ThePowerIsCutAtTheCallAndStaysOut()
    {
        var disk = new SimulatedDisk(seed: 14, cutAt: 3);
        using IDiskFile file = disk.CreateUnnamed("/");
        file.Write(0, new byte[1]);
        Assert.False(disk.IsPowerCut);

        Assert.Equal(3, Assert.Throws<PowerCutException>(file.Sync).Call);
        Assert.Throws<PowerCutException>(file.Sync);
        Assert.Throws<PowerCutException>(() => disk.TryStat("/"));
        Assert.True(disk.IsPowerCut);
        Assert.Equal(3, disk.CallCount);
        Assert.Empty(disk.AfterPowerCut().TryList("/")!);
    }

    [Fact]
    public void TheCallThatIsCutMayHaveTakenEffect()
    {
        bool[] seen = [.. Enumerable.Range(0, Outcomes).Select(seed =>
        {
            var disk = new SimulatedDisk(seed, cutAt: 1);
            Assert.Throws<PowerCutException>(() => disk.TryCreateDirectory("/d"));
            return disk.AfterPowerCut().TryStat("/d") is not null;
        }).Distinct()];

        Assert.Equal(2, seen.Length);
    }

    [Fact]
    public void TheSameSeedGivesTheSameCrash()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            Assert.Equal(CrashOf(seed), CrashOf(seed));
        }

        Assert.True(Enumerable.Range(0, 20).Select(CrashOf).Distinct().Count() > 5);
    }

    [Fact]
    public void AScriptedFaultFailsOneCall()
    {
        var disk = new SimulatedDisk(seed: 15);
        using IDiskFile file = disk.CreateUnnamed("/");
        disk.FailAt(2, DiskException.NoSpace);
        disk.Fault = call => call is { Kind: DiskCallKind.Publish, Path: "/bad" } ? DiskException.InputOutput : null;

        Assert.Equal(DiskException.NoSpace, Assert.Throws<DiskException>(() => file.Write(0, new byte[100])).Errno);
        Assert.InRange(file.Length, 0, 100);
        file.Write(0, new byte[100]);
        Assert.Equal(100, file.Length);
        Assert.Equal(
            DiskException.InputOutput, Assert.Throws<DiskException>(() => disk.TryPublish(file, "/bad")).Errno);
        Assert.Empty(disk.TryList("/")!);
        Assert.True(disk.TryPublish(file, "/good"));
    }

    [Fact]
    public void AFailedSyncIsStickyAndLosesData()
    {
        bool lost = false;
        for (int seed = 0; seed < 50; seed++)
        {
            var disk = new SimulatedDisk(seed);
            using IDiskFile file = Publish(disk, "/f", Filled(Sector, 1));
            file.Write(0, Filled(Sector, 2));
            disk.FailAt(disk.CallCount + 1, DiskException.InputOutput);

            Assert.Throws<DiskException>(file.Sync);

            Assert.Throws<DiskException>(file.Sync);
            Assert.Throws<DiskException>(() => file.Write(0, new byte[1]));
            Assert.Throws<DiskException>(() => file.Read(0, new byte[1]));
            Assert.Throws<DiskException>(() => file.Length);
            // Another handle syncs without an error, and the data is gone all the same.
            using IDiskFile again = disk.TryOpen("/f", DiskAccess.ReadWrite)!;
            again.Sync();
            lost |= Content(disk, "/f")![0] == 1;
        }

        Assert.True(lost);
    }

    [Fact]
    public void TheClockGivesTheTimes()
    {
        var host = SimulatedHost.Create(seed: 16);
        Publish(host.Disk, "/f", [1]).Dispose();
        host.Clock.Advance(TimeSpan.FromHours(1));
        using IDiskFile file = host.Disk.TryOpen("/f", DiskAccess.ReadWrite)!;
        Assert.Equal(SimulatedClock.DefaultStart, host.Disk.TryStat("/f")!.Value.Modified);
        file.Write(0, [2]);
        Assert.Equal(SimulatedClock.DefaultStart.AddHours(1), host.Disk.TryStat("/f")!.Value.Modified);
    }

    private static IEnumerable<SimulatedDisk> AfterCrashes(SimulatedDisk disk) =>
        Enumerable.Range(0, Outcomes).Select(outcome => disk.Fork(outcome));

    private static T[] Seen<T>(SimulatedDisk disk, Func<SimulatedDisk, T> look) =>
        [.. AfterCrashes(disk).Select(look).Distinct().Order()];

    private static int FirstOutcome(SimulatedDisk disk, Func<SimulatedDisk, bool> wanted) =>
        Enumerable.Range(0, Outcomes).First(outcome => wanted(disk.Fork(outcome)));

    private static string CrashOf(int seed)
    {
        var disk = new SimulatedDisk(seed);
        for (int i = 0; i < 5; i++)
        {
            using IDiskFile file = disk.CreateUnnamed("/");
            file.Write(0, Bytes(3000, i));
            disk.TryPublish(file, $"/{i}");
        }

        SimulatedDisk after = disk.AfterPowerCut();
        return string.Join(' ', Enumerable.Range(0, 5).Select(i => Crc32C.Compute(Content(after, $"/{i}") ?? [9])));
    }

    private static IDiskFile Publish(SimulatedDisk disk, string path, byte[] content)
    {
        IDiskFile file = disk.CreateUnnamed(path[..Math.Max(path.LastIndexOf('/'), 1)]);
        file.Write(0, content);
        file.Sync();
        Assert.True(disk.TryPublish(file, path));
        return file;
    }

    private static byte[]? Content(SimulatedDisk disk, string path)
    {
        using IDiskFile? file = disk.TryOpen(path, DiskAccess.Read);
        if (file is null) return null;
        byte[] content = new byte[file.Length];
        Assert.Equal(content.Length, file.Read(0, content));
        return content;
    }

    private static string Text(SimulatedDisk disk, string path) =>
        Content(disk, path) is { } content ? System.Text.Encoding.ASCII.GetString(content) : "-";

    private static byte[] Filled(int count, byte value) => [.. Enumerable.Repeat(value, count)];

    private static byte[] Bytes(int count, int seed)
    {
        byte[] content = new byte[count];
        new Random(seed).NextBytes(content);
        return content;
    }
}
