using System.Text;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

public sealed class SegmentedLogTests
{
    private static readonly LogOptions Small = new() { Purpose = "test", SegmentBytes = 4096, BufferBytes = 1024 };

    [Theory]
    [InlineData(Durability.None)]
    [InlineData(Durability.Group)]
    [InlineData(Durability.Each)]
    public void WhatWasAppendedIsReadAgain(Durability durability)
    {
        Host host = SimulatedHost.Create(1);
        var expected = new List<string>();
        for (int round = 0; round < 3; round++)
        {
            var replayed = new List<string>();
            using SegmentedLog log = SegmentedLog.Open(
                host, "/log", Small with { Durability = durability }, _ => (_, payload) => replayed.Add(Encoding.UTF8.GetString(payload)));
            Assert.Empty(log.Damages);
            Assert.Null(log.TornTail);
            Assert.Equal(expected.TakeLast(replayed.Count), replayed);
            for (int i = 0; i < 200; i++)
            {
                string text = $"{round}-{i}-{new string('x', i * 7 % 300)}";
                expected.Add(text);
                log.Append(Encoding.UTF8.GetBytes(text));
            }

            string big = new('y', 6000);
            expected.Add(big);
            log.Append(Encoding.UTF8.GetBytes(big));
            Assert.Equal(expected, ReadAll(log));
        }
    }

    /// Whoever seals waits for the disk, whoever appends does not, and can be read.
    [Fact]
    public void AppendsGoOnWhileTheSegmentBeforeIsSealed()
    {
        var disk = new SimulatedDisk(seed: 1);
        using SegmentedLog log = LogImage.Open(disk, LogPrograms.Small);
        log.Append("before"u8);
        LogPosition meanwhile = default;
        byte[] read = new byte[LogSegment.FrameHeaderBytes + "meanwhile"u8.Length];
        bool isDone = false;
        disk.BeforeCall = call =>
        {
            if (call.Kind != DiskCallKind.WriteDurably || isDone) return;
            var other = new Thread(() =>
            {
                meanwhile = log.Append("meanwhile"u8, durability: Durability.None);
                log.Find(meanwhile.Segment)!.ReadFrame(meanwhile.Offset, read);
            });
            other.Start();
            isDone = other.Join(TimeSpan.FromMinutes(1));
        };

        LogSegment sealing = log.Seal()!;

        disk.BeforeCall = null;
        Assert.True(isDone);
        Assert.Equal(sealing.Number + 1, meanwhile.Segment);
        Assert.Equal("meanwhile"u8, read.AsSpan(LogSegment.FrameHeaderBytes));
        Assert.True(log.Durable <= meanwhile, "nothing of it was written");
        using LogReader reader = log.OpenReader(default, LogReadBound.Appended);
        Assert.True(reader.TryRead());
        Assert.Equal("before"u8, reader.Payload);
        Assert.True(reader.TryRead());
        Assert.Equal("meanwhile"u8, reader.Payload);
    }

    /// The segment before is sealed, the next one lacks space for its name: what it holds already is kept until there is some.
    [Fact]
    public void ASegmentWithoutSpaceForItsNameTakesAppendsWhenThereIsSome()
    {
        var disk = new SimulatedDisk(seed: 1);
        using (SegmentedLog log = LogImage.Open(disk, LogPrograms.Small))
        {
            log.Append("before"u8);
            disk.Fault = call => call.Kind == DiskCallKind.Publish ? DiskException.NoSpace : null;
            Assert.True(log.Seal()!.IsSealed);
            Assert.True(Assert.Throws<DiskException>(() => log.Append("no"u8)).IsNoSpace);
            disk.Fault = null;
            log.Append("after"u8, durability: Durability.Group);
        }

        using SegmentedLog again = LogImage.Open(disk, LogPrograms.Small);
        using LogReader reader = again.OpenReader(default, LogReadBound.Appended);
        Assert.True(reader.TryRead());
        Assert.Equal("before"u8, reader.Payload);
        Assert.True(reader.TryRead());
        Assert.Equal("after"u8, reader.Payload);
        Assert.False(reader.TryRead());
    }

    private static List<string> ReadAll(SegmentedLog log)
    {
        using LogReader reader = log.OpenReader(default, LogReadBound.Appended);
        var found = new List<string>();
        while (reader.TryRead())
        {
            Assert.Null(reader.Damage);
            found.Add(Encoding.UTF8.GetString(reader.Payload));
        }

        return found;
    }
}
