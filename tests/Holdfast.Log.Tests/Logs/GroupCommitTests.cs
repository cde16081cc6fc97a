using System.Buffers.Binary;
using System.Collections.Concurrent;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

/// Goal: many appenders at once share syncs; each that was told "durable" finds its entry again, whatever happens to the others.
public sealed class GroupCommitTests
{
    private const int Appenders = 32;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly LogOptions Large = LogPrograms.Small with { SegmentBytes = 1 << 20, BufferBytes = 64 << 10 };

    /// While the first one's sync is held up, all others come: one more sync serves them.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AppendersThatComeTogetherShareASync(bool areTasks)
    {
        var disk = new SimulatedDisk(seed: 1);
        using SegmentedLog log = LogImage.Open(disk, Large);
        log.Append("reserves the space"u8);
        using var isHeld = new ManualResetEventSlim();
        using var goesOn = new ManualResetEventSlim();
        int syncs = 0;
        disk.BeforeCall = call =>
        {
            if (call.Kind is not (DiskCallKind.Sync or DiskCallKind.WriteDurably)) return;
            syncs++;
            isHeld.Set();
            Assert.True(goesOn.Wait(Deadline));
        };

        Task<LogPosition> first = Start(0);
        Assert.True(isHeld.Wait(Deadline));
        LogPosition before = log.Appended;
        Task<LogPosition>[] others = [.. Enumerable.Range(1, Appenders - 1).Select(Start)];
        Assert.True(SpinWait.SpinUntil(() => log.Appended.Offset - before.Offset >= (Appenders - 1) * 16, Deadline));
        goesOn.Set();
        LogPosition[] positions = await Task.WhenAll(others.Prepend(first)).WaitAsync(Deadline);

        Assert.Equal(2, syncs);
        Assert.Equal(Appenders, positions.Distinct().Count());
        Assert.True(log.Durable > positions.Max());

        Task<LogPosition> Start(int number)
        {
            byte[] payload = [(byte)number];
            return areTasks
                ? log.AppendAsync(payload, Durability.Group).AsTask()
                : Task.Factory.StartNew(
                    () => log.Append(payload, durability: Durability.Group), CancellationToken.None,
                    TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    [Theory]
    [InlineData(DiskException.InputOutput, 1)]
    [InlineData(DiskException.InputOutput, 2)]
    [InlineData(DiskException.InputOutput, 9)]
    [InlineData(DiskException.InputOutput, 40)]
    [InlineData(DiskException.NoSpace, 5)]
    public async Task AfterAFailedSyncEachAppenderIsToldAndNoneThatWasServedIsLost(int errno, int failing)
    {
        var disk = new SimulatedDisk(seed: failing);
        SegmentedLog log = LogImage.Open(disk, LogPrograms.Small);
        int syncs = 0;
        disk.Fault = call => call.Kind is DiskCallKind.Sync or DiskCallKind.WriteDurably && ++syncs == failing ? errno : null;
        var load = new Load(log, [Durability.Group]);
        await load.RunAsync(appendsEach: 1000);
        Assert.Equal(Appenders, load.Told);
        log.Dispose();
        load.CheckIn(disk.Fork(1));
        load.CheckIn(disk);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(77)]
    [InlineData(300)]
    public async Task APowerCutUnderLoadLosesNothingThatWasServed(int cutAt)
    {
        var disk = new SimulatedDisk(seed: cutAt, cutAt);
        SegmentedLog log = LogImage.Open(disk, LogPrograms.Small);
        var load = new Load(log, [Durability.Group, Durability.None, Durability.Each]);
        await load.RunAsync(appendsEach: 2000);
        Assert.Equal(Appenders, load.Told);
        _ = Record.Exception(log.Dispose);
        for (int outcome = 0; outcome < 5; outcome++) load.CheckIn(disk.AfterPowerCut(outcome));
    }

    [Fact]
    public async Task AllDurabilitiesMixedWhileSegmentsRollLoseNothing()
    {
        var disk = new SimulatedDisk(seed: 1);
        var clock = new SimulatedClock();
        LogOptions options = LogPrograms.Small with { Durability = Durability.Interval };
        using (SegmentedLog log = SegmentedLog.Open(new Host(disk, clock, new SimulatedEntropy(1)), "/log", options))
        {
            var load = new Load(log, [Durability.None, Durability.Interval, Durability.Group, Durability.Each]);
            Task all = load.RunAsync(appendsEach: 40);
            while (!all.IsCompleted)
            {
                clock.Advance(options.Interval);
                await Task.Yield();
            }

            await all;
            Assert.Equal(0, load.Told);
            clock.Advance(options.Interval);
            Assert.Equal(log.Appended, log.Durable);
            Assert.True(log.Segments.Count > 5);
            load.CheckIn(disk.Fork());
        }
    }

    /// An append may ask for the interval although the log was opened with another durability.
    [Fact]
    public void AnAppendByIntervalIsDurableWhenTheIntervalIsOver()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using SegmentedLog log = SegmentedLog.Open(host, "/log", LogPrograms.Small);
        log.Append("soon"u8, durability: Durability.Interval);
        Assert.True(log.Durable < log.Appended);
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(log.Appended, log.Durable);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(1000)]
    public async Task ClosingUnderLoadKeepsAllThatWasAppended(int appends)
    {
        var disk = new SimulatedDisk(seed: appends);
        SegmentedLog log = LogImage.Open(disk, LogPrograms.Small);
        var load = new Load(log, [Durability.None, Durability.Group]) { ClosingKeepsAll = true };
        Task all = load.RunAsync(appendsEach: 1_000_000);
        Assert.True(SpinWait.SpinUntil(() => load.Count >= appends, Deadline));
        log.Dispose();
        await all;
        Assert.Equal(Appenders, load.Told);
        load.CheckIn(disk.Fork());
    }

    /// The first of a group may wait for others: they come, or the time is over.
    [Fact]
    public async Task WhoWaitsForOthersIsServed()
    {
        var disk = new SimulatedDisk(seed: 1);
        LogOptions options = LogPrograms.Small with { GroupDelay = TimeSpan.FromMilliseconds(1) };
        using SegmentedLog log = LogImage.Open(disk, options);
        var load = new Load(log, [Durability.Group]);
        await load.RunAsync(appendsEach: 3);
        Assert.Equal(0, load.Told);
        Assert.Equal(log.Appended, log.Durable);
    }

    [Fact]
    public async Task TheRealDiskKeepsWhatManyThreadsAppend()
    {
        using var directory = new TemporaryDirectory(inMemory: true);
        var host = new Host(new HostDisk(), TimeProvider.System, new SystemEntropy());
        LogOptions options = LogPrograms.Small with { SegmentBytes = 64 << 10 };
        SegmentedLog log = SegmentedLog.Open(host, directory.Path + "/log", options);
        var load = new Load(log, [Durability.None, Durability.Group, Durability.Each]);
        await load.RunAsync(appendsEach: 200);
        Assert.Equal(0, load.Told);
        log.Dispose();
        using SegmentedLog again = SegmentedLog.Open(host, directory.Path + "/log", options);
        load.CheckIn(again);
    }

    /// <summary>Half of the appenders are threads, half are tasks.</summary>
    private sealed class Load(SegmentedLog log, Durability[] durabilities)
    {
        private readonly ConcurrentDictionary<int, LogPosition> kept = new();
        private int told;
        private int count;

        public int Told => told;

        public int Count => Volatile.Read(ref count);

        public bool ClosingKeepsAll { get; init; }

        public Task RunAsync(int appendsEach)
        {
            IEnumerable<Task> all = Enumerable.Range(0, Appenders).Select(worker => worker % 2 == 0
                ? Task.Factory.StartNew(
                    () => AppendMany(worker, appendsEach), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                : Task.Run(() => AppendManyAsync(worker, appendsEach)));
            return Task.WhenAll(all).WaitAsync(Deadline);
        }

        public void CheckIn(SimulatedDisk disk)
        {
            using SegmentedLog opened = LogImage.Open(disk, LogPrograms.Small);
            CheckIn(opened);
        }

        public void CheckIn(SegmentedLog opened)
        {
            Assert.Empty(opened.Damages);
            using LogReader reader = opened.OpenReader();
            var found = new Dictionary<int, LogPosition>();
            while (reader.TryRead())
            {
                Assert.Null(reader.Damage);
                found.Add(BinaryPrimitives.ReadInt32LittleEndian(reader.Payload), reader.Position);
            }

            foreach ((int number, LogPosition position) in kept) Assert.Equal(position, found.GetValueOrDefault(number));
        }

        private void AppendMany(int worker, int appends)
        {
            try
            {
                for (int i = 0; i < appends; i++)
                {
                    (byte[] payload, Durability durability) = Next(worker, i);
                    Keep(worker, i, durability, log.Append(payload, durability: durability));
                }
            }
            catch (Exception reason) when (reason is HoldfastException or ObjectDisposedException or PowerCutException)
            {
                Interlocked.Increment(ref told);
            }
        }

        private async Task AppendManyAsync(int worker, int appends)
        {
            try
            {
                for (int i = 0; i < appends; i++)
                {
                    (byte[] payload, Durability durability) = Next(worker, i);
                    Keep(worker, i, durability, await log.AppendAsync(payload, durability));
                }
            }
            catch (Exception reason) when (reason is HoldfastException or ObjectDisposedException or PowerCutException)
            {
                Interlocked.Increment(ref told);
            }
        }

        private (byte[] Payload, Durability Durability) Next(int worker, int i)
        {
            byte[] payload = new byte[4 + ((worker + i) * 7 % 200)];
            BinaryPrimitives.WriteInt32LittleEndian(payload, (worker * 1_000_000) + i);
            return (payload, durabilities[(worker + i) % durabilities.Length]);
        }

        private void Keep(int worker, int i, Durability durability, LogPosition position)
        {
            Interlocked.Increment(ref count);
            if (ClosingKeepsAll || durability is Durability.Group or Durability.Each) kept[(worker * 1_000_000) + i] = position;
        }
    }
}
