using System.Globalization;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

/// Goal: whichever call to the disk fails, what was acknowledged is there when the log is opened again, with the power on and
/// after a cut, and nothing half.
///
/// Method: the short programs, once for each call that they make, which fails.
public sealed class LogFaultTests
{
    private const int Outcomes = 3;

    public static TheoryData<string, int> Programs
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (string name in LogPrograms.All.Keys)
            {
                data.Add(name, DiskException.InputOutput);
                data.Add(name, DiskException.NoSpace);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void WhatWasAcknowledgedSurvivesAnyFailedCall(string name, int errno)
    {
        int calls = int.MaxValue;
        for (int failing = 1; failing <= calls; failing++)
        {
            var disk = new SimulatedDisk(seed: 1);
            var program = new LogProgram(disk, LogPrograms.All[name].Options, seed: 1);
            DiskCall failed = default;
            int at = failing;
            disk.Fault = call =>
            {
                if (call.Number != at) return null;
                failed = call;
                return errno;
            };
            try
            {
                RunAndJudge(name, program);
            }
            catch (Exception reason)
            {
                throw new InvalidOperationException(
                    string.Create(CultureInfo.InvariantCulture, $"{name}, call {failing} ({failed.Kind} {failed.Path}): {reason.Message}"),
                    reason);
            }

            if (failed.Number == 0) calls = failing;
        }
    }

    private static void RunAndJudge(string name, LogProgram program)
    {
        try
        {
            LogPrograms.All[name].Run(program);
        }
        catch (HoldfastException)
        {
            // Whether it is closed, failed or in order: closing it says nothing.
            program.CloseAfterFault();
        }

        program.Disk.Fault = null;
        for (int outcome = 0; outcome < Outcomes; outcome++)
        {
            program.Recover(program.Disk.Fork(outcome), program.Moments).GoOn();
        }

        program.Recover(program.Disk, program.Moments).GoOn();
    }

    /// What finds no space has not happened, and happens once there is some.
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void AFullDiskRefusesAppendsUntilThereIsSpace(int ringSegments)
    {
        for (int room = 5000; room < 14_000; room += 97)
        {
            var disk = new SimulatedDisk(seed: room);
            LogOptions options = LogPrograms.Small with { RingSegments = ringSegments };
            var random = new Random(room);
            var expected = new List<string>();
            int refused = 0;
            using (SegmentedLog log = LogImage.Open(disk, options))
            {
                disk.Capacity = disk.UsedBytes + room;
                for (int i = 0; i < 60; i++)
                {
                    if (i == 50) disk.Capacity = long.MaxValue;
                    try
                    {
                        AppendOne(log, random, i, expected);
                    }
                    catch (DiskException reason) when (reason.IsNoSpace && i < 50)
                    {
                        refused++;
                    }
                }

                Assert.Equal(expected, TextsIn(log));
            }

            Assert.True(refused > 0, $"room of {room}");
            using SegmentedLog again = LogImage.Open(disk, options);
            Assert.Null(again.TornTail);
            Assert.Empty(again.Damages);
            Assert.Equal(expected, TextsIn(again));
            Assert.All(again.Segments, segment => Assert.Null(segment.CheckHash()));
        }
    }

    /// A group that is larger than the buffer is written while it is appended: what the file has of it is taken back.
    [Fact]
    public void AGroupThatRanOutOfSpaceHalfwayIsTakenBack()
    {
        bool wasRefused = true;
        for (int failing = 1; wasRefused; failing++)
        {
            var disk = new SimulatedDisk(seed: failing);
            var program = new LogProgram(disk, LogPrograms.Small, seed: 1);
            var cuts = new PowerCuts<LogMoment>(disk, () => program.Moments[0]);
            program.Open();
            program.Append(300, Durability.Each);
            program.Append(200, Durability.None);
            int left = failing;
            disk.Fault = call => call.Kind == DiskCallKind.Write && --left == 0 ? DiskException.NoSpace : null;
            Exception? refusal = Record.Exception(() => program.AppendGroup(Durability.None, 100, 600, 300, 1100, 200));
            disk.Fault = null;
            wasRefused = refusal is not null;
            if (wasRefused) Assert.True(Assert.IsType<DiskException>(refusal).IsNoSpace);
            program.GoOnAfterRefusal();
            // Frames of the same lengths as those that were refused.
            program.Append(100, Durability.None);
            program.Append(600, Durability.None);
            LogSegment sealedOne = program.Seal()!;
            Assert.Null(sealedOne.CheckHash());
            Assert.Equal(sealedOne.FileHash, ContentHash.Of(LogImage.FilesOf(disk)[LogImage.First]));
            program.Close();
            foreach (PowerCut<LogMoment> cut in cuts.End()) program.Recover(cut.Disk.Fork(), cut.Moments).GoOn();
        }
    }

    [Theory]
    [InlineData(DiskCallKind.Sync)]
    [InlineData(DiskCallKind.WriteDurably)]
    public void AFailedSyncIsFinal(DiskCallKind kind)
    {
        var disk = new SimulatedDisk(seed: 1);
        SegmentedLog log = LogImage.Open(disk, LogPrograms.Small);
        log.Append("durable"u8);
        if (kind == DiskCallKind.Sync)
        {
            log.Append("lost"u8, durability: Durability.None);
            log.Flush();
        }

        int left = 1;
        disk.Fault = call => call.Kind == kind && left-- > 0 ? DiskException.InputOutput : null;
        Assert.Throws<HoldfastException>(() =>
        {
            if (kind == DiskCallKind.Sync) log.Sync();
            else log.Append("lost"u8);
        });

        LogPosition durable = log.Durable;
        Assert.True(durable < log.Appended);
        HoldfastException again = Assert.Throws<HoldfastException>(() => log.Append("never"u8, durability: Durability.None));
        Assert.Contains("an earlier write failed", again.Message, StringComparison.Ordinal);
        Assert.Throws<HoldfastException>(log.Sync);
        log.Dispose();
        log.Dispose();
        Assert.Equal(durable, log.Durable);
        Assert.Throws<ObjectDisposedException>(log.Sync);
    }

    [Fact]
    public void ClosingThatFailsTellsItOnceAndFreesTheLock()
    {
        var disk = new SimulatedDisk(seed: 1);
        SegmentedLog log = LogImage.Open(disk, LogPrograms.Small);
        log.Append("lost"u8, durability: Durability.None);
        int left = 1;
        disk.Fault = call => call.Kind == DiskCallKind.WriteDurably && left-- > 0 ? DiskException.InputOutput : null;
        Assert.Throws<DiskException>(log.Dispose);
        log.Dispose();
        Assert.True(log.IsClosed);
        using SegmentedLog again = LogImage.Open(disk, LogPrograms.Small);
        again.Append("here"u8);
    }

    private static void AppendOne(SegmentedLog log, Random random, int number, List<string> expected)
    {
        var group = new LogGroup();
        string[] texts = [.. Enumerable.Range(0, random.Next(1, 5)).Select(k => $"{number}.{k} {new string('x', random.Next(900))}")];
        foreach (string text in texts) System.Text.Encoding.ASCII.GetBytes(text, group.Add(text.Length));
        Durability durability = random.Next(2) == 0 ? Durability.None : Durability.Group;
        if (texts.Length == 1) log.Append(group.PayloadAt(0), durability: durability);
        else log.Append(group, durability);
        expected.AddRange(texts);
    }

    private static List<string> TextsIn(SegmentedLog log)
    {
        using LogReader reader = log.OpenReader(default, LogReadBound.Appended);
        var found = new List<string>();
        while (reader.TryRead())
        {
            Assert.Null(reader.Damage);
            found.Add(System.Text.Encoding.ASCII.GetString(reader.Payload));
        }

        return found;
    }
}
