using System.Text;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

/// Goal: a log on a ring of files makes no new ones, and nothing of an earlier lap is ever seen.
public sealed class LogRingTests
{
    private static readonly LogOptions Options = LogPrograms.Ring;

    [Fact]
    public void OnceTheRingIsFullRollsMakeNoFile()
    {
        var disk = new SimulatedDisk(seed: 1);
        using SegmentedLog log = LogImage.Open(disk, Options);
        Assert.Equal(Options.RingSegments, LogImage.FilesOf(disk).Count);
        int made = 0;
        disk.BeforeCall = call => made += call.Kind is DiskCallKind.CreateUnnamed or DiskCallKind.Delete ? 1 : 0;
        for (int i = 0; i < 100; i++) AppendAndDrop(log, i);
        Assert.Equal(0, made);
        Assert.True(log.Segments[^1].Number > 12);
        Assert.Equal(Options.RingSegments, LogImage.FilesOf(disk).Count);
        Assert.All(LogImage.FilesOf(disk).Values, bytes => Assert.Equal((int)Options.SegmentBytes, bytes.Length));
    }

    [Fact]
    public void NothingOfAnEarlierLapIsSeen()
    {
        var disk = new SimulatedDisk(seed: 1);
        int next = 0;
        for (int round = 0; round < 12; round++)
        {
            using SegmentedLog log = LogImage.Open(disk, Options);
            Assert.Empty(log.Damages);
            Assert.Null(log.TornTail);
            List<string> kept = TextsIn(log);
            Assert.Equal(Enumerable.Range(next - kept.Count, kept.Count).Select(TextOf), kept);
            for (int i = 0; i < 11; i++) AppendAndDrop(log, next++);
            Assert.All(log.Segments, segment => Assert.Null(segment.CheckHash()));
        }
    }

    [Fact]
    public void SealedSegmentsAreReadAsTheyWere()
    {
        var disk = new SimulatedDisk(seed: 1);
        using (SegmentedLog log = LogImage.Open(disk, Options))
        {
            for (int i = 0; i < 30; i++) log.Append(Encoding.ASCII.GetBytes(TextOf(i)));
        }

        using SegmentedLog again = LogImage.Open(disk, Options);
        Assert.Equal(Enumerable.Range(0, 30).Select(TextOf), TextsIn(again));
        Assert.True(again.Segments.Count > Options.RingSegments);
        foreach (LogSegment segment in again.Segments.Where(s => s.IsSealed))
        {
            long count = 0;
            Assert.Empty(segment.Scan((_, _) => count++, CancellationToken.None));
            Assert.Equal(segment.EntryCount, count);
        }
    }

    [Fact]
    public void AFileWithAnotherNameIsNotUsedAgain()
    {
        var disk = new SimulatedDisk(seed: 1);
        using SegmentedLog log = LogImage.Open(disk, Options);
        Assert.True(disk.TryCreateDirectory("/other"));
        for (int i = 0; i < 20; i++) log.Append(Encoding.ASCII.GetBytes(TextOf(i)));
        LogSegment linked = log.Segments[0];
        Assert.True(disk.TryLink(linked.Path, "/other/linked"));
        byte[] was = LogImage.FilesOf(disk)["00000001.log"];
        LogSegment marked = log.Segments[1];
        marked.MarkLinked();
        log.Drop(linked);
        log.Drop(marked);
        Assert.DoesNotContain(LogImage.FilesOf(disk).Keys, name => name.StartsWith("free-", StringComparison.Ordinal));
        for (int i = 20; i < 60; i++) AppendAndDrop(log, i);
        using IDiskFile file = disk.TryOpen("/other/linked", DiskAccess.Read)!;
        byte[] now = new byte[was.Length];
        Assert.Equal(now.Length, file.Read(0, now));
        Assert.Equal(was, now);
    }

