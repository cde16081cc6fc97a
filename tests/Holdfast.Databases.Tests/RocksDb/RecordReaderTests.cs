using Holdfast.Databases.RocksDb;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests.RocksDb;

/// <summary>Write-ahead logs that RocksDB wrote, cut and flipped at every byte.</summary>
public sealed class RecordReaderTests : RocksTest
{
    private const ulong NoRecycling = 0;

    private readonly TemporaryDirectory memory = new(inMemory: true);

    public override void Dispose()
    {
        memory.Dispose();
        base.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void ALogThatIsCutOffAnywhereHasTheRecordsBefore(int recycled)
    {
        byte[] log = MakeLog(recycled, out ulong number, out int[] ends);
        Assert.Equal(ends.Length, Read(log, number).Records);
        foreach ((int length, _) in Places(0, log.Length, ends))
        {
            (int records, RecordEnd end, long whole) = Read(log[..length], number);
            int expected = ends.Count(recordEnd => recordEnd <= length);
            Assert.True(expected == records, $"cut at {length}: {records} records instead of {expected}");
            Assert.Equal(expected == 0 ? 0 : ends[expected - 1], whole);
            Assert.Equal(length == whole ? RecordEnd.Whole : RecordEnd.Torn, end);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void ALogThatEndsInReservedSpaceIsTornThere(int recycled)
    {
        byte[] log = MakeLog(recycled, out ulong number, out int[] ends);
        (int records, RecordEnd end, long whole) = Read([.. log, .. new byte[100_000]], number);
        Assert.Equal((ends.Length, RecordEnd.Torn, log.Length), (records, end, whole));
    }

    [Fact]
    public void AFlippedBitAnywhereInALogIsDamage()
    {
        byte[] log = MakeLog(recycled: 0, out ulong number, out int[] ends);
        foreach ((int offset, int bit) in Places(0, log.Length, ends))
        {
            log[offset] ^= (byte)(1 << bit);
            Assert.True(Read(log, number).End == RecordEnd.Damaged, $"byte {offset}, bit {bit}");
            log[offset] ^= (byte)(1 << bit);
        }
    }

    /// Of a log that writes over an old one, the last record cannot be told from a torn one.
    [Fact]
    public void AFlippedBitOfARecycledLogIsDamageIfRecordsFollow()
    {
        byte[] log = MakeLog(recycled: 2, out ulong number, out int[] ends);
        foreach ((int offset, int bit) in Places(ends[0], ends[^2], ends))
        {
            log[offset] ^= (byte)(1 << bit);
            Assert.True(Read(log, number).End == RecordEnd.Damaged, $"byte {offset}, bit {bit}");
            log[offset] ^= (byte)(1 << bit);
        }
    }

    [Fact]
    public void WhatARecycledLogHeldBeforeIsNoRecordOfIt()
    {
        byte[] log = MakeLog(recycled: 2, out ulong number, out int[] ends);
        // The same bytes as another log sees them: none is its own.
        Assert.Equal((0, RecordEnd.Torn, 0), Read(log, number + 1));
        // New records that end in the middle of an old one.
        byte[] over = [.. log[..ends[1]], .. log[(ends[1] + 20)..]];
        (int records, RecordEnd end, _) = Read(over, number);
        Assert.Equal(2, records);
        Assert.Equal(RecordEnd.Damaged, end); // own records follow
    }

    [Fact]
    public void RandomBytesAreRefused()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = new byte[random.Next(1, 70_000)];
            random.NextBytes(bytes);
            (int records, RecordEnd end, _) = Read(bytes, NoRecycling);
            Assert.True(records == 0 && end != RecordEnd.Whole, $"seed {seed}");
        }
    }

    // All bits of all bytes near the ends of records, where headers are, and some in between.
    private static IEnumerable<(int Offset, int Bit)> Places(int from, int to, int[] ends)
    {
        for (int offset = from; offset < to; offset++)
        {
            bool isNear = offset < 20 || offset % 32_768 is < 20 or > 32_748 || ends.Any(end => Math.Abs(offset - end) < 20);
            if (isNear)
            {
                for (int bit = 0; bit < 8; bit++) yield return (offset, bit);
            }
            else if (offset % 501 == 0)
            {
                yield return (offset, offset % 8);
            }
        }
    }

    // Records of many lengths, some over block boundaries; where each ends is told by the sizes of the file.
    private byte[] MakeLog(int recycled, out ulong number, out int[] ends)
    {
        var options = new RocksOptions { CreateIfMissing = true };
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, options, [RocksDatabase.DefaultFamily], readOnly: false, native =>
        {
            LibRocksDb.SetRecycledLogs(native, (nuint)recycled);
            // RocksDB writes over logs only in this mode of recovery.
            LibRocksDb.SetWalRecovery(native, LibRocksDb.SkipCorrupted);
        });
        var lengths = new List<int>();
        var random = new Random(3);
        string Path() => Directory.GetFiles(DatabasePath, "*.log").Max(StringComparer.Ordinal)!;
        foreach (int bytes in (int[])[1, 10, 300, 32_000, 500, 1, 40, 33_000, 7])
        {
            byte[] value = new byte[bytes];
            random.NextBytes(value);
            database.Put("key"u8, value);
            lengths.Add((int)new FileInfo(Path()).Length);
        }

        _ = RocksFiles.IsWal(System.IO.Path.GetFileName(Path()), out number);
        ends = [.. lengths];
        string copy = NewCopyPath();
        File.Copy(Path(), copy);
        return File.ReadAllBytes(copy);
    }

    private (int Records, RecordEnd End, long WholeBytes) Read(byte[] bytes, ulong number)
    {
        string path = $"{memory.Path}/log";
        File.WriteAllBytes(path, bytes);
        using IDiskFile file = new HostDisk().TryOpen(path, DiskAccess.Read)!;
        using var reader = new RecordReader(file, file.Length, number);
        int records = 0;
        while (reader.TryRead(out _)) records++;
        return (records, reader.End, reader.WholeBytes);
    }
}
