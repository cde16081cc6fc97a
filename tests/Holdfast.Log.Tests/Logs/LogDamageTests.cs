using System.Numerics;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

/// Goal: what is damaged is told apart from a torn tail: entries that are not touched are found, what is lost is reported,
/// nothing is given that was not appended, and nothing is cut off that was known to be durable.
///
/// Method: each byte of a small log is changed, zeroed, and cut off with all behind it; larger pieces are exchanged.
public sealed class LogDamageTests
{
    private const int HeaderBytes = 64;
    private const int SectorBytes = 512;

    private static readonly LogOptions Options = LogPrograms.Small;
    private static readonly LogImage Whole = LogImage.Create(Options, seed: 1);

    public static TheoryData<string> Names => [LogImage.First, LogImage.Second, LogImage.Active];

    [Fact]
    public void ASegmentWhoseHeaderWasMendedTakesNothingMore()
    {
        LogImage changed = Whole.Copy();
        changed.Files[LogImage.Active][40] ^= 0x10;
        using SegmentedLog log = LogImage.Open(changed.ToDisk(), Options);
        Assert.Single(log.Damages);

        LogPosition position = log.Append("more"u8);

        Assert.True(position.Segment > 3);
        LogSegment mended = log.Find(3)!;
        Assert.True(mended.IsSealed);
        // The hash is that of the file as it is.
        Assert.Null(mended.CheckHash());
    }

