using System.Text;
using Holdfast.Bitcask.Hints;
using Holdfast.Bitcask.Records;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Hints;

/// <summary>A record of a segment that exists only as its hint.</summary>
internal sealed record HintRecord(
    ulong Hash, string Key, uint Offset, uint FrameBytes, bool IsTombstone = false, bool HasExpiry = false)
{
    public const ulong Incarnation = 77;
    public static readonly LogId LogId = new(1, 2);
    public static readonly byte[] SegmentHash = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    public long PaddedBytes => (FrameBytes + 7L) / 8 * 8;

    /// <summary>Records of random keys out of few, with random hashes out of few: many repeat, many collide.</summary>
    public static List<HintRecord> Random(Random random, int count, int keys, int hashes)
    {
        var records = new List<HintRecord>();
        uint offset = 64;
        for (int i = 0; i < count; i++)
        {
            string key = $"key {random.Next(keys)}";
            uint frameBytes = (uint)(20 + key.Length + random.Next(100));
            bool isTombstone = random.Next(4) == 0;
            bool hasExpiry = !isTombstone && random.Next(4) == 0;
            records.Add(new HintRecord(HashOf(key, hashes), key, offset, frameBytes, isTombstone, hasExpiry));
            offset += (frameBytes + 7) & ~7u;
        }

        return records;
    }

    /// <summary>One of a few hashes, spread over the stripes; always the same for a key.</summary>
    public static ulong HashOf(string key, int hashes)
    {
        ulong sum = 14695981039346656037;
        foreach (char letter in key) sum = (sum ^ letter) * 1099511628211;
        return (sum >> 8) % (ulong)hashes * (ulong.MaxValue / (ulong)hashes);
    }

    public static HintData Build(uint segment, IEnumerable<HintRecord> records)
    {
        using var builder = new HintBuilder(segment);
        ulong sequence = 0;
        foreach (HintRecord record in records)
        {
            (byte[] key, RecordHeader header) = record.AsNumber(++sequence);
            builder.Add(header, record.Hash, key, record.Offset, record.FrameBytes);
        }

        return builder.Build();
    }

    /// <summary>The same as reading the segment finds them.</summary>
    public static ScannedHints Scan(uint segment, IEnumerable<HintRecord> records)
    {
        var scanned = new ScannedPiece(1 << 20);
        ulong sequence = 0;
        foreach (HintRecord record in records)
        {
            (byte[] key, RecordHeader header) = record.AsNumber(++sequence);
            scanned.Add(header, record.Hash, key, record.Offset, record.FrameBytes);
        }

        return new ScannedHints(segment, [scanned]);
    }

    public static HintIdentity IdentityOf(uint segment) => new(LogId, segment, Incarnation, uint.MaxValue);

    /// <summary>A hint file with these records.</summary>
    public static IDiskFile Write(uint segment, IEnumerable<HintRecord> records)
    {
        using HintData data = Build(segment, records);
        IDiskFile file = new SimulatedDisk(1).CreateUnnamed("/");
        data.WriteTo(file, IdentityOf(segment), SegmentHash);
        return file;
    }

    /// <summary>What is left of each key, in the order of the file.</summary>
    public static List<HintRecord> LastOfEachKey(IEnumerable<HintRecord> records) =>
    [
        .. records.GroupBy(record => record.Key).Select(group => group.Last())
            .OrderBy(record => record.Hash).ThenBy(record => record.Key, StringComparer.Ordinal),
    ];

    public static List<HintRecord> Read(IHintSource source)
    {
        var records = new List<HintRecord>();
        using var buffer = new NativeBuffer();
        for (int stripe = 0; stripe < HintStripe.Count; stripe++)
        {
            int before = records.Count;
            AddTo(records, source.ReadStripe(stripe, buffer));
            Assert.All(records.Skip(before), record => Assert.Equal(stripe, (int)(record.Hash >> 54)));
        }

        return records;
    }

    public static unsafe void AddTo(List<HintRecord> records, HintEntries entries)
    {
        for (byte* at = entries.Start; at != entries.End; at = new HintEntry(at).End)
        {
            var entry = new HintEntry(at);
            records.Add(new HintRecord(
                entry.Hash,
                Encoding.Latin1.GetString(entry.Key),
                entry.Offset,
                entry.FrameBytes,
                entry.IsTombstone,
                entry.HasExpiry));
        }
    }

    private (byte[] Key, RecordHeader Header) AsNumber(ulong sequence)
    {
        byte[] key = Encoding.Latin1.GetBytes(Key);
        RecordKind kind = IsTombstone ? RecordKind.Delete : RecordKind.Put;
        return (key, new RecordHeader(sequence, kind, key.Length, HasExpiry ? 5 : null));
    }
}
