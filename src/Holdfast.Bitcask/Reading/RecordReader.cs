using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask.Reading;

/// <summary>Reads the record at a place: from memory when it was checked since the store was opened, else by a call and its CRC.</summary>
/// <remarks>
/// Used inside a read of <see cref="ReadEpochs"/> or while the segment is held. One thread uses it at a time; kept for
/// the next read, so that reading allocates nothing.
/// </remarks>
internal sealed unsafe class RecordReader : IRecordMatch
{
    private const int KeptBytes = 256 << 10;

    [ThreadStatic]
    private static RecordReader? spare;

    private SegmentedLog log = null!;
    private IReadOnlyDictionary<uint, LogSegment>? held;
    private ReadEpochs? epochs;
    private uint firstOwnSegment;
    private bool checks;
    private byte[] buffer = new byte[4096];
    private byte* payload;
    private int payloadBytes;
    private HoldfastException? damage;

    /// <summary>Where the record lies that was read last.</summary>
    public Location Location { get; private set; }

    /// <summary>Its segment.</summary>
    public LogSegment? Segment { get; private set; }

    /// <summary>Whether it was checked just now, not before.</summary>
    public bool IsNewlyVerified { get; private set; }

    /// <summary>Its header.</summary>
    public RecordHeader Header { get; private set; }

    /// <summary>Its payload; valid until the next record is read, and no longer than the segment is held.</summary>
    public ReadOnlySpan<byte> Payload => payload is null ? buffer.AsSpan(LogSegment.FrameHeaderBytes, payloadBytes) : new(payload, payloadBytes);

    /// <summary>Its key.</summary>
    public ReadOnlySpan<byte> Key => Header.KeyOf(Payload);

    /// <summary>Its value.</summary>
    public ReadOnlySpan<byte> Value => Payload[Header.ValueOffset..];

    /// <summary>Whether the payload lies in the mapped segment, not in a copy.</summary>
    public bool IsMapped => payload != null;

    /// <summary>Takes the reader of this thread.</summary>
    /// <param name="log">Where records lie.</param>
    /// <param name="firstOwnSegment">Segments from this number on were written since the store was opened.</param>
    /// <param name="checks">Whether records must be whole: to return their values. If not, only keys are compared.</param>
    public static RecordReader Rent(SegmentedLog log, uint firstOwnSegment, bool checks)
    {
        RecordReader reader = spare ?? new RecordReader();
        spare = null;
        reader.Begin(log, null, firstOwnSegment, checks);
        return reader;
    }

    /// <summary>Takes the reader of this thread for records in segments that the caller holds.</summary>
    public static RecordReader Rent(SegmentedLog log, IReadOnlyDictionary<uint, LogSegment> held, bool checks)
    {
        RecordReader reader = spare ?? new RecordReader();
        spare = null;
        reader.Begin(log, held, uint.MaxValue, checks);
        return reader;
    }

    /// <summary>A reader to keep, for records in segments that the caller holds.</summary>
    public static RecordReader Create(SegmentedLog log, IReadOnlyDictionary<uint, LogSegment> held)
    {
        var reader = new RecordReader();
        reader.Begin(log, held, uint.MaxValue, wholeRecords: true);
        return reader;
    }

    /// <summary>A reader to keep, for comparing keys by one who is in no read of the epochs.</summary>
    public static RecordReader Create(SegmentedLog log, uint firstOwnSegment, ReadEpochs enters)
    {
        var reader = new RecordReader();
        reader.Begin(log, null, firstOwnSegment, wholeRecords: false);
        reader.epochs = enters;
        return reader;
    }

    /// <summary>Forgets which record it compared last.</summary>
    public void Forget() => Location = default;

    /// <summary>Gives it back.</summary>
    public void Return()
    {
        if (buffer.Length > KeptBytes) buffer = new byte[4096];
        Segment = null;
        held = null;
        spare = this;
    }

    /// <inheritdoc/>
    public bool Matches(Location location, ReadOnlySpan<byte> key)
    {
        if (!checks) return epochs is null ? HasKey(location, key) : HasKeyInRead(epochs, location, key);
        try
        {
            return TryRead(location) && Key.SequenceEqual(key);
        }
        catch (HoldfastException found) when (found.Kind == ErrorKind.Damage)
        {
            // Most likely the record of this key; but one appended since may be another candidate.
            damage = found;
            return false;
        }
    }

