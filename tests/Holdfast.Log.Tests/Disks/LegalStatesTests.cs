using System.Globalization;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Disks;

/// Of a power cut the simulator can show all outcomes; they are those that it draws from.
public sealed class LegalStatesTests
{
    private static readonly string[] Names = ["a", "b", "d/a", "d/b", "d"];

    /// Goal: no outcome is left out, and none is made up.
    /// Method: a few random operations, then thousands of outcomes by chance and all of them in turn.
    [Theory]
    [InlineData(1, false)]
    [InlineData(20260101, false)]
    [InlineData(2, true)]
    public void AllStatesAreThoseThatChanceFinds(int seed, bool stagesByName)
    {
        var random = new Random(seed);
        int compared = 0;
        for (int round = 0; round < 60; round++)
        {
            var disk = new SimulatedDisk(seed + round) { StagesByName = stagesByName };
            var open = new List<IDiskFile>();
            for (int step = 0; step < 12; step++) Step(disk, random, open);

            string[] all = [.. disk.AllAfterPowerCut(out bool isAll).Keys.Order(StringComparer.Ordinal)];
            if (!isAll) continue;
            compared++;
            string[] drawn =
            [
                .. Enumerable.Range(0, 1500).Select(outcome => disk.Fork(outcome).Fingerprint()).Distinct(),
            ];

            string where = string.Create(CultureInfo.InvariantCulture, $"seed {seed}, round {round}");
            Assert.True(drawn.Except(all).FirstOrDefault() is null, $"{where}: drawn but not listed");
            // Rare ones among many need not be drawn.
            if (all.Length <= 8) Assert.True(all.Except(drawn).FirstOrDefault() is null, $"{where}: listed but never drawn");
        }

        Assert.InRange(compared, 40, 60);
    }

    [Fact]
    public void WhatAFileWithoutANameHoldsMakesNoDifference()
    {
        var disk = new SimulatedDisk(seed: 1);
        using IDiskFile file = disk.CreateUnnamed("/");
        byte[] content = new byte[1 << 20];
        new Random(1).NextBytes(content);
        file.Write(0, content);

        Assert.Equal("", Assert.Single(disk.AllAfterPowerCut(out bool isAll)).Key);
        Assert.True(isAll);

        // With a name it makes 2 to the power of 2,048: those that find the most are taken.
        Assert.True(disk.TryPublish(file, "/f"));
        Assert.InRange(disk.AllAfterPowerCut(out isAll).Count, 80, 200);
        Assert.False(isAll);
        file.Sync();
        Assert.Equal(2, disk.AllAfterPowerCut().Count);
        disk.SyncDirectory("/");
        Assert.Single(disk.AllAfterPowerCut());
    }

    [Fact]
    public void ThreeSectorsAndThreeNamesAreEveryCombination()
    {
        var disk = new SimulatedDisk(seed: 1);
        using (IDiskFile file = Publish(disk, "/f", 3 * 512)) file.Sync();
        disk.SyncDirectory("/");
        using IDiskFile again = disk.TryOpen("/f", DiskAccess.ReadWrite)!;
        again.Write(0, [.. Enumerable.Repeat((byte)1, 3 * 512)]);
        for (int i = 0; i < 3; i++)
        {
            using IDiskFile other = Publish(disk, $"/{i}", 10 + i);
            other.Sync();
        }

        Assert.Equal(8 * 8, disk.AllAfterPowerCut().Count);
    }

    [Fact]
    public void TheStatesOfAllCallsAreThoseOfEachCallTogether()
    {
        var disk = new SimulatedDisk(seed: 3);
        int acknowledged = 0;
        var cuts = new PowerCuts<int>(disk, () => acknowledged);
        for (int i = 0; i < 3; i++)
        {
            using IDiskFile file = Publish(disk, $"/{i}", 10);
            file.Sync();
            disk.SyncDirectory("/");
            acknowledged++;
        }

        IReadOnlyList<PowerCut<int>> found = cuts.End();

        // Nothing; then of each file: its name with no content, with its length alone, and whole.
        Assert.Equal(1 + (3 * 3), found.Count);
        foreach (PowerCut<int> cut in found)
        {
            int there = cut.Disk.Paths().Count;
            bool isWhole = cut.Disk.Paths().All(path => cut.Disk.TryStat(path)!.Value.Length == 10);
            // What was acknowledged is there at each moment; what is there was at least begun.
            Assert.All(cut.Moments, moment => Assert.InRange(there - moment, 0, 1));
            Assert.True(isWhole || there > cut.Moments[^1], cut.ToString());
        }
    }

