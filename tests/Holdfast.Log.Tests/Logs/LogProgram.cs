using System.Buffers.Binary;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

/// <summary>Uses a log and remembers what must be in it, so that what a crash leaves can be judged.</summary>
internal sealed class LogProgram
{
    private const int MinPayloadBytes = 4;
    private const int MaxOpenings = 64;

    private readonly List<int> groupStarts = [];
    private readonly List<int> payloadBytes = [];
    private readonly Dictionary<int, LogPosition> places = [];
    private readonly HashSet<int> moved = [];
    private readonly int seed;
    private readonly LogOptions options;
    private readonly IReadOnlyList<LogMoment>? before;
    private volatile LogMoment now = LogMoment.Start;
    private SegmentedLog? log;

    // No two openings of a disk, or of what came of it, draw the same.
    private int openings;
    private volatile bool isJudged;

    public LogProgram(SimulatedDisk disk, LogOptions options, int seed)
    {
        Disk = disk;
        this.options = options;
        this.seed = seed;
    }

    private LogProgram(LogProgram earlier, SimulatedDisk disk, IReadOnlyList<LogMoment> moments)
        : this(disk, earlier.options, earlier.seed)
    {
        groupStarts.AddRange(earlier.groupStarts);
        payloadBytes.AddRange(earlier.payloadBytes);
        moved.UnionWith(earlier.moved);
        before = moments;
    }

    public SimulatedDisk Disk { get; }

    public SegmentedLog Log => log!;

    /// <summary>What is known now: of a program that goes on after a crash, until it has opened the log, what was.</summary>
    public IReadOnlyList<LogMoment> Moments => before is null || isJudged ? [now] : before;

    public void Open()
    {
        SegmentedLog opened = SegmentedLog.Open(
            new Host(Disk, new SimulatedClock(), new SimulatedEntropy((seed * 100_000) + ++openings)), "/log", options);
        Assert.Empty(opened.Damages);
        log = opened;
    }

    public void Close()
    {
        log!.Dispose();
        Acknowledge();
    }

    /// <summary>After a call that threw: goes on if the log can, and closes it.</summary>
    public void CloseAfterFault()
    {
        if (log is null) return;
        if (before is null && !log.IsClosed && TryAppendAgain()) Acknowledge();
        log.Dispose();
    }

    /// <summary>After an append that found no space: the next one is taken.</summary>
    public void GoOnAfterRefusal()
    {
        Assert.True(TryAppendAgain());
        Acknowledge();
    }

    public void Append(int bytes, Durability durability)
    {
        int id = Announce(bytes);
        places[id] = log!.Append(Payload(id), durability: durability);
        if (durability is Durability.Each or Durability.Group) Acknowledge();
    }

    public void AppendGroup(Durability durability, params int[] bytes)
    {
        var group = new LogGroup();
        int first = groupStarts.Count;
        foreach (int count in bytes)
        {
            int id = Announce(count, first, isWhole: false);
            Payload(id).CopyTo(group.Add(payloadBytes[id]));
        }

        now = now with { Appended = groupStarts.Count };
        log!.Append(group, durability);
        for (int i = 0; i < bytes.Length; i++) places[first + i] = group.PositionAt(i);
        if (durability is Durability.Each or Durability.Group) Acknowledge();
    }

    public void Sync()
    {
        log!.Sync();
        Acknowledge();
    }

    public LogSegment? Seal()
    {
        LogSegment? segment = log!.Seal();
        Acknowledge();
        return segment;
    }

    public void Drop(LogSegment segment)
    {
        int[] ids = [.. IdsIn(segment)];
        now = now with { Removable = now.Removable.Union(ids) };
        foreach (int id in ids) places.Remove(id);
        log!.Drop(segment);
    }

    /// <summary>Replaces segments by one that keeps some of their entries.</summary>
    /// <param name="replaced">All sealed.</param>
    /// <param name="keeps">Which entries it keeps.</param>
    /// <param name="meanwhile">Done when they are copied.</param>
    /// <param name="commits">Whether it is committed, or abandoned.</param>
    public LogSegment? Replace(
        IReadOnlyList<LogSegment> replaced, Func<int, bool> keeps, Action? meanwhile = null, bool commits = true)
    {
        using LogReplacement replacement = log!.TryBeginReplacement(replaced)!;
        var copies = new Dictionary<int, LogPosition>();
        var left = new List<int>();
        foreach (int id in replaced.SelectMany(IdsIn).Order())
        {
            if (keeps(id)) copies.Add(id, replacement.Append(Payload(id)));
            else left.Add(id);
        }

        meanwhile?.Invoke();
        if (!commits) return null;
        moved.UnionWith(copies.Keys);
        now = now with { Removable = now.Removable.Union(left) };
        int appended = groupStarts.Count;
        LogSegment segment = replacement.Commit();
        foreach ((int id, LogPosition position) in copies) places[id] = position;
        foreach (int id in left) places.Remove(id);
        // The commit has made durable what was appended meanwhile.
        if (appended == groupStarts.Count) Acknowledge();
        now = now with { Gone = now.Gone.Union(left) };
        return segment;
    }

