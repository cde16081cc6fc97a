using System.Text;
using Holdfast.Bitcask.Hints;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Log;

namespace Holdfast.Bitcask.Tests.Hints;

public sealed class RecoveryMergeTests
{
    private sealed record Found(ulong Hash, uint Segment, uint Offset, uint FrameBytes);

    [Theory]
    [InlineData(1, 1, 1000, 500, 2000, 1)]
    [InlineData(2, 2, 1000, 500, 2000, 2)]
    [InlineData(3, 7, 2000, 3000, 1 << 20, 2)]
    [InlineData(4, 7, 2000, 500, 3, 2)]
    [InlineData(5, 40, 100, 300, 500, 3)]
    [InlineData(6, 300, 20, 500, 1000, 2)]
    [InlineData(7, 5, 1, 3, 2, 2)]
    [InlineData(8, 3, 4000, 20_000, 1, 1)]
    public void TheHighestSegmentDecides(int seed, int segments, int count, int keys, int hashes, int degree)
    {
        var random = new Random(seed);
        var model = new SortedDictionary<string, (uint Segment, HintRecord Record)>(StringComparer.Ordinal);
        var sources = new List<IHintSource>();
        for (uint segment = 1; segment <= segments; segment++)
        {
            // Some segments are much larger than others, some empty.
            int own = random.Next(5) == 0 ? 0 : random.Next(count);
            List<HintRecord> records = HintRecord.Random(random, own, keys, hashes);
            foreach (HintRecord record in records) model[record.Key] = (segment * 3, record);
            sources.Add(random.Next(2) == 0 ? HintRecord.Build(segment * 3, records) : HintRecord.Scan(segment * 3, records));
        }

        IHintSource[] shuffled = [.. sources];
        random.Shuffle(shuffled);
        try
        {
            AssertSameByHash(model, shuffled, degree);
            AssertSameByKey(model, shuffled, degree);
        }
        finally
        {
            sources.ForEach(source => ((IDisposable)source).Dispose());
        }
    }

    [Fact]
    public void NoSegmentsGiveNothing()
    {
        var merge = new RecoveryMerge([], 2);
        merge.FillByHash((_, _) => Assert.Fail("there is nothing"));
        merge.FillByKey((_, _) => Assert.Fail("there is nothing"));
        Assert.Empty(merge.Usage);
    }

    [Fact]
    public void HashesAtBothEndsAreFound()
    {
        HintRecord first = new(0, "first", 64, 40), last = new(ulong.MaxValue, "last", 104, 40);
        using HintData low = HintRecord.Build(1, [first, last]), none = HintRecord.Build(3, []);
        using HintData high = HintRecord.Build(2, [new HintRecord(ulong.MaxValue, "other", 64, 40)]);
        var found = new List<(int, ulong, uint)>();
        new RecoveryMerge([low, high, none], 1).FillByHash((partition, entries) =>
        {
            foreach (KeydirEntry entry in entries) found.Add((partition, entry.Hash, entry.Location.Segment));
        });
        Assert.Equal([(0, 0, 1u), (1023, ulong.MaxValue, 1u), (1023, ulong.MaxValue, 2u)], found);
    }

    [Fact]
    public void TwoSourcesOfOneSegmentAreRefused()
    {
        using HintData one = HintRecord.Build(1, []), two = HintRecord.Build(1, []);
        Assert.Throws<ArgumentException>(() => new RecoveryMerge([one, two], 1).FillByHash((_, _) => { }));
    }

    [Fact]
    public void WhatASourceThrowsIsThrown()
    {
        IDiskFile file = HintRecord.Write(1, HintRecord.Random(new Random(1), 100, 100, 1000));
        file.Write(file.Length - 1, "?"u8);
        var error = new DiskException("pread", "/x", DiskException.InputOutput);
        using var source = new RepairedHints(
            HintFile.TryOpen(file, HintRecord.IdentityOf(1), out _)!, () => throw error);
        var merge = new RecoveryMerge([source], 2);
        Assert.Same(error, Assert.Throws<DiskException>(() => merge.FillByHash((_, _) => { })));
        Assert.Same(error, Assert.Throws<DiskException>(() => merge.FillByKey((_, _) => { })));
    }

    [Fact]
    public void ADamagedHintIsMadeAnewWhileItIsMerged()
    {
        List<HintRecord> records = HintRecord.Random(new Random(1), 5000, 4000, 1 << 20);
        IDiskFile file = HintRecord.Write(1, records);
        file.Write(file.Length / 2, "?"u8);
        using var source = new RepairedHints(
            HintFile.TryOpen(file, HintRecord.IdentityOf(1), out _)!, () => HintRecord.Build(1, records));
        var model = new SortedDictionary<string, (uint Segment, HintRecord Record)>(StringComparer.Ordinal);
        foreach (HintRecord record in records) model[record.Key] = (1, record);

        AssertSameByHash(model, [source], 2);
        AssertSameByKey(model, [source], 2);

        Assert.NotNull(source.Rebuilt);
    }