    /// Without marks of what was durable there is no damage but torn tails.
    [Fact]
    public void EachSyncIsToldByTheNextAppend()
    {
        // The last entry but one was the first behind a sync.
        Assert.Equal(Whole.Entries.Keys.SkipLast(1).Last().Offset - 16, Whole.WatermarkOutside(0, 0));

        // Also the one that opening does: what was there before is known to be durable.
        LogImage image = LogImage.Create(Options, seed: 1);
        SimulatedDisk disk = image.ToDisk();
        using (SegmentedLog log = LogImage.Open(disk, Options)) log.Append("more"u8);
        image.Files[LogImage.Active] = LogImage.FilesOf(disk)[LogImage.Active];
        Assert.Equal(Whole.Files[LogImage.Active].Length, image.WatermarkOutside(0, 0));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AFlippedBitAnywhereLosesWhatItTouchesAndIsReported(string name)
    {
        for (int at = 0; at < Whole.Files[name].Length; at++)
        {
            LogImage changed = Whole.Copy();
            changed.Files[name][at] ^= (byte)(1 << (at * 5 % 8));
            Check(changed, name, at, at + 1, $"bit {at * 5 % 8} of byte {at} of {name} flipped");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AZeroedByteAnywhereLosesWhatItTouchesAndIsReported(string name)
    {
        for (int at = 0; at < Whole.Files[name].Length; at++)
        {
            if (Whole.Files[name][at] == 0) continue;
            LogImage changed = Whole.Copy();
            changed.Files[name][at] = 0;
            Check(changed, name, at, at + 1, $"byte {at} of {name} zeroed");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AZeroedRangeLosesWhatItTouchesAndIsReported(string name)
    {
        for (int at = 0; at < Whole.Files[name].Length; at += 24)
        {
            LogImage changed = Whole.Copy();
            int end = Math.Min(at + 100, changed.Files[name].Length);
            changed.Files[name].AsSpan(at, end - at).Clear();
            Check(changed, name, at, end, $"bytes {at} to {end} of {name} zeroed");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AFileCutOffAnywhereKeepsWhatIsBefore(string name)
    {
        int length = Whole.Files[name].Length;
        for (int at = 0; at < length; at++)
        {
            LogImage changed = Whole.Copy();
            changed.Files[name] = changed.Files[name][..at];
            Check(changed, name, at, length, $"{name} cut off at {at}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ExchangedSectorsLoseWhatTheyHoldAndAreReported(string name)
    {
        int sectors = Whole.Files[name].Length / SectorBytes;
        for (int a = 0; a < sectors; a++)
        {
            for (int b = a + 1; b < sectors; b++)
            {
                LogImage changed = Whole.Copy();
                byte[] bytes = changed.Files[name];
                Whole.Files[name].AsSpan(b * SectorBytes, SectorBytes).CopyTo(bytes.AsSpan(a * SectorBytes));
                Whole.Files[name].AsSpan(a * SectorBytes, SectorBytes).CopyTo(bytes.AsSpan(b * SectorBytes));
                Check(changed, name, a * SectorBytes, (b + 1) * SectorBytes, $"sectors {a} and {b} of {name} exchanged");
            }
        }
    }

    /// A frame knows where it belongs: elsewhere, and in another segment at the same offset, it is none.
    [Fact]
    public void AFrameCopiedElsewhereIsNone()
    {
        foreach ((LogPosition position, LogImage.Entry entry) in Whole.Entries)
        {
            ReadOnlySpan<byte> frame = Whole.Files[LogImage.NameOf(position)].AsSpan((int)position.Offset, entry.FrameBytes);
            foreach (string name in Whole.Files.Keys)
            {
                for (int at = HeaderBytes; at + frame.Length <= Whole.Files[name].Length; at += 40)
                {
                    if (at == position.Offset && name == LogImage.NameOf(position)) continue;
                    LogImage changed = Whole.Copy();
                    frame.CopyTo(changed.Files[name].AsSpan(at));
                    Check(changed, name, at, at + frame.Length, $"{position} copied to {at} of {name}");
                }
            }
        }
    }

    [Theory]
    [InlineData(LogImage.First, LogImage.Second)]
    [InlineData(LogImage.First, LogImage.Active)]
    [InlineData(LogImage.Second, LogImage.Active)]
    public void FilesThatChangedTheirNamesAreReported(string one, string other)
    {
        LogImage changed = Whole.Copy();
        (changed.Files[one], changed.Files[other]) = (changed.Files[other], changed.Files[one]);
        using SegmentedLog log = LogImage.Open(changed.ToDisk(), Options);
        Assert.Equal(2, log.Damages.Count);
        Found found = Read(log);
        Assert.Equal(
            Whole.Entries.Keys.Where(p => LogImage.NameOf(p) != one && LogImage.NameOf(p) != other), found.Entries.Keys);
    }

    [Fact]
    public void WithoutASegmentTheOthersAreFound()
    {
        foreach (string name in Whole.Files.Keys)
        {
            LogImage changed = Whole.Copy();
            changed.Files.Remove(name);
            using SegmentedLog log = LogImage.Open(changed.ToDisk(), Options);
            Assert.Equal(Whole.Entries.Keys.Where(p => LogImage.NameOf(p) != name), Read(log).Entries.Keys);
        }
    }

    [Fact]
    public void ASegmentOfAnotherLogIsReportedAndLeftAlone()
    {
        LogImage changed = Whole.Copy();
        byte[] foreign = LogImage.Create(Options, seed: 2).Files[LogImage.Second];
        changed.Files[LogImage.Second] = foreign;
        SimulatedDisk disk = changed.ToDisk();
        using SegmentedLog log = LogImage.Open(disk, Options);
        Assert.Contains("another log", Assert.Single(log.Damages).Reason, StringComparison.Ordinal);
        Assert.Equal(Whole.Entries.Keys.Where(p => p.Segment != 2), Read(log).Entries.Keys);
        Assert.Equal(foreign, LogImage.FilesOf(disk)[LogImage.Second]);
    }

    [Fact]
    public void ALogOfWhichNoHeaderCanBeReadIsRefused()
    {
        LogImage changed = Whole.Copy();
        foreach (byte[] bytes in changed.Files.Values) bytes.AsSpan(0, HeaderBytes).Clear();
        SimulatedDisk disk = changed.ToDisk();
        HoldfastException refused = Assert.Throws<HoldfastException>(() => LogImage.Open(disk, Options));
        Assert.Equal(ErrorKind.Damage, refused.Kind);
        Assert.Equal(changed.Files, LogImage.FilesOf(disk));
    }

    [Fact]
    public void TheHashOfASealedSegmentTellsEachFlippedBit()
    {
        for (int at = HeaderBytes; at < Whole.Files[LogImage.First].Length - HeaderBytes; at++)
        {
            LogImage changed = Whole.Copy();
            changed.Files[LogImage.First][at] ^= 0x10;
            using SegmentedLog log = LogImage.Open(changed.ToDisk(), Options);
            Assert.NotNull(log.Segments[0].CheckHash());
            Assert.Null(log.Segments[1].CheckHash());
        }
    }

    /// The frame behind a damaged one is found although nothing can be believed of the damaged one, however large it is.
    [Theory]
    [InlineData(100_000, 200_000, 300_000)]
    [InlineData(200_000, 70_000, 3)]
    [InlineData(1_000_000, 1_000_000, 1_000_000)]
    public void LargeEntriesBehindADamagedLengthAreFound(params int[] sizes)
    {
        var disk = new SimulatedDisk(seed: 3);
        LogOptions options = Options with { SegmentBytes = 16 << 20, Durability = Durability.None };
        var random = new Random(3);
        var positions = new List<LogPosition>();
        using (SegmentedLog log = LogImage.Open(disk, options))
        {
            for (int i = 0; i < 12; i++)
            {
                byte[] payload = new byte[sizes[i % sizes.Length]];
                random.NextBytes(payload);
                positions.Add(log.Append(payload));
            }

            _ = log.Seal();
        }

        using (IDiskFile file = disk.TryOpen("/log/00000001.log", DiskAccess.ReadWrite)!)
        {
            file.Write(positions[1].Offset, [1, 2, 3, 4, 5, 6, 7, 0x48]);
        }

        using SegmentedLog damaged = LogImage.Open(disk, options);
        Found found = Read(damaged);
        Assert.Single(found.Damages);
        Assert.Equal(positions.Where((_, i) => i != 1), found.Entries.Keys);
    }

    private static void Check(LogImage changed, string name, int from, int to, string what)
    {
        try
        {
            CheckOnce(changed, name, from, to);
        }
        catch (Exception reason)
        {
            throw new InvalidOperationException($"{what}: {reason.Message}", reason);
        }
    }

    private static void CheckOnce(LogImage changed, string name, int from, int to)
    {
        SimulatedDisk disk = changed.ToDisk();
        Found readOnly;
        using (SegmentedLog log = LogImage.Open(disk, Options with { ReadOnly = true })) readOnly = Read(log);
        Assert.Equal(changed.Files, LogImage.FilesOf(disk));

        Found found;
        using (SegmentedLog log = LogImage.Open(disk, Options))
        {
            found = Read(log);
            Assert.Equal(readOnly.Entries.Keys, found.Entries.Keys);
            Assert.Equal(readOnly.Damages, found.Damages);
            bool mayBeTorn = name == LogImage.Active && from >= Whole.WatermarkOutside(from, to);
            bool isHeaderLost = from < HeaderBytes && !IsOneBit(changed, name);
            foreach ((LogPosition position, LogImage.Entry entry) in Whole.Entries)
            {
                if (found.Entries.Remove(position, out byte[]? payload))
                {
                    Assert.Equal(entry.Payload, payload);
                    continue;
                }

                Assert.True(LogImage.NameOf(position) == name, $"{position} is lost, in another file");
                bool isTouched = isHeaderLost || (position.Offset < to && position.Offset + entry.FrameBytes > from);
                bool isBehind = mayBeTorn && GroupEnd(entry.Group) > from;
                Assert.True(isTouched || isBehind, $"{position} is lost");
                Assert.True(mayBeTorn || found.Damages.Count > 0, $"{position} is lost without a word");
            }

            Assert.Empty(found.Entries);
            if (from < HeaderBytes) Assert.NotEmpty(log.Damages);
            if (found.Damages.Count > 0 && name != LogImage.Active) Assert.Null(log.TornTail);
        }

        if (from % 5 == 0) GoOn(disk, readOnly);
    }

    // It takes entries, and whoever opens it next sees what was seen before.
    private static void GoOn(SimulatedDisk disk, Found before)
    {
        byte[] added = [1, 2, 3];
        LogPosition position;
        using (SegmentedLog log = LogImage.Open(disk, Options)) position = log.Append(added);
        Assert.True(before.Entries.Keys.All(p => p < position), $"{position} is used again");
        using SegmentedLog again = LogImage.Open(disk, Options);
        Assert.Null(again.TornTail);
        Found found = Read(again);
        Assert.Equal(before.Entries.Keys.Append(position), found.Entries.Keys);
        Assert.Equal(added, found.Entries[position]);
    }

    private static long GroupEnd(LogPosition group) =>
        Whole.Entries.Where(e => e.Value.Group == group).Max(e => e.Key.Offset + e.Value.FrameBytes);

    private static bool IsOneBit(LogImage changed, string name)
    {
        byte[] was = Whole.Files[name];
        byte[] now = changed.Files[name];
        return was.Length == now.Length && was.Zip(now, (a, b) => BitOperations.PopCount((uint)(a ^ b))).Sum() == 1;
    }

    private static Found Read(SegmentedLog log)
    {
        var entries = new SortedDictionary<LogPosition, byte[]>();
        var damages = new List<LogDamage>(log.Damages);
        using LogReader reader = log.OpenReader(default, LogReadBound.Appended);
        while (reader.TryRead())
        {
            if (reader.Damage is { } damage)
            {
                if (!damages.Contains(damage)) damages.Add(damage);
            }
            else entries.Add(reader.Position, reader.Payload.ToArray());
        }

        return new Found(entries, damages);
    }

    private sealed record Found(SortedDictionary<LogPosition, byte[]> Entries, List<LogDamage> Damages);
}
