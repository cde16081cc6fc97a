using System.Buffers.Binary;
using Holdfast.Bitcask.Hints;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Hints;

public sealed class HintFileTests
{
    private const uint Segment = 0x1234;

    // What is between the first byte of the hash and a key of one byte.
    private const string Entry = "0000000000000040000000160000000100";

    [Theory, InlineData(1), InlineData(20260101)]
    public void AHintFileReadsAsItWasWritten(int seed)
    {
        List<HintRecord> records = HintRecord.Random(new Random(seed), 3000, 2000, 4000);

        using HintFile file = Open(HintRecord.Write(Segment, records));

        List<HintRecord> expected = HintRecord.LastOfEachKey(records);
        Assert.Equal(expected, ReadAll(file));
        HintHeader header = file.Header;
        Assert.Equal(HintRecord.IdentityOf(Segment), header.Identity);
        Assert.Equal(HintRecord.SegmentHash, header.SegmentHash.ToArray());
        Assert.Equal((3000L, 3000UL, (long)expected.Count), (header.Records, header.HighestSequence, header.Entries));
    }

    [Fact]
    public void TheBytesAreThoseOfTheFormat()
    {
        var record = new HintRecord(0xFFC0_0000_0000_0001, "k", 64, 21, IsTombstone: true);
        using IDiskFile file = HintRecord.Write(0x0A0B, [record]);
        byte[] bytes = Bytes(file);

        Assert.Equal(16504 + 19, bytes.Length);
        Assert.Equal("4846" + "4c4f47484e54" + "0100" + "0000" + "0b0a0000", Convert.ToHexStringLower(bytes[..16]));
        Assert.Equal(HintRecord.Incarnation, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(32)));
        Assert.Equal(uint.MaxValue, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(40)));
        Assert.Equal(HintRecord.SegmentHash, bytes[48..80]);
        for (int i = 0; i < 4; i++)
        {
            ulong expected = i < 3 ? 1u : 19u;
            Assert.Equal(expected, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(80 + (i * 8))));
        }

        ReadOnlySpan<byte> last = bytes.AsSpan(120 + (1023 * 16));
        Assert.Equal(1u, BinaryPrimitives.ReadUInt32LittleEndian(last[8..]));
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(16504)), BinaryPrimitives.ReadUInt32LittleEndian(last[12..]));
        Assert.Equal("010000000000c0ff" + "41000000" + "15000000" + "0100" + "6b", Convert.ToHexStringLower(bytes[16504..]));
    }

    [Fact]
    public void AnyByteThatIsChangedIsNoticed()
    {
        using IDiskFile file = HintRecord.Write(Segment, HintRecord.Random(new Random(1), 20, 20, 100));
        byte[] whole = Bytes(file);
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] damaged = [.. whole];
            damaged[i] ^= (byte)(1 << (i % 8));
            using HintFile? opened = HintFile.TryOpen(FileOf(damaged), HintRecord.IdentityOf(Segment), out string reason);
            if (i < HintHeader.Size)
            {
                Assert.True(opened is null, $"byte {i}");
                Assert.NotEqual("", reason);
            }
            else
            {
                Assert.NotNull(opened);
                Assert.Equal(1, DamagedStripes(opened));
            }
        }
    }

    [Fact]
    public void AFileOfAnotherLengthIsRefused()
    {
        using IDiskFile file = HintRecord.Write(Segment, HintRecord.Random(new Random(1), 20, 20, 100));
        byte[] whole = Bytes(file);
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Null(HintFile.TryOpen(FileOf(whole[..length]), HintRecord.IdentityOf(Segment), out string reason));
            Assert.NotEqual("", reason);
        }

        Assert.Null(HintFile.TryOpen(FileOf([.. whole, 0]), HintRecord.IdentityOf(Segment), out _));
    }

    [Fact]
    public void AFileThatIsCutAfterItWasOpenedHasADamagedStripe()
    {
        IDiskFile file = HintRecord.Write(Segment, HintRecord.Random(new Random(1), 200, 200, 1000));
        using HintFile opened = Open(file);
        file.SetLength(file.Length - 1);
        Assert.Equal(1, DamagedStripes(opened));
    }

    [Theory]
    [InlineData("log", "it is of another log")]
    [InlineData("segment", "it is of segment 00001234, not 00001235")]
    [InlineData("incarnation", "it is of another use of the segment's file")]
    [InlineData("length", "it is of a segment of 4294967295 bytes, which has 4294967294")]
    public void AHintOfAnotherSegmentIsRefused(string other, string expected)
    {
        HintIdentity own = HintRecord.IdentityOf(Segment);
        HintIdentity asked = other switch
        {
            "log" => own with { LogId = new LogId(0, 5) },
            "segment" => own with { Segment = Segment + 1 },
            "incarnation" => own with { Incarnation = 1 },
            _ => own with { SegmentBytes = own.SegmentBytes - 1 },
        };
        using IDiskFile file = HintRecord.Write(Segment, []);
        Assert.Null(HintFile.TryOpen(file, asked, out string reason));
        Assert.Equal(expected, reason);
    }

    [Theory]
    [InlineData(2, "version 2, written by a newer Holdfast; this one reads version 1")]
    [InlineData(0, "version 0, which no Holdfast wrote; this one reads version 1")]
    public void AnotherVersionIsRefusedByItsName(int version, string expected)
    {
        using IDiskFile file = HintRecord.Write(Segment, []);
        file.Write(8, [(byte)version]);
        Assert.Null(HintFile.TryOpen(file, HintRecord.IdentityOf(Segment), out string reason));
        Assert.Equal(expected, reason);
    }

    [Theory]
    [InlineData(10, 2, 1)]                              // a zero that is none
    [InlineData(112, 4, 1)]                             // the other
    [InlineData(88, 8, 0)]                              // fewer records than entries
    [InlineData(88, 8, -1)]
    [InlineData(96, 8, -1)]
    [InlineData(96, 8, 1L << 60)]
    [InlineData(104, 8, -1)]
    [InlineData(104, 8, long.MaxValue)]                 // entries longer than any file
    [InlineData(104, 8, 0)]
    [InlineData(40, 8, -1)]
    [InlineData(120, 8, 8)]                             // the first stripe not at the start
    [InlineData(120 + (5 * 16), 8, -1)]
    [InlineData(120 + (5 * 16), 8, long.MaxValue)]
    [InlineData(120 + 8, 4, uint.MaxValue)]             // more entries than fit
    public void AHeaderThatLiesUnderARightCrcIsRefused(int offset, int size, long value)
    {
        using IDiskFile file = HintRecord.Write(Segment, HintRecord.Random(new Random(1), 20, 20, 100));
        byte[] bytes = Bytes(file);
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, value);
        number[..size].CopyTo(bytes.AsSpan(offset));
        SetHeaderCrc(bytes);
        Assert.Null(HintFile.TryOpen(FileOf(bytes), HintRecord.IdentityOf(Segment), out string reason));
        Assert.NotEqual("", reason);
    }

    [Theory]
    [InlineData("", 1, "no entry where one is promised")]
    [InlineData("010000000000000040000000160000000200", 1, "an entry that ends before its key")]
    [InlineData("010000000000000040000000160000000200" + "6b", 1, "half a key")]
    [InlineData("010000000000000040000000160000000000" + "6b", 1, "a key of no bytes")]
    [InlineData("010000000000000040000000160000000100" + "6b6b", 1, "a byte too many")]
    [InlineData("010000000000000044000000160000000100" + "6b", 1, "an offset between frames")]
    [InlineData("010000000000000040000000140000000100" + "6b", 1, "a frame too short for its record")]
    [InlineData("0100000000000000f8ffffff160000000100" + "6b", 1, "a frame behind the segment's end")]
    [InlineData("010000000000400040000000160000000100" + "6b", 1, "a hash of another stripe")]
    [InlineData("02" + Entry + "6b01" + Entry + "6c", 2, "hashes out of order")]
    [InlineData("01" + Entry + "6c01" + Entry + "6b", 2, "keys out of order")]
    [InlineData("01" + Entry + "6b01" + Entry + "6b", 2, "a key twice")]
    [InlineData("01" + Entry + "6b01" + Entry + "6c", 1, "more entries than promised")]
    public void EntriesThatCannotBeUnderARightCrcAreRefused(string entries, int count, string what)
    {
        byte[] bytes = Convert.FromHexString(entries);
        unsafe
        {
            fixed (byte* start = new byte[bytes.Length + 1])
            {
                bytes.CopyTo(new Span<byte>(start, bytes.Length));
                using var items = new StripeItems();
                items.Begin(2);
                var stripe = new HintEntries(start, start + bytes.Length, (uint)count);
                SegmentUsage usage = default;
                Assert.False(items.TryCollect(stripe, 0, 0, uint.MaxValue, isSorted: true, ref usage), what);
            }
        }
    }

    [Fact]
    public void ADamagedStripeIsMadeAnewFromTheSegment()
    {
        List<HintRecord> records = HintRecord.Random(new Random(1), 500, 300, 1000);
        IDiskFile file = HintRecord.Write(Segment, records);
        file.Write(file.Length - 1, "?"u8);
        int rebuilds = 0;
        using var source = new RepairedHints(Open(file), () =>
        {
            rebuilds++;
            return HintRecord.Build(Segment, records);
        });

        Assert.Equal(HintRecord.LastOfEachKey(records), HintRecord.Read(source));
        Assert.Equal(HintRecord.LastOfEachKey(records), HintRecord.Read(source));

        Assert.Equal(1, rebuilds);
        Assert.NotNull(source.Rebuilt);
    }

    [Theory, InlineData(1), InlineData(20260101)]
    public void AnyDamageUnderRightCrcsIsRefusedOrReadWithoutACrash(int seed)
    {
        var random = new Random(seed);
        using IDiskFile file = HintRecord.Write(Segment, HintRecord.Random(random, 100, 80, 200));
        byte[] whole = Bytes(file);
        for (int i = 0; i < 2000; i++)
        {
            byte[] damaged = [.. whole];
            for (int flips = random.Next(1, 4); flips > 0; flips--)
            {
                damaged[random.Next(10, damaged.Length)] = (byte)random.Next(256);
            }

            for (int stripe = 0; stripe < HintStripe.Count; stripe++)
            {
                Span<byte> slot = damaged.AsSpan(120 + (stripe * 16));
                long start = 16504 + BinaryPrimitives.ReadInt64LittleEndian(slot);
                long end = stripe == 1023 ? damaged.Length : 16504 + BinaryPrimitives.ReadInt64LittleEndian(slot[16..]);
                if (start < 16504 || end < start || end > damaged.Length) continue;
                uint crc = Crc32C.Compute(damaged.AsSpan((int)start, (int)(end - start)));
                BinaryPrimitives.WriteUInt32LittleEndian(slot[12..], crc);
            }

            SetHeaderCrc(damaged);
            using HintFile? opened = HintFile.TryOpen(FileOf(damaged), HintRecord.IdentityOf(Segment), out _);
            if (opened is not null) DamagedStripes(opened);
        }
    }

    private static HintFile Open(IDiskFile file)
    {
        HintFile? opened = HintFile.TryOpen(file, HintRecord.IdentityOf(Segment), out string reason);
        Assert.Equal("", reason);
        return opened!;
    }

    private static List<HintRecord> ReadAll(HintFile file)
    {
        var records = new List<HintRecord>();
        using var buffer = new NativeBuffer();
        for (int stripe = 0; stripe < HintStripe.Count; stripe++)
        {
            Assert.True(file.TryReadStripe(stripe, buffer, out HintEntries entries));
            HintRecord.AddTo(records, entries);
        }

        return records;
    }

    private static int DamagedStripes(HintFile file)
    {
        using var buffer = new NativeBuffer();
        using var items = new StripeItems();
        int damaged = 0;
        for (int stripe = 0; stripe < HintStripe.Count; stripe++)
        {
            bool isWhole = file.TryReadStripe(stripe, buffer, out HintEntries entries);
            if (isWhole)
            {
                items.Begin(entries.Count);
                SegmentUsage usage = default;
                isWhole = items.TryCollect(entries, stripe, 0, uint.MaxValue, isSorted: true, ref usage);
            }

            if (!isWhole) damaged++;
        }

        return damaged;
    }

    private static void SetHeaderCrc(byte[] bytes)
    {
        bytes.AsSpan(116, 4).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(116), Crc32C.Compute(bytes.AsSpan(0, HintHeader.Size)));
    }

    private static byte[] Bytes(IDiskFile file)
    {
        byte[] bytes = new byte[file.Length];
        file.Read(0, bytes);
        return bytes;
    }

    private static IDiskFile FileOf(byte[] bytes)
    {
        IDiskFile file = new SimulatedDisk(1).CreateUnnamed("/");
        file.Write(0, bytes);
        return file;
    }
}
