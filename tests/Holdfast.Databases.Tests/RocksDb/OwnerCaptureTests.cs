using Holdfast.Databases.RocksDb;
using Holdfast.Log;

namespace Holdfast.Databases.Tests.RocksDb;

public sealed class OwnerCaptureTests : RocksTest
{
    private static readonly CaptureOptions WithFlush = new();
    private static readonly CaptureOptions WithoutFlush = new() { Flush = false };

    /// Goal: a copy is the database as it was at one instant between call and return.
    /// Method: a writer at full speed; the copy says after which operation it was, and must be all that this many operations make.
    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void EachCopyIsTheDatabaseAtOneInstantOfTheCall(int seed) => RunRounds(seed, rounds: 6);

    [Theory, Trait("Category", "Long")]
    [InlineData(300)]
    public void HundredsOfCopiesAreEachTheDatabaseAtOneInstant(int seed) => RunRounds(seed, rounds: 300);

    [Fact]
    public void ACopyOfAnEmptyDatabaseIsEmpty()
    {
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options);
        foreach (CaptureOptions options in (CaptureOptions[])[WithFlush, WithoutFlush])
        {
            string path = NewCopyPath();
            Capture capture = database.Capture(path, options, Cancellation);
            Assert.Equal(CaptureWay.Owner, capture.Way);
            Assert.Equal(0UL, capture.Sequence);
            AssertSound(path, "empty");
            using RocksDatabase copy = OpenCopy(path);
            using RocksIterator iterator = copy.Iterate();
            Assert.False(iterator.SeekToFirst());
        }
    }

    [Fact]
    public void WithoutAFlushWhatIsOnlyLoggedIsInTheCopyAndTheDatabaseHasNoTable()
    {
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options);
        database.Put("a"u8, "1"u8);
        database.Put("b"u8, "2"u8);
        string logged = NewCopyPath();
        Capture capture = database.Capture(logged, WithoutFlush, Cancellation);
        Assert.Empty(Directory.GetFiles(DatabasePath, "*.sst"));
        Assert.Equal(2UL, capture.Sequence);
        Assert.All(capture.Files, file => Assert.Null(file.Identity));

        string flushed = NewCopyPath();
        capture = database.Capture(flushed, WithFlush, Cancellation);
        CapturedFile table = Assert.Single(capture.Files, file => file.Name.EndsWith(".sst", StringComparison.Ordinal));
        Assert.Equal(FileTransfer.Linked, table.Transfer);
        Assert.NotNull(table.Identity);
        foreach (string path in (string[])[logged, flushed])
        {
            AssertSound(path, path);
            using RocksDatabase copy = OpenCopy(path);
            Assert.Equal("2"u8.ToArray(), copy.Get("b"u8)!);
            Assert.Equal(2UL, copy.LatestSequence);
        }
    }

    [Fact]
    public void LogsOfAnotherDirectoryComeIntoTheCopyAndItsOptionsSaySo()
    {
        RocksOptions options = Workload.Options with { WalDirectory = $"{Root}/wals" };
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, options);
        database.Put("a"u8, "1"u8);
        string path = NewCopyPath();
        Capture capture = database.Capture(path, WithoutFlush, Cancellation);
        // Not that of the database itself, which RocksDB links.
        Assert.Contains($"{Root}/wals", File.ReadAllText(Directory.GetFiles(DatabasePath, "OPTIONS-*").Single()), StringComparison.Ordinal);
        Assert.Contains(capture.Files, file => file.Name.EndsWith(".log", StringComparison.Ordinal));
        string optionsFile = Directory.GetFiles(path, "OPTIONS-*").Single();
        Assert.DoesNotContain($"{Root}/wals", File.ReadAllText(optionsFile), StringComparison.Ordinal);
        using RocksDatabase copy = OpenCopy(path);
        Assert.Equal("1"u8.ToArray(), copy.Get("a"u8)!);
    }

    [Fact]
    public void TheCopyHasTheDatabasesId()
    {
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options);
        string path = NewCopyPath();
        Capture capture = database.Capture(path, WithFlush, Cancellation);
        Assert.Equal(File.ReadAllText($"{DatabasePath}/IDENTITY"), capture.Database);
        OpenCopy(path).Dispose();
        Assert.Equal(capture.Database, File.ReadAllText($"{path}/IDENTITY"));
    }

    [Fact]
    public void WhatIsAtTheTargetStays()
    {
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options);
        string path = NewCopyPath();
        Directory.CreateDirectory(path);
        File.WriteAllText($"{path}/mine", "mine");
        Assert.Throws<HoldfastException>(() => database.Capture(path, WithFlush, Cancellation));
        Assert.Equal("mine", File.ReadAllText($"{path}/mine"));
    }

    private void RunRounds(int seed, int rounds)
    {
        var workload = new Workload(seed);
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options);
        using var writer = new WorkloadWriter(database, seed);
        for (int round = 0; round < rounds; round++)
        {
            string explanation = $"seed {seed}, round {round}";
            string path = NewCopyPath();
            writer.Await(more: 500);
            long before = writer.Acknowledged;
            Capture capture = database.Capture(path, round % 2 == 0 ? WithFlush : WithoutFlush, Cancellation);
            long after = writer.Acknowledged + 1;

            AssertSound(path, explanation);
            using (RocksDatabase copy = OpenCopy(path))
            {
                Assert.InRange(Workload.NumberOf(copy), before, after);
                Assert.True(copy.LatestSequence == capture.Sequence, $"{explanation}: {copy.LatestSequence}, {capture.Sequence}");
                workload.Compare(copy, explanation);
            }

            Directory.Delete(path, recursive: true);
        }
    }
}
