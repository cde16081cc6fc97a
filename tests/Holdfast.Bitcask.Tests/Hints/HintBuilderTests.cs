using Holdfast.Bitcask.Hints;

namespace Holdfast.Bitcask.Tests.Hints;

public sealed class HintBuilderTests
{
    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 1000, 10_000, 100_000)]
    [InlineData(3, 1000, 300, 7)]
    [InlineData(4, 5000, 3, 1)]
    [InlineData(5, 5000, 2000, 1)]
    [InlineData(6, 50_000, 20_000, 50_000)]
    public void OfEachKeyTheLastRecordStays(int seed, int count, int keys, int hashes)
    {
        List<HintRecord> records = HintRecord.Random(new Random(seed), count, keys, hashes);

        using HintData data = HintRecord.Build(9, records);

        List<HintRecord> expected = HintRecord.LastOfEachKey(records);
        Assert.Equal(expected, HintRecord.Read(data));
        Assert.Equal(9u, data.Segment);
        Assert.Equal(expected.Count, data.Entries);
        Assert.Equal(expected.Sum(record => 18 + record.Key.Length), data.EntriesBytes);
        Assert.Equal(count, data.Records);
        Assert.Equal((ulong)count, data.HighestSequence);
        Assert.Equal(count - expected.Count, data.SupersededRecords);
        long all = records.Sum(record => record.PaddedBytes), left = expected.Sum(record => record.PaddedBytes);
        Assert.Equal(all - left, data.SupersededBytes);
    }

    [Fact]
    public void HashesThatDifferOnlyInTheirLowBitsAreSorted()
    {
        var random = new Random(1);
        var records = Enumerable.Range(0, 5000)
            .Select(i => new HintRecord(0xABCDEF0000000000 | (ulong)random.NextInt64(1L << 40), $"{i}", 64, 50))
            .ToList();
        using HintData data = HintRecord.Build(1, records);
        Assert.Equal(HintRecord.LastOfEachKey(records), HintRecord.Read(data));
    }

    [Fact]
    public void TwoKeysThatAreWrittenInTurnAndLieCloseTogetherAreSorted()
    {
        var records = Enumerable.Range(0, 100_000)
            .Select(i => new HintRecord((ulong)(i % 2), $"key {i % 2}", (uint)(64 + (i * 32)), 30))
            .ToList();
        using HintData data = HintRecord.Build(1, records);
        Assert.Equal(records[^2..], HintRecord.Read(data));
    }

    [Fact]
    public void ASegmentWithoutRecordsHasEmptyStripes()
    {
        using HintData data = HintRecord.Build(1, []);
        Assert.Empty(HintRecord.Read(data));
        Assert.Equal((0L, 0L, 0UL), (data.Records, data.Entries, data.HighestSequence));
    }

    [Fact]
    public void TheLongestKeysFit()
    {
        var records = Enumerable.Range(0, 60)
            .Select(i => new HintRecord((ulong)i << 58, new string((char)('0' + i), 65_535 - (i % 3)), 64, 70_000))
            .ToList();
        using HintData data = HintRecord.Build(1, records);
        Assert.Equal(records, HintRecord.Read(data));
    }

    [Fact]
    public void WhatIsAddedAfterBuildingCountsInTheNextBuild()
    {
        using var builder = new HintBuilder(1);
        var header = new Bitcask.Records.RecordHeader(1, Bitcask.Records.RecordKind.Put, 1, null);
        builder.Add(header, 5, "a"u8, 64, 21);
        using HintData first = builder.Build();
        builder.Add(header with { Sequence = 2 }, 5, "a"u8, 88, 22);
        builder.Add(header, 4, "b"u8, 112, 23);
        using HintData second = builder.Build();

        Assert.Equal([new HintRecord(5, "a", 64, 21)], HintRecord.Read(first));
        Assert.Equal([new HintRecord(4, "b", 112, 23), new HintRecord(5, "a", 88, 22)], HintRecord.Read(second));
        Assert.Equal((2UL, 24L), (second.HighestSequence, second.SupersededBytes));
    }
}
