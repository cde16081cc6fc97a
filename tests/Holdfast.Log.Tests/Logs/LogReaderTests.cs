using System.Globalization;
using System.Text;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

/// Goal: a reader gives each entry once and in order, from anywhere and up to its bound, while the log goes on.
public sealed class LogReaderTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public void ReadingStartsAtAnyEntryOrBehindIt()
    {
        using SegmentedLog log = LogImage.Open(new SimulatedDisk(seed: 1), LogPrograms.Small);
        List<LogPosition> positions = [.. Enumerable.Range(0, 40).Select(i => Append(log, i, 400))];
        for (int from = 0; from < positions.Count; from++)
        {
            using LogReader reader = log.OpenReader(positions[from], LogReadBound.Appended);
            Assert.Equal(positions.Skip(from), PositionsFrom(reader));
        }

        foreach (LogSegment segment in log.Segments)
        {
            using LogReader reader = log.OpenReader(new LogPosition(segment.Number, 0), LogReadBound.Appended);
            Assert.Equal(positions.Where(p => p.Segment >= segment.Number), PositionsFrom(reader));
        }

        // Behind the last entry of a sealed segment, behind all, and behind what there will ever be.
        LogPosition last = positions.Last(p => p.Segment == 1);
        using LogReader behind = log.OpenReader(new LogPosition(1, last.Offset + 408), LogReadBound.Appended);
        Assert.Equal(positions.Where(p => p.Segment > 1), PositionsFrom(behind));
        using LogReader atEnd = log.OpenReader(log.Appended, LogReadBound.Appended);
        Assert.False(atEnd.TryRead());
        LogPosition next = Append(log, 41, 10);
        Assert.Equal([next], PositionsFrom(atEnd));
        using LogReader beyond = log.OpenReader(new LogPosition(uint.MaxValue, 64));
        Assert.False(beyond.TryRead());
    }

    [Fact]
    public void TheDurableBoundHidesWhatACrashCouldTakeBack()
    {
        using SegmentedLog log = LogImage.Open(new SimulatedDisk(seed: 1), LogPrograms.Small);
        using LogReader durable = log.OpenReader();
        using LogReader appended = log.OpenReader(default, LogReadBound.Appended);
        LogPosition first = Append(log, 1, 20);
        Assert.False(durable.TryRead());
        Assert.Equal([first], PositionsFrom(appended));
        log.Sync();
        Assert.Equal([first], PositionsFrom(durable));
        LogPosition second = Append(log, 2, 20);
        log.Flush();
        Assert.False(durable.TryRead());
        Assert.Equal([second], PositionsFrom(appended));
        // Sealing makes it durable.
        _ = log.Seal();
        Assert.Equal([second], PositionsFrom(durable));
    }

    [Theory]
    [InlineData(LogReadBound.Durable)]
    [InlineData(LogReadBound.Appended)]
    public async Task AFollowerSeesEachEntryOnceAcrossRolls(LogReadBound bound)
    {
        const int Entries = 3000;
        using SegmentedLog log = LogImage.Open(new SimulatedDisk(seed: 1), LogPrograms.Small);
        Task<List<int>> following = Task.Run(async () =>
        {
            var seen = new List<int>();
            using LogReader reader = log.OpenReader(default, bound);
            while (seen.Count < Entries && await reader.ReadAsync(CancellationToken.None))
            {
                Assert.Null(reader.Damage);
                seen.Add(NumberOf(reader));
            }

            return seen;
        });
        await Task.Run(() =>
        {
            for (int i = 0; i < Entries; i++)
            {
                Append(log, i, i % 120, i % 4 == 0 ? Durability.Group : Durability.None);
                if (i % 500 == 0) log.Sync();
            }

            log.Sync();
        }).WaitAsync(Deadline);
        Assert.Equal(Enumerable.Range(0, Entries), await following.WaitAsync(Deadline));
    }

    [Fact]
    public async Task AFollowerOutlivesTheSegmentItReads()
    {
        var disk = new SimulatedDisk(seed: 1);
        using SegmentedLog log = LogImage.Open(disk, LogPrograms.Small);
        for (int i = 0; i < 6; i++) Append(log, i, 900);
        LogSegment first = log.Segments[0];
        using LogReader reader = log.OpenReader(default, LogReadBound.Appended);
        Assert.True(reader.TryRead());
        log.Drop(first);
        Assert.NotNull(disk.TryStat(first.Path));
        var seen = new List<int> { NumberOf(reader) };
        while (reader.TryRead()) seen.Add(NumberOf(reader));
        Assert.Equal(Enumerable.Range(0, 6), seen);
        Assert.Null(disk.TryStat(first.Path));

        // At the tail, in a segment that is replaced because it is empty.
        _ = log.Seal();
        LogSegment sealedOne = log.Segments[0];
        Append(log, 6, 10);
        Task<bool> next = reader.ReadAsync(CancellationToken.None).AsTask();
        Assert.True(await next.WaitAsync(Deadline));
        _ = log.Seal();
        using (LogReplacement replacement = log.TryBeginReplacement([sealedOne])!)
        {
            next = reader.ReadAsync(CancellationToken.None).AsTask();
            Append(log, 7, 4500);
            Assert.True(await next.WaitAsync(Deadline));
            Assert.Equal(7, NumberOf(reader));
        }
    }

    [Fact]
    public async Task WaitingEndsWhenTheLogIsClosedOrTheReaderIsTired()
    {
        SegmentedLog log = LogImage.Open(new SimulatedDisk(seed: 1), LogPrograms.Small);
        using LogReader reader = log.OpenReader();
        using var tired = new CancellationTokenSource();
        Task<bool> waiting = reader.ReadAsync(tired.Token).AsTask();
        await tired.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Deadline));
        Append(log, 1, 10);
        waiting = reader.ReadAsync(CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        // Closing makes it durable; then there is no more.
        log.Dispose();
        bool isLast = await waiting.WaitAsync(Deadline);
        if (isLast) Assert.False(await reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Deadline));
    }

    [Fact]
    public void DamageIsMetOnceAndReadingGoesOnBehindIt()
    {
        var disk = new SimulatedDisk(seed: 1);
        using SegmentedLog log = LogImage.Open(disk, LogPrograms.Small);
        List<LogPosition> positions = [.. Enumerable.Range(0, 12).Select(i => Append(log, i, 700))];
        Flip(disk, log.Find(1)!.Path, positions[2].Offset + 20);
        Flip(disk, log.Find(2)!.Path, positions[6].Offset + 2);
        using LogReader reader = log.OpenReader(default, LogReadBound.Appended);
        var seen = new List<LogPosition>();
        var damaged = new List<LogPosition>();
        while (reader.TryRead())
        {
            if (reader.Damage is { } damage) damaged.Add(new LogPosition(damage.Segment, damage.Offset));
            else seen.Add(reader.Position);
        }

        Assert.Equal([positions[2], positions[6]], damaged);
        Assert.Equal(positions.Where((_, i) => i is not (2 or 6)), seen);
        var scanned = new List<LogPosition>();
        IReadOnlyList<LogDamage> found = log.Segments[0].Scan((position, _) => scanned.Add(position), CancellationToken.None);
        Assert.Equal(positions[2].Offset, Assert.Single(found).Offset);
        Assert.Equal(positions.Where((p, i) => i != 2 && p.Segment == 1), scanned);
        byte[] frame = new byte[708];
        HoldfastException refused = Assert.Throws<HoldfastException>(
            () => { _ = log.Find(1)!.ReadFrame(positions[2].Offset, frame); });
        Assert.Equal(ErrorKind.Damage, refused.Kind);
    }

    [Fact]
    public void EntriesInTheBuffersAreReadAsThoseInTheFile()
    {
        using SegmentedLog log = LogImage.Open(new SimulatedDisk(seed: 1), LogPrograms.Small with { SegmentBytes = 1 << 20 });
        var random = new Random(1);
        var expected = new List<(LogPosition Position, byte[] Payload)>();
        for (int i = 0; i < 200; i++)
        {
            byte[] payload = new byte[random.Next(2000)];
            random.NextBytes(payload);
            expected.Add((log.Append(payload, durability: i % 9 == 0 ? Durability.Group : Durability.None), payload));
            (LogPosition position, byte[] known) = expected[random.Next(expected.Count)];
            byte[] frame = new byte[8 + known.Length];
            Assert.Equal(known, log.Find(position.Segment)!.ReadFrame(position.Offset, frame));
            byte[] part = new byte[known.Length / 2];
            Assert.True(log.Find(position.Segment)!.TryReadUnchecked(position.Offset + 8, part));
            Assert.Equal(known[..part.Length], part);
        }
    }

    [Fact]
    public unsafe void TheMappingShowsWhatTheFileHas()
    {
        using var directory = new TemporaryDirectory(inMemory: true);
        var host = new Host(new HostDisk(), TimeProvider.System, new SystemEntropy());
        var expected = new List<(LogPosition Position, byte[] Payload)>();
        for (int round = 0; round < 3; round++)
        {
            using SegmentedLog log = SegmentedLog.Open(host, directory.Path + "/log", LogPrograms.Small);
            for (int i = 0; i < 20; i++)
            {
                byte[] payload = new byte[(round * 1000) + (i * 100)];
                new Random(i).NextBytes(payload);
                expected.Add((log.Append(payload, durability: Durability.None), payload));
            }

            log.Flush();
            foreach ((LogPosition position, byte[] payload) in expected)
            {
                byte* start = log.Find(position.Segment)!.TryGetPointer(position.Offset, 8 + payload.Length);
                Assert.True(start is not null, $"{position} is not mapped");
                Assert.Equal(payload, new ReadOnlySpan<byte>(start + 8, payload.Length));
            }

            LogPosition next = log.Append("in the buffer"u8, durability: Durability.None);
            expected.Add((next, "in the buffer"u8.ToArray()));
            Assert.True(log.Find(next.Segment)!.TryGetPointer(next.Offset, 21) is null);
        }
    }

    private static LogPosition Append(SegmentedLog log, int number, int bytes, Durability durability = Durability.None)
    {
        string text = number.ToString(CultureInfo.InvariantCulture).PadRight(bytes);
        return log.Append(Encoding.ASCII.GetBytes(text), durability: durability);
    }

    private static int NumberOf(LogReader reader) =>
        int.Parse(Encoding.ASCII.GetString(reader.Payload), CultureInfo.InvariantCulture);

    private static List<LogPosition> PositionsFrom(LogReader reader)
    {
        var positions = new List<LogPosition>();
        while (reader.TryRead())
        {
            Assert.Null(reader.Damage);
            positions.Add(reader.Position);
        }

        return positions;
    }

    private static void Flip(SimulatedDisk disk, string path, uint offset)
    {
        using IDiskFile file = disk.TryOpen(path, DiskAccess.ReadWrite)!;
        byte[] one = new byte[1];
        Assert.Equal(1, file.Read(offset, one));
        one[0] ^= 4;
        file.Write(offset, one);
    }
}
