using System.Buffers.Binary;
using System.Text;
using Holdfast.Bitcask.Hints;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Opening;
using Holdfast.Bitcask.Records;
using Holdfast.Bitcask.Tests.Hints;
using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Opening;

/// <summary>Reading segments in pieces finds what reading them entry by entry does.</summary>
public sealed class PieceScanTests
{
    private const string Directory = "/kv";
    private const long MinPieceBytes = 256;

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void PiecesTogetherHaveWhatTheWholeSegmentHas(int seed)
    {
        SimulatedHost host = WriteStore(seed);
        AssertPiecesAreTheWhole(host, $"seed {seed}", expectsDamage: false);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6)]
    public void PiecesOfADamagedSegmentReportTheSameDamageOnce(int seed)
    {
        SimulatedHost host = WriteStore(seed);
        var random = new Random(seed);
        foreach (string path in LogsOf(host))
        {
            byte[] bytes = ReadFile(host, path);
            for (int i = 0; i < 12; i++)
            {
                int at = random.Next(128, bytes.Length - LogSegment.SealBytes - 64);
                if (i % 2 == 0) bytes[at] ^= 1;
                else bytes.AsSpan(at, 64).Clear();
            }

            WriteFile(host, path, bytes);
        }

        AssertPiecesAreTheWhole(host, $"seed {seed}", expectsDamage: true);
    }

    [Fact]
    public void AFrameInsideAValueIsNoPlaceWhereAPieceBegins()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using (BitcaskStore store = BitcaskStore.Open(host, Directory, StoreTesting.Small with { SegmentBytes = 1 << 20, SealAtCloseBytes = 1 }))
        {
            store.Put("first", "1");
            store.Put("large", new string('.', 64 << 10));
            store.Put("last", "2");
        }

        string path = LogsOf(host)[0];
        byte[] bytes = ReadFile(host, path);
        int outer = bytes.AsSpan().IndexOf("large"u8) - RecordHeader.MinSize - LogSegment.FrameHeaderBytes;
        int length = LogSegment.FrameHeaderBytes + (int)(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(outer + 4)) & LogSegment.PayloadBytesMask);
        for (int at = outer + 256; at + 64 < outer + length; at += 64)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 4), (1u << 30) | 56);
            Seal(bytes, at, 64);
        }

        Seal(bytes, outer, length);
        WriteFile(host, path, bytes);
        AssertPiecesAreTheWhole(host, "crafted", expectsDamage: false);
    }

    private static SimulatedHost WriteStore(int seed)
    {
        SimulatedHost host = SimulatedHost.Create(seed);
        var random = new Random(seed);
        using BitcaskStore store = BitcaskStore.Open(host, Directory, StoreTesting.Small with { SegmentBytes = 32 << 10, SealAtCloseBytes = 1 });
        var batch = new WriteBatch();
        for (int i = 0; i < 1500; i++)
        {
            byte[] key = Encoding.ASCII.GetBytes($"{new string('k', random.Next(30))}{random.Next(300)}");
            byte[] value = new byte[random.Next(10) == 0 ? random.Next(3000) : random.Next(100)];
            random.NextBytes(value);
            switch (random.Next(8))
            {
                case 0: store.Delete(key); break;
                case 1: store.Sync(); break;
                case < 5: store.Put(key, value); break;
                default: batch.Put(key, value); break;
            }

            if (random.Next(20) != 0) continue;
            store.Write(batch);
            batch.Clear();
        }

        return host;
    }

    private static void AssertPiecesAreTheWhole(SimulatedHost host, string what, bool expectsDamage)
    {
        using SegmentedLog log = SegmentedLog.Open(host, Directory, new LogOptions { Purpose = "bitcask", ReadOnly = true });
        List<LogSegment> segments = [.. log.Segments.Where(segment => segment.IsSealed)];
        ulong seed = log.Id.High;
        int given = 0;
        bool isAnyDamaged = false;
        new PieceScan(seed, degree: 2, MinPieceBytes).Run(segments, (segment, found, damages) =>
        {
            using ScannedHints owned = found;
            var expected = new List<HintRecord>();
            ulong highest = 0;
            IReadOnlyList<LogDamage> expectedDamages = segment.Scan(
                (position, payload) =>
                {
                    if (!RecordHeader.TryDecode(payload, out RecordHeader header)) return;
                    ReadOnlySpan<byte> key = header.KeyOf(payload);
                    uint frameBytes = LogSegment.FrameHeaderBytes + (uint)payload.Length;
                    highest = Math.Max(highest, header.Sequence);
                    expected.Add(new HintRecord(
                        KeyHash.Of(key, seed), Encoding.Latin1.GetString(key), position.Offset, frameBytes, header.IsTombstone, header.Expiry.HasValue));
                },
                CancellationToken.None);
            Assert.Equal(segments[given++], segment);
            Assert.True(expected.OrderBy(record => record.Hash >> 54).SequenceEqual(HintRecord.Read(owned)), what);
            Assert.True(expectedDamages.SequenceEqual(damages), what);
            Assert.Equal(highest, owned.HighestSequence);
            isAnyDamaged |= damages.Count > 0;
        });
        Assert.Equal(segments.Count, given);
        Assert.True(given > 0, what);
        Assert.Equal(expectsDamage, isAnyDamaged);
    }

    // The checksum of the frame at an offset: docs/formats/log.md.
    private static void Seal(byte[] segment, int offset, int length)
    {
        Span<byte> position = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt32LittleEndian(position, (uint)offset);
        segment.AsSpan(12, sizeof(uint)).CopyTo(position[sizeof(uint)..]);
        uint crc = Crc32C.Append(Crc32C.Compute(segment.AsSpan(32, sizeof(ulong))), position);
        crc = Crc32C.Append(crc, segment.AsSpan(offset + sizeof(uint), length - sizeof(uint)));
        BinaryPrimitives.WriteUInt32LittleEndian(segment.AsSpan(offset), crc);
    }

    private static string[] LogsOf(SimulatedHost host) =>
    [
        .. host.Disk.Paths().Where(path => path.EndsWith(".log", StringComparison.Ordinal) && ReadFile(host, path).Length > 1024)
            .Order(StringComparer.Ordinal),
    ];

    private static byte[] ReadFile(SimulatedHost host, string path)
    {
        using IDiskFile file = host.Disk.TryOpen(path, DiskAccess.Read)!;
        byte[] bytes = new byte[file.Length];
        _ = file.Read(0, bytes);
        return bytes;
    }

    private static void WriteFile(SimulatedHost host, string path, byte[] content)
    {
        Assert.True(host.Disk.TryDelete(path));
        using IDiskFile file = host.Disk.CreateUnnamed(Directory);
        file.Write(0, content);
        file.Sync();
        Assert.True(host.Disk.TryPublish(file, path));
    }
}
