using System.Buffers.Binary;
using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>Told of each entry that a scan meets.</summary>
/// <param name="position">Where its frame begins.</param>
/// <param name="payload">Valid during the call only.</param>
public delegate void LogEntryHandler(LogPosition position, ReadOnlySpan<byte> payload);

/// <summary>Told of many entries that a scan meets at once.</summary>
/// <param name="first">Where the first frame begins.</param>
/// <param name="frames">
/// Frames of entries (docs/formats/log.md, "Frame"), whole and one behind the other; the last one's padding may be
/// missing. Valid during the call only.
/// </param>
public delegate void LogFramesHandler(LogPosition first, ReadOnlySpan<byte> frames);

/// <summary>One file of a log, for reading.</summary>
/// <remarks>
/// For any number of threads. It stays readable, and its file where it is, while somebody holds it
/// (<see cref="TryAcquire"/>), also after the log has dropped it.
/// </remarks>
public sealed unsafe class LogSegment
{
    /// <summary>What stands before each payload, bytes.</summary>
    public const int FrameHeaderBytes = Frame.HeaderBytes;

    /// <summary>What stands behind the entries of a sealed segment, bytes.</summary>
    public const int SealBytes = SegmentSeal.Size;

    /// <summary>The bits of the word at 4 of a frame that are the length of its payload.</summary>
    public const uint PayloadBytesMask = Frame.MaxPayloadBytes;

    private const long MaxCutSearchBytes = 1 << 20;

    private readonly SegmentedLog log;
    private readonly SegmentHeader header;
    private readonly uint seed;
    private IDiskFile? reader;
    private DiskMapping? mapping;
    private byte* mapped;
    private volatile SegmentAppender? appender;
    private long readable;
    private long fileBytes;
    private int references = 1;

    internal LogSegment(
        SegmentedLog log, string path, SegmentHeader header, IDiskFile reader, SegmentSeal? seal, long readable,
        long mappedBytes)
        : this(log, path, header)
    {
        this.readable = readable;
        Seal = seal;
        SetFile(reader, mappedBytes);
    }

    // One whose file has no name yet: its entries are in an appender's buffer.
    internal LogSegment(SegmentedLog log, string path, SegmentHeader header)
    {
        this.log = log;
        this.header = header;
        Path = path;
        HintPath = SegmentFiles.HintPathOf(path);
        seed = Frame.ChecksumSeed(header.Incarnation);
        readable = header.Length;
    }

    /// <summary>Its number: 1 or more, never used again.</summary>
    public uint Number => header.Number;

    /// <summary>Random, new for each use of a file.</summary>
    public ulong Incarnation => header.Incarnation;

    /// <summary>Where its file lies.</summary>
    public string Path { get; }

    /// <summary>Whether it is complete and will never change.</summary>
    public bool IsSealed => Seal is not null || IsSealDamaged;

    /// <summary>Length of its file as far as it is in use, bytes; buffers not included.</summary>
    public long Length => Seal is null || header.IsRing ? Readable : fileBytes;

    /// <summary>Where its entries begin, bytes.</summary>
    public int FirstOffset => header.Length;

    /// <summary>Where its entries end in the file, bytes.</summary>
    public long Readable => appender?.Written ?? Volatile.Read(ref readable);

    /// <summary>Where its entries end, those in buffers included, bytes; exact while <see cref="SegmentedLog.Gate"/> is held.</summary>
    public long End => appender?.Appended ?? Volatile.Read(ref readable);

    /// <summary>How many entries it has, by its seal; 0 for one that is not sealed or whose seal is damaged.</summary>
    public long EntryCount => Seal?.EntryCount ?? 0;

    /// <summary>Hash of the whole file (<see cref="ContentHash"/>); null when it is not known, but for reading it all.</summary>
    public byte[]? FileHash { get; set; }

    /// <summary>What whoever uses the log keeps with the segment.</summary>
    public object? Tag { get; set; }

    /// <summary>Whether another name was given to the file (a checkpoint): then it is never written again.</summary>
    public bool IsLinked { get; private set; }

    /// <summary>Where the hint of the segment lies, or would.</summary>
    public string HintPath { get; }

    /// <summary>Whether segments that this one replaces are still there: until then it cannot be replaced itself.</summary>
    public bool HasReplaced => Volatile.Read(ref replacedLeft) > 0;

    internal SegmentHeader Header => header;

    internal SegmentSeal? Seal { get; private set; }

    internal bool IsSealDamaged { get; init; }

