using System.Buffers.Binary;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

/// <summary>The files of a log as bytes that a test may change, and what was appended to it.</summary>
internal sealed class LogImage
{
    public const string First = "00000001.log";
    public const string Second = "00000002.log";
    public const string Active = "00000003.log";

    private const int HeaderBytes = 64;
    private const uint WatermarkWord = 0xC000_0008;

    private LogImage(SortedDictionary<string, byte[]> files, SortedDictionary<LogPosition, Entry> entries)
    {
        Files = files;
        Entries = entries;
    }

    /// <summary>The segments, by name.</summary>
    public SortedDictionary<string, byte[]> Files { get; }

    /// <summary>The entries, by position.</summary>
    public SortedDictionary<LogPosition, Entry> Entries { get; }

    /// <summary>Two sealed segments, one with a group, and an active one with watermarks.</summary>
    public static LogImage Create(LogOptions options, int seed)
    {
        var disk = new SimulatedDisk(seed);
        var entries = new SortedDictionary<LogPosition, Entry>(Comparer<LogPosition>.Default);
        var random = new Random(seed);
        using (SegmentedLog log = Open(disk, options, seed))
        {
            foreach (int bytes in new[] { 40, 0, 7, 120 }) Append(bytes, Durability.None);
            AppendGroup(30, 200, 9);
            Append(64, Durability.Each);
            Assert.NotNull(log.Seal());
            foreach (int bytes in new[] { 300, 24, 1 }) Append(bytes, Durability.Each);
            Assert.NotNull(log.Seal());
            Append(50, Durability.Each);
            Append(16, Durability.None);
            AppendGroup(5, 70);
            Append(0, Durability.Each);
            Append(33, Durability.Each);
            Append(90, Durability.None);
            Append(20, Durability.Each);

            void Append(int bytes, Durability durability)
            {
                byte[] payload = Draw(bytes);
                LogPosition position = log.Append(payload, durability: durability);
                entries.Add(position, new Entry(payload, position));
            }

            void AppendGroup(params int[] sizes)
            {
                var group = new LogGroup();
                byte[][] payloads = [.. sizes.Select(Draw)];
                foreach (byte[] payload in payloads) payload.CopyTo(group.Add(payload.Length));
                log.Append(group, Durability.None);
                for (int i = 0; i < sizes.Length; i++)
                {
                    entries.Add(group.PositionAt(i), new Entry(payloads[i], group.PositionAt(0)));
                }
            }
        }

        return new LogImage(FilesOf(disk), entries);

        byte[] Draw(int bytes)
        {
            byte[] payload = new byte[bytes];
            random.NextBytes(payload);
            return payload;
        }
    }

    public static SegmentedLog Open(SimulatedDisk disk, LogOptions options, int seed = 0) => SegmentedLog.Open(
        new Host(disk, new SimulatedClock(), new SimulatedEntropy(seed + disk.CallCount)), "/log", options);

    public static string NameOf(LogPosition position) => $"{position.Segment:x8}.log";

    public LogImage Copy() => new(
        new SortedDictionary<string, byte[]>(Files.ToDictionary(f => f.Key, f => f.Value.ToArray()), StringComparer.Ordinal), Entries);

    /// <summary>A disk with these files.</summary>
    public SimulatedDisk ToDisk() => ToDisk(Files);

    /// <inheritdoc cref="ToDisk()"/>
    public static SimulatedDisk ToDisk(SortedDictionary<string, byte[]> files)
    {
        var disk = new SimulatedDisk(seed: 1);
        Assert.True(disk.TryCreateDirectory("/log"));
        foreach ((string name, byte[] bytes) in files)
        {
            using IDiskFile file = disk.CreateUnnamed("/log");
            file.Write(0, bytes);
            file.Sync();
            Assert.True(disk.TryPublish(file, $"/log/{name}"));
        }

        disk.SyncDirectory("/log");
        disk.SyncDirectory("/");
        return disk;
    }

    public static SortedDictionary<string, byte[]> FilesOf(SimulatedDisk disk)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (DiskEntry entry in disk.TryList("/log")!.Where(e => e.Name.EndsWith(".log", StringComparison.Ordinal)))
        {
            using IDiskFile file = disk.TryOpen($"/log/{entry.Name}", DiskAccess.Read)!;
            byte[] bytes = new byte[file.Length];
            Assert.Equal(bytes.Length, file.Read(0, bytes));
            files.Add(entry.Name, bytes);
        }

        return files;
    }

    /// <summary>The highest mark of what was durable that the active segment's frames tell, those in a range left out.</summary>
    public long WatermarkOutside(int from, int to)
    {
        byte[] bytes = Files[Active];
        long highest = 0;
        for (int at = HeaderBytes; at + 16 <= bytes.Length; at += 8)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 4)) != WatermarkWord) continue;
            if (at < to && at + 16 > from) continue;
            highest = Math.Max(highest, BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 8)));
        }

        return highest;
    }

    /// <param name="Payload">What was appended.</param>
    /// <param name="Group">Where its group begins.</param>
    public sealed record Entry(byte[] Payload, LogPosition Group)
    {
        public int FrameBytes => 8 + Payload.Length;
    }
}