    /// Within a durable write the power may be cut too: then any part of it is there.
    [Fact]
    public void TheStatesWithinADurableWriteAreAmongThose()
    {
        var disk = new SimulatedDisk(seed: 3);
        using IDiskFile file = Publish(disk, "/f", 2 * 512);
        file.Sync();
        disk.SyncDirectory("/");
        bool isDone = false;
        var cuts = new PowerCuts<bool>(disk, () => isDone);
        file.WriteDurably(0, [.. Enumerable.Repeat((byte)8, 3 * 512)]);
        isDone = true;

        var seen = new SortedDictionary<string, bool>(StringComparer.Ordinal);
        foreach (PowerCut<bool> cut in cuts.End())
        {
            using IDiskFile after = cut.Disk.Fork().TryOpen("/f", DiskAccess.Read)!;
            byte[] content = new byte[after.Length];
            after.Read(0, content);
            seen.Add(string.Concat(content.Chunk(512).Select(sector => sector[0])), cut.Moments.Contains(true));
        }

        // Each of three sectors old or new, the third also missing; and only what is whole may be acknowledged.
        Assert.Equal(["77", "770", "778", "78", "780", "788", "87", "870", "878", "88", "880", "888"], seen.Keys);
        Assert.Equal("888", Assert.Single(seen, state => state.Value).Key);
    }