    [Fact]
    public void AGroupLargerThanASegmentGetsAFileOfItsOwn()
    {
        var disk = new SimulatedDisk(seed: 1);
        var group = new LogGroup();
        for (int i = 0; i < 20; i++) Encoding.ASCII.GetBytes(TextOf(i), group.Add(TextOf(i).Length));
        using (SegmentedLog log = LogImage.Open(disk, Options)) log.Append(group);
        using SegmentedLog again = LogImage.Open(disk, Options);
        Assert.Equal(Enumerable.Range(0, 20).Select(TextOf), TextsIn(again));
        for (int i = 20; i < 40; i++) AppendAndDrop(again, i);
        Assert.DoesNotContain(LogImage.FilesOf(disk).Values, bytes => bytes.Length > Options.SegmentBytes);
    }

    /// The seal of a ring's segment lies at the end of its file: one of another size would be sealed in the wrong place.
    [Theory]
    [InlineData(8192)]
    [InlineData(4096)]
    public void FilesOfAnotherSizeAreNotUsedAgain(int segmentBytes)
    {
        var disk = new SimulatedDisk(seed: 1);
        LogOptions before = Options with { SegmentBytes = 6144 };
        using (SegmentedLog log = LogImage.Open(disk, before))
        {
            for (int i = 0; i < 20; i++) AppendAndDrop(log, i);
        }

        LogOptions now = Options with { SegmentBytes = (uint)segmentBytes };
        using (SegmentedLog log = LogImage.Open(disk, now))
        {
            for (int i = 20; i < 80; i++) AppendAndDrop(log, i);
        }

        Assert.All(LogImage.FilesOf(disk).Values, bytes => Assert.Equal(segmentBytes, bytes.Length));
        using SegmentedLog again = LogImage.Open(disk, now);
        Assert.Empty(again.Damages);
        List<string> kept = TextsIn(again);
        Assert.Equal(Enumerable.Range(80 - kept.Count, kept.Count).Select(TextOf), kept);
    }

    /// The first sector of what was appended is lost, the second is not: what the second holds was never acknowledged, and
    /// must not come to life when the gap before it is filled.
    [Fact]
    public void WhatATornTailLeftIsNotSeenWhenTheGapIsFilled()
    {
        const int UpToTheSector = 512 - 64 - 8;
        var disk = new SimulatedDisk(seed: 1);
        var program = new LogProgram(disk, Options, seed: 1);
        var cuts = new PowerCuts<LogMoment>(disk, () => program.Moments[0]);
        program.Open();
        program.Append(UpToTheSector, Durability.None);
        program.Append(40, Durability.None);
        program.Append(UpToTheSector, Durability.None);
        program.Append(40, Durability.None);
        program.Sync();
        program.Close();
        foreach (PowerCut<LogMoment> cut in cuts.End())
        {
            program.Recover(cut.Disk.Fork(), cut.Moments).GoOn(UpToTheSector);
        }
    }

    [Fact]
    public void ARingThatFindsNoSpaceForItsFilesOpensAllTheSame()
    {
        var disk = new SimulatedDisk(seed: 1);
        using (SegmentedLog log = LogImage.Open(disk, LogPrograms.Small)) log.Append("here"u8);
        disk.Capacity = disk.UsedBytes + 5000;
        using SegmentedLog again = LogImage.Open(disk, Options);
        Assert.Equal(["here"], TextsIn(again));
    }

    private static void AppendAndDrop(SegmentedLog log, int number)
    {
        log.Append(Encoding.ASCII.GetBytes(TextOf(number)));
        while (log.Segments.Count >= Options.RingSegments) log.Drop(log.Segments[0]);
    }

    private static string TextOf(int number) => $"{number} {new string('x', 300 + (number * 37 % 600))}";

    private static List<string> TextsIn(SegmentedLog log)
    {
        using LogReader reader = log.OpenReader(default, LogReadBound.Appended);
        var found = new List<string>();
        while (reader.TryRead())
        {
            Assert.Null(reader.Damage);
            found.Add(Encoding.ASCII.GetString(reader.Payload));
        }

        return found;
    }
}