    /// <summary>Opens what a crash left, and judges it.</summary>
    /// <param name="disk">Written to.</param>
    /// <param name="moments">When the crash may have been.</param>
    /// <param name="watch">Given the program before it opens the log.</param>
    /// <returns>A program that may go on with the log.</returns>
    public LogProgram Recover(SimulatedDisk disk, IReadOnlyList<LogMoment> moments, Action<LogProgram>? watch = null)
    {
        openings += MaxOpenings;
        var recovered = new LogProgram(this, disk, moments) { openings = openings };
        watch?.Invoke(recovered);
        recovered.Open();
        recovered.Judge(moments);
        return recovered;
    }

    /// <summary>Appends to it, and opens it again: all is there.</summary>
    /// <param name="bytes">Size of the first entry.</param>
    public void GoOn(int bytes = 40)
    {
        LogPosition highest = now.Highest;
        Append(bytes, Durability.Each);
        Assert.True(places[groupStarts.Count - 1] > highest, $"{places[groupStarts.Count - 1]} is used again");
        AppendGroup(Durability.None, 30, 300, 5);
        Close();
        LogProgram again = Recover(Disk, Moments);
        Assert.Null(again.Log.TornTail);
        again.Close();
    }

    // An append that threw left nothing if the log takes others.
    private bool TryAppendAgain()
    {
        int[] refused = [.. Enumerable.Range(0, groupStarts.Count).Where(id => !places.ContainsKey(id) && !now.Removable.Contains(id))];
        LogMoment earlier = now;
        now = now with { Removable = now.Removable.Union(refused) };
        int id = Announce(77);
        try
        {
            places[id] = log!.Append(Payload(id), durability: Durability.Each);
        }
        catch (HoldfastException)
        {
            now = now with { Removable = earlier.Removable };
            return false;
        }

        now = now with { Gone = now.Gone.Union(refused) };
        return true;
    }

    private IEnumerable<int> IdsIn(LogSegment segment) =>
        places.Where(place => place.Value.Segment == segment.Number).Select(place => place.Key);

    private int Announce(int bytes, int? group = null, bool isWhole = true)
    {
        int id = groupStarts.Count;
        payloadBytes.Add(Math.Max(bytes, MinPayloadBytes));
        groupStarts.Add(group ?? id);
        if (isWhole) now = now with { Appended = id + 1 };
        return id;
    }

    private void Acknowledge() => now = now with
    {
        Durable = groupStarts.Count,
        Appended = groupStarts.Count,
        Highest = places.Count == 0 ? now.Highest : new LogPosition(Math.Max(now.Highest.Value, places.Values.Max(p => p.Value))),
    };

    private byte[] Payload(int id)
    {
        byte[] payload = new byte[payloadBytes[id]];
        new Random(seed + id).NextBytes(payload);
        BinaryPrimitives.WriteInt32LittleEndian(payload, id);
        return payload;
    }

    private void Judge(IReadOnlyList<LogMoment> moments)
    {
        places.Clear();
        using (LogReader reader = log!.OpenReader(default, LogReadBound.Durable))
        {
            int last = -1;
            int lastMoved = -1;
            uint segment = 0;
            while (reader.TryRead())
            {
                // Replacements lie above segments that they do not replace.
                if (segment != reader.Position.Segment) lastMoved = -1;
                segment = reader.Position.Segment;
                Assert.Null(reader.Damage);
                int id = BinaryPrimitives.ReadInt32LittleEndian(reader.Payload);
                Assert.InRange(id, 0, groupStarts.Count - 1);
                Assert.Equal(Payload(id), reader.Payload);
                Assert.True(places.TryAdd(id, reader.Position), $"entry {id} is there twice");
                ref int lower = ref moved.Contains(id) ? ref lastMoved : ref last;
                Assert.True(id > lower, $"entry {id} behind {lower}");
                lower = id;
            }
        }

        int top = places.Count == 0 ? -1 : places.Keys.Max();
        foreach (LogMoment moment in moments)
        {
            Assert.True(top < moment.Appended, $"entry {top} of {moment.Appended}");
            for (int id = 0; id < moment.Appended; id++)
            {
                bool isThere = places.ContainsKey(id);
                if (isThere) Assert.False(moment.Gone.Contains(id), $"entry {id} is back");
                else if (!moment.Removable.Contains(id)) Assert.False(id < Math.Max(moment.Durable, top), $"entry {id} is lost");
                if (!moment.Removable.Contains(id) && !moment.Removable.Contains(groupStarts[id]))
                {
                    Assert.True(isThere == places.ContainsKey(groupStarts[id]), $"half of the group of {id}");
                }
            }
        }

        int count = groupStarts.Count;
        int[] lost = [.. Enumerable.Range(0, count).Where(id => !places.ContainsKey(id))];
        now = new LogMoment(
            count, count, [.. lost], [.. lost], moments.MaxBy(m => m.Highest.Value)!.Highest);
        Acknowledge();
        isJudged = true;
    }
}