    /// Goal: whatever comes before and after a durable write, its bytes are in every state, and each byte of a state
    /// is one that was written there or nothing.
    /// Method: random operations on one file, all states after each, compared with what each byte may be.
    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void BytesWrittenDurablyAreInEveryState(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 150; round++)
        {
            var disk = new SimulatedDisk(seed + round);
            using IDiskFile file = Publish(disk, "/f", 0);
            disk.SyncDirectory("/");
            var may = new BytesThatMayBe(2200);
            for (int step = 0; step < 8; step++)
            {
                int at = random.Next(1400);
                byte value = (byte)((step * 10) + 1);
                byte[] data = [.. Enumerable.Repeat(value, random.Next(1, 800))];
                switch (random.Next(5))
                {
                    case 0 or 1: file.Write(at, data); may.Write(at, data.Length, value); break;
                    case 2 or 3: file.WriteDurably(at, data); may.WriteDurably(at, data.Length, value); break;
                    default: file.SetLength(at); may.SetLength(at); break;
                }

                for (int outcome = 0; outcome < 20; outcome++)
                {
                    using IDiskFile after = disk.Fork(outcome).TryOpen("/f", DiskAccess.Read)!;
                    byte[] content = new byte[after.Length];
                    after.Read(0, content);
                    string where = string.Create(
                        CultureInfo.InvariantCulture, $"seed {seed}, round {round}, step {step}, outcome {outcome}");
                    may.Check(content, where);
                }
            }
        }
    }

    [Fact]
    public void ReservedSpaceIsTheFilesUntilItsLengthIsSet()
    {
        var disk = new SimulatedDisk(seed: 4) { Capacity = 1000 };
        using IDiskFile file = disk.CreateUnnamed("/"), other = disk.CreateUnnamed("/");
        file.Allocate(700);
        Assert.Equal(300, disk.FreeBytes("/"));
        Assert.Equal(DiskException.NoSpace, Assert.Throws<DiskException>(() => other.Write(0, new byte[400])).Errno);
        Assert.Equal(300, other.Length);
        file.WriteDurably(0, new byte[700]);
        Assert.Equal(DiskException.NoSpace, Assert.Throws<DiskException>(() => file.Allocate(701)).Errno);
        Assert.Equal(0, disk.FreeBytes("/"));
        file.SetLength(0);
        Assert.Equal(700, disk.FreeBytes("/"));
        Assert.Equal(700, file.Length + disk.FreeBytes("/"));
    }

    [Fact]
    public void AFullDiskWritesWhatFits()
    {
        var disk = new SimulatedDisk(seed: 4) { Capacity = 1000 };
        Publish(disk, "/a", 600).Dispose();
        using IDiskFile file = disk.CreateUnnamed("/");

        Assert.Equal(DiskException.NoSpace, Assert.Throws<DiskException>(() => file.Write(0, new byte[500])).Errno);

        Assert.Equal(400, file.Length);
        Assert.Equal(1000, disk.UsedBytes);
        file.Write(0, new byte[400]);
        Assert.True(disk.TryDelete("/a"));
        file.Write(400, new byte[100]);
        file.Dispose();
        Assert.Equal(0, disk.UsedBytes);
    }

    [Fact]
    public void WithoutUnnamedFilesACrashMayLeaveEitherNameOrBoth()
    {
        var disk = new SimulatedDisk(seed: 5) { StagesByName = true };
        disk.CreateUnnamed("/").Dispose();
        Assert.Empty(disk.TryList("/")!);
        using IDiskFile file = disk.CreateUnnamed("/");
        file.Sync();
        disk.SyncDirectory("/");
        Assert.StartsWith(IDisk.StagingPrefix, Assert.Single(disk.TryList("/")!).Name, StringComparison.Ordinal);
        Assert.True(disk.TryPublish(file, "/f"));

        string[] seen =
        [
            .. disk.AllAfterPowerCut().Values
                .Select(after => string.Join(' ', after.Paths().Select(path => path == "/f" ? "f" : "staging"))),
        ];
        Assert.Equal(["", "f", "staging", "staging f"], seen.Order(StringComparer.Ordinal));
        Assert.Equal("f", Assert.Single(disk.TryList("/")!).Name);
    }

    private static IDiskFile Publish(SimulatedDisk disk, string path, int bytes)
    {
        IDiskFile file = disk.CreateUnnamed("/");
        file.Write(0, [.. Enumerable.Repeat((byte)7, bytes)]);
        Assert.True(disk.TryPublish(file, path));
        return file;
    }

    private static void Step(SimulatedDisk disk, Random random, List<IDiskFile> open)
    {
        string path = $"/{Names[random.Next(Names.Length)]}";
        byte[] data = [.. Enumerable.Repeat((byte)random.Next(1, 256), random.Next(1, 700))];
        IDiskFile? file = open.Count == 0 ? null : open[random.Next(open.Count)];
        try
        {
            switch (random.Next(15))
            {
                case 0 or 1: open.Add(disk.CreateUnnamed("/")); break;
                case 2 or 3 when file is not null: disk.TryPublish(file, path); break;
                case 4: disk.TryDelete(path); break;
                case 5: disk.TryCreateDirectory("/d"); break;
                case 6: disk.TryDeleteDirectory("/d"); break;
                case 7: disk.Rename(path, $"/{Names[random.Next(4)]}"); break;
                case 8: disk.SyncDirectory(random.Next(2) == 0 ? "/" : "/d"); break;
                case 9: file?.Sync(); break;
                case 10: file?.SetLength(random.Next(600)); break;
                case 11: file?.WriteDurably(random.Next(300), data); break;
                case 12: disk.TryLink(path, $"/{Names[random.Next(4)]}"); break;
                case 13: disk.TryLock(path, "note", out _)?.Dispose(); break;
                default: file?.Write(random.Next(300), data); break;
            }
        }
        catch (DiskException)
        {
            // Refused: nothing happened.
        }
        catch (ArgumentException)
        {
            // Published before.
        }
    }

    /// What each byte of a file may be after a power cut.
    private sealed class BytesThatMayBe(int count)
    {
        private readonly HashSet<byte>[] values = [.. Enumerable.Range(0, count).Select(_ => new HashSet<byte> { 0 })];
        private readonly byte?[] certain = new byte?[count];

        public void Write(int at, int length, byte value)
        {
            for (int i = at; i < at + length; i++)
            {
                values[i].Add(value);
                certain[i] = null;
            }
        }

        public void WriteDurably(int at, int length, byte value)
        {
            for (int i = at; i < at + length; i++)
            {
                values[i] = [value];
                certain[i] = value;
            }
        }

        public void SetLength(int length)
        {
            for (int i = length; i < count; i++)
            {
                values[i].Add(0);
                certain[i] = null;
            }
        }

        public void Check(byte[] content, string where)
        {
            for (int i = 0; i < count; i++)
            {
                byte? found = i < content.Length ? content[i] : null;
                bool isLegal = found is { } value ? values[i].Contains(value) : certain[i] is null;
                if (!isLegal) Assert.Fail($"{where}: byte {i} is {found}");
            }
        }
    }
}