    [Fact]
    public void BothKeydirsHoldWhatTheHintsSay()
    {
        List<HintRecord> records = HintRecord.Random(new Random(1), 20_000, 15_000, int.MaxValue);
        using HintData data = HintRecord.Build(3, records);
        using var compact = new CompactKeydir(new ReadEpochs());
        using var ordered = new OrderedKeydir();
        new RecoveryMerge([data], 2).FillByHash(compact.Fill);
        OrderedFill fill = ordered.BeginFill();
        new RecoveryMerge([data], 2).FillByKey(fill.Append);
        fill.Complete();

        List<HintRecord> expected = [.. HintRecord.LastOfEachKey(records).Where(record => !record.IsTombstone)];
        Assert.Equal((expected.Count, expected.Count), (compact.Count, ordered.Count));
        foreach (HintRecord record in expected)
        {
            byte[] key = Encoding.Latin1.GetBytes(record.Key);
            Assert.True(compact.TryFind(record.Hash, key, AnyMatch.Instance, out Location inCompact));
            Assert.True(ordered.TryFind(record.Hash, key, AnyMatch.Instance, out Location inOrdered));
            Assert.Equal((record.Offset, record.Offset), (inCompact.Offset, inOrdered.Offset));
        }
    }

    /// <summary>Hashes do not collide here.</summary>
    private sealed class AnyMatch : IRecordMatch
    {
        public static readonly AnyMatch Instance = new();

        public bool Matches(Location location, ReadOnlySpan<byte> key) => true;
    }

    private static void AssertSameByHash(
        SortedDictionary<string, (uint Segment, HintRecord Record)> model,
        IReadOnlyList<IHintSource> sources,
        int degree)
    {
        var partitions = new SortedDictionary<int, List<Found>>();
        var merge = new RecoveryMerge(sources, degree);
        merge.FillByHash((partition, entries) =>
        {
            var found = new List<Found>();
            foreach (KeydirEntry entry in entries)
            {
                found.Add(new Found(entry.Hash, entry.Location.Segment, entry.Location.Offset, entry.Location.Length));
            }

            lock (partitions) partitions.Add(partition, found);
        });

        foreach ((int partition, List<Found> found) in partitions)
        {
            Assert.NotEmpty(found);
            Assert.All(found, one => Assert.Equal(partition, (int)(one.Hash >> 54)));
        }

        IEnumerable<Found> expected =
            from pair in model
            let record = pair.Value.Record
            where !record.IsTombstone
            orderby record.Hash
            select new Found(record.Hash, pair.Value.Segment, record.Offset, record.FrameBytes);
        Assert.Equal(expected, partitions.Values.SelectMany(found => found));
        AssertUsage(model, sources, merge.Usage);
    }

    private static void AssertSameByKey(
        SortedDictionary<string, (uint Segment, HintRecord Record)> model,
        IReadOnlyList<IHintSource> sources,
        int degree)
    {
        var found = new List<(string, uint, uint, uint)>();
        var merge = new RecoveryMerge(sources, degree);
        merge.FillByKey((key, location) =>
            found.Add((Encoding.Latin1.GetString(key), location.Segment, location.Offset, location.Length)));
        Assert.Equal(
            from pair in model
            where !pair.Value.Record.IsTombstone
            select (pair.Key, pair.Value.Segment, pair.Value.Record.Offset, pair.Value.Record.FrameBytes),
            found);
        AssertUsage(model, sources, merge.Usage);
    }

    private static void AssertUsage(
        SortedDictionary<string, (uint Segment, HintRecord Record)> model,
        IReadOnlyList<IHintSource> sources,
        IReadOnlyList<SegmentUsage> usage)
    {
        Assert.Equal(sources.Select(source => source.Segment).Order(), usage.Select(one => one.Segment));
        foreach (SegmentUsage one in usage)
        {
            List<HintRecord> own =
                [.. from value in model.Values where value.Segment == one.Segment select value.Record];
            Assert.Equal(own.Count(record => !record.IsTombstone), one.LiveRecords);
            Assert.Equal(own.Where(record => !record.IsTombstone).Sum(record => record.PaddedBytes), one.LiveBytes);
            Assert.Equal(own.Count(record => record.IsTombstone), one.Tombstones);
            Assert.Equal(own.Where(record => record.IsTombstone).Sum(record => record.PaddedBytes), one.TombstoneBytes);
        }
    }
}