    internal bool IsDropped { get; set; }

    internal bool IsBeingReplaced { get; set; }

    internal LogSegment? ReplacedBy { get; set; }

    internal bool HasFile => Volatile.Read(ref reader) is not null;

    internal IDiskFile Reader => reader ?? throw new InvalidOperationException($"{Path} was not begun");

    private int replacedLeft;

    /// <summary>Holds the segment; false when it is gone already. Each success needs a <see cref="Release"/>.</summary>
    public bool TryAcquire()
    {
        int now = Volatile.Read(ref references);
        while (now > 0)
        {
            int found = Interlocked.CompareExchange(ref references, now + 1, now);
            if (found == now) return true;
            now = found;
        }

        return false;
    }

    /// <summary>Lets go of the segment. The last one to do so after it was dropped closes and removes the file.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref references) > 0) return;
        mapping?.Dispose();
        reader?.Dispose();
        log.OnReleased(this);
    }

    /// <summary>Notes that the file has, or is about to get, another name.</summary>
    public void MarkLinked() => IsLinked = true;

    /// <summary>
    /// Where bytes of the file are in memory; null when they are not mapped, or still in a buffer. What is there was
    /// not checked.
    /// </summary>
    /// <remarks>
    /// An I/O error shows as SIGBUS here: read a frame once by <see cref="ReadFrame"/> before its bytes are used this
    /// way. Valid while the segment is held.
    /// </remarks>
    public byte* TryGetPointer(uint offset, int length) =>
        mapped != null && offset + (long)length <= Readable ? mapped + offset : null;

    /// <summary>Reads a frame and checks it.</summary>
    /// <param name="offset">Where it begins, bytes.</param>
    /// <param name="frame">As long as the frame without its padding; gets all of it.</param>
    /// <returns>The payload, a part of <paramref name="frame"/>.</returns>
    /// <exception cref="HoldfastException">Damage: the checksum does not fit; or the disk failed.</exception>
    public ReadOnlySpan<byte> ReadFrame(uint offset, Span<byte> frame)
    {
        if (!TryReadBuffered(offset, frame))
        {
            int read = Reader.Read(offset, frame);
            if (read < frame.Length) throw Damaged(offset, frame.Length, $"the file ends at {offset + read}");
        }

        if (!IsWhole(offset, frame)) throw Damaged(offset, frame.Length, "the checksum of the record does not fit");
        return frame[Frame.HeaderBytes..];
    }

    /// <summary>Whether bytes are the frame that was appended at an offset.</summary>
    public bool IsWhole(uint offset, ReadOnlySpan<byte> frame)
    {
        if (frame.Length < Frame.HeaderBytes) return false;
        uint crc = BinaryPrimitives.ReadUInt32LittleEndian(frame);
        uint word = BinaryPrimitives.ReadUInt32LittleEndian(frame[sizeof(uint)..]);
        if (Frame.KindOf(word) == FrameKind.None) return false;
        if (Frame.PayloadBytesOf(word) != frame.Length - Frame.HeaderBytes) return false;
        uint begun = Frame.BeginChecksum(seed, new LogPosition(Number, offset), word);
        return Crc32C.Append(begun, frame[Frame.HeaderBytes..]) == crc;
    }

    /// <summary>Reads a frame's payload without checking it: only to compare keys.</summary>
    /// <returns>False where the file has fewer bytes.</returns>
    public bool TryReadUnchecked(uint offset, Span<byte> target) =>
        TryReadBuffered(offset, target) || Reader.Read(offset, target) == target.Length;

    /// <summary>Reads all entries of a sealed segment in order.</summary>
    /// <returns>The damage met: those entries are missing.</returns>
    /// <param name="handler">Told of each entry whose group is whole.</param>
    /// <param name="cancellationToken">Looked at between entries.</param>
    public IReadOnlyList<LogDamage> Scan(LogEntryHandler handler, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(handler);
        long end = Readable;
        var damages = new List<LogDamage>();
        using var scanner = new SegmentScanner(Reader, Path, header, end, durable: end);
        while (true)
        {
            ScanStep step = scanner.Next();
            if (step == ScanStep.End) return damages;
            if (step == ScanStep.Damage) damages.Add(scanner.Damage!);
            else handler(scanner.Position, scanner.Payload);
            if ((scanner.EntryCount & 0xFFF) == 0) cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Reads the entries of a piece of a sealed segment in order, many at a time.</summary>
    /// <param name="from">Where a group begins, or 0 for the first.</param>
    /// <param name="to">Where a group begins that is of the next piece; beyond the end for the last piece.</param>
    /// <param name="handler">Told of the entries whose groups are whole.</param>
    /// <param name="end">
    /// Where the next piece has to begin: it is <paramref name="to"/>, or that was no place where a group begins; bytes.
    /// </param>
    /// <returns>The damage met: those entries are missing.</returns>
    public IReadOnlyList<LogDamage> ScanPiece(long from, long to, LogFramesHandler handler, out long end)
    {
        ArgumentNullException.ThrowIfNull(handler);
        long readTo = Readable;
        List<LogDamage>? damages = null;
        using var scanner = new SegmentScanner(Reader, Path, header, readTo, durable: readTo, from);
        while (scanner.NextOffset < to || !scanner.IsBetweenGroups)
        {
            ReadOnlySpan<byte> run = scanner.NextRun(to, out LogPosition first);
            if (!run.IsEmpty)
            {
                handler(first, run);
                continue;
            }

            ScanStep step = scanner.Next();
            if (step == ScanStep.End) break;
            if (step == ScanStep.Damage) (damages ??= []).Add(scanner.Damage!);
            else handler(scanner.Position, scanner.EntryFrame);
        }

        end = scanner.NextOffset;
        return damages ?? (IReadOnlyList<LogDamage>)[];
    }

    /// <summary>Finds where a sealed segment can be cut into pieces for <see cref="ScanPiece"/>.</summary>
    /// <param name="from">Where about, bytes.</param>
    /// <returns>
    /// Behind it and not far, if no group is long there; else -1. That the piece before ends there is not certain until
    /// that was read.
    /// </returns>
    public long FindCut(long from)
    {
        long end = Readable;
        from = Math.Max(header.Length, from & -Frame.Alignment);
        using var scanner = new SegmentScanner(Reader, Path, header, end, durable: end, from);
        return scanner.FindGroup(from, from + MaxCutSearchBytes);
    }

    /// <summary>Reads entries one by one, in order.</summary>
    /// <param name="end">Where to stop, bytes: the end of an entry, at most <see cref="Readable"/>. What is below is taken as durable.</param>
    /// <remarks>The caller holds the segment meanwhile.</remarks>
    public LogSegmentReader OpenReader(long end) => new(new SegmentScanner(Reader, Path, header, end, durable: end));

    /// <summary>The hash of the whole file: known since it was sealed, or by reading it.</summary>
    public byte[] GetFileHash() => FileHash ??= ContentHash.Of(Reader, Reader.Length);

    /// <summary>Reads the whole file and compares it with the hash in its seal.</summary>
    /// <returns>What is wrong; null when it is as it was sealed, or not sealed.</returns>
    public LogDamage? CheckHash()
    {
        if (Seal is null) return null;
        byte[] found = ContentHash.Of(Reader, Seal.End.Offset);
        return found.AsSpan().SequenceEqual(Seal.Hash)
            ? null
            : new LogDamage(Number, Path, 0, Seal.End.Offset, "the content does not fit the hash in the seal");
    }

    internal void Attach(SegmentAppender active) => appender = active;

    /// <summary>The file has its name. Before, nothing is read but what is buffered.</summary>
    internal void SetFile(IDiskFile file, long mappedBytes)
    {
        fileBytes = mappedBytes;
        mapping = file.TryMap(mappedBytes);
        if (mapping is not null) mapped = mapping.Start;
        Volatile.Write(ref reader, file);
    }

    internal void MarkSealed(SegmentSeal seal, byte[]? fileHash)
    {
        Volatile.Write(ref readable, seal.End.Offset);
        fileBytes = seal.End.Offset + SegmentSeal.Size;
        FileHash = fileHash;
        Seal = seal;
        appender = null;
    }

    /// <summary>The appender is gone, the segment stays as it is.</summary>
    internal void Detach(long end)
    {
        Volatile.Write(ref readable, end);
        appender = null;
    }

    internal void AddReplaced(int change) => Interlocked.Add(ref replacedLeft, change);

    private bool TryReadBuffered(uint offset, Span<byte> target)
    {
        SegmentAppender? active = appender;
        if (active is null || offset + target.Length <= active.Written) return false;
        lock (log.Gate) return appender is { } still && still.TryRead(offset, target);
    }

    private HoldfastException Damaged(uint offset, int length, string reason) => new(
        ErrorKind.Damage,
        new LogDamage(Number, Path, offset, length, reason).ToString(),
        "verify the whole store; restore what is lost from a backup");
}