    /// <summary>Reads the record at a place; false when its segment is gone: then the record was moved.</summary>
    /// <exception cref="HoldfastException">It is damaged.</exception>
    public bool TryRead(Location location)
    {
        Segment = Find(location.Segment);
        return Segment is not null && Read(Segment, location);
    }

    /// <summary>Reads the record at a place of a segment that the caller holds.</summary>
    public bool Read(LogSegment segment, Location location)
    {
        Segment = segment;
        Location = location;
        int frameBytes = (int)location.Length;
        payloadBytes = frameBytes - LogSegment.FrameHeaderBytes;
        byte* frame = location.IsVerified ? segment.TryGetPointer(location.Offset, frameBytes) : null;
        IsNewlyVerified = frame is null;
        if (frame is not null)
        {
            payload = frame + LogSegment.FrameHeaderBytes;
        }
        else
        {
            payload = null;
            Require(frameBytes);
            _ = segment.ReadFrame(location.Offset, buffer.AsSpan(0, frameBytes));
        }

        if (RecordHeader.TryDecode(Payload, out RecordHeader header))
        {
            Header = header;
            return true;
        }

        throw new HoldfastException(
            ErrorKind.Damage,
            $"{segment.Path}: byte {location.Offset}: not a record",
            "verify the whole store; restore what is lost from a backup");
    }

    /// <summary>What to throw when the record at a place is not that of the key which led there.</summary>
    public HoldfastException Misplaced(Location location) => new(
        ErrorKind.Damage,
        $"{Find(location.Segment)?.Path ?? log.Directory}: byte {location.Offset}: not of the key that leads here",
        "verify the whole store; restore what is lost from a backup");

    /// <summary>Throws if the search met damage that may have been what it looked for.</summary>
    public void ThrowIfDamaged()
    {
        if (damage is not null) throw new HoldfastException(damage.Kind, damage.Message, damage.Hint, damage);
    }

    private bool HasKeyInRead(ReadEpochs entered, Location location, ReadOnlySpan<byte> key)
    {
        int token = entered.Enter();
        try
        {
            return HasKey(location, key);
        }
        finally
        {
            entered.Exit(token);
        }
    }

    // Compares the key only. Of what was written since the store was opened the pages are in memory; anything else is
    // read by a call, whose error is an error and not a signal.
    private bool HasKey(Location location, ReadOnlySpan<byte> key)
    {
        LogSegment? segment = Find(location.Segment);
        if (segment is null) return false;
        int wanted = Math.Min((int)location.Length, LogSegment.FrameHeaderBytes + RecordHeader.MaxSize + key.Length);
        byte* frame = location.IsVerified || location.Segment >= firstOwnSegment
            ? segment.TryGetPointer(location.Offset, wanted)
            : null;
        ReadOnlySpan<byte> head;
        if (frame is not null)
        {
            head = new ReadOnlySpan<byte>(frame, wanted);
        }
        else
        {
            Require(wanted);
            if (!segment.TryReadUnchecked(location.Offset, buffer.AsSpan(0, wanted))) return false;
            head = buffer.AsSpan(0, wanted);
        }

        Location = location;
        return RecordHeader.TryDecodePrefix(head[LogSegment.FrameHeaderBytes..], out RecordHeader header)
            && SetHeader(header).KeyBytes == key.Length
            && header.KeyOf(head[LogSegment.FrameHeaderBytes..]).SequenceEqual(key);
    }

    private LogSegment? Find(uint number) => held is null ? log.Find(number) : held.GetValueOrDefault(number);

    private void Begin(
        SegmentedLog ofLog, IReadOnlyDictionary<uint, LogSegment>? ofHeld, uint firstOwn, bool wholeRecords)
    {
        log = ofLog;
        held = ofHeld;
        epochs = null;
        firstOwnSegment = firstOwn;
        checks = wholeRecords;
        damage = null;
        Segment = null;
        Location = default;
    }

    private RecordHeader SetHeader(in RecordHeader header) => Header = header;

    private void Require(int bytes)
    {
        if (buffer.Length < bytes) buffer = new byte[Math.Max(bytes, Math.Min(buffer.Length * 2, KeptBytes))];
    }
}
