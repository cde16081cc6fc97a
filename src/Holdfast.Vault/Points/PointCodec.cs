using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Points;

/// <summary>The body of a restore point's object. Layout: docs/formats/vault.md, "Restore points".</summary>
internal static class PointCodec
{
    public const string Prefix = "points/";
    public const int MaxBytes = 16 << 20;
    private const int MaxRoots = 65_536;
    private const int MaxTags = 4096;

    /// <summary>Leads the origin, which only points have that were copied.</summary>
    private const byte OriginField = 1;

    /// <summary>Leads what is said of a database, which only points of databases have.</summary>
    private const byte DatabaseField = 2;

    public static string Name(SessionId id) => Prefix + id;

    public static byte[] Encode(RestorePoint point)
    {
        var writer = new ByteWriter(1024);
        UnixTime time = UnixTime.From(point.Time);
        writer.SignedVarint(time.Seconds);
        writer.Varint((ulong)time.Nanoseconds);
        writer.U8((byte)point.Kind);
        (point.Base ?? SessionId.None).Encode(writer.Take(SessionId.Size));
        point.References.Encode(writer.Take(SessionId.Size));
        writer.Text(point.Host);
        writer.Varint((ulong)point.Roots.Count);
        foreach (ReadOnlyMemory<byte> root in point.Roots) writer.ByteString(root.Span);
        writer.Varint((ulong)point.Tags.Count);
        foreach (string tag in point.Tags) writer.Text(tag);
        point.Tree.Encode(writer);
        point.Changes.Encode(writer);
        writer.Text(point.Program);
        BackupCounts counts = point.Counts;
        ReadOnlySpan<long> numbers =
        [
            counts.Files, counts.Directories, counts.Others, counts.Bytes, counts.FilesNew, counts.FilesChanged, counts.FilesUnmodified,
            counts.FilesDeleted, counts.BytesRead, counts.BytesAdded, counts.BytesStored, counts.Errors, (long)counts.Duration.TotalMilliseconds,
        ];
        foreach (long number in numbers) writer.Varint((ulong)number);
        if (point.Origin is { } origin)
        {
            writer.U8(OriginField);
            writer.Bytes(Convert.FromHexString(origin.Vault));
            origin.Point.Encode(writer.Take(SessionId.Size));
        }

        if (point.Database is { } database) Encode(writer, database);
        // What could not be read again must not be written.
        if (writer.Length > MaxBytes - 1024 || point.Roots.Count > MaxRoots || point.Tags.Count > MaxTags)
        {
            throw new HoldfastException(
                ErrorKind.Usage, $"a restore point of {point.Roots.Count} roots and {point.Tags.Count} tags, {writer.Length} bytes: at most {MaxRoots}, {MaxTags} and {MaxBytes} are possible",
                "back up fewer roots at once");
        }

        return writer.ToArray();
    }

    public static RestorePoint Decode(ReadOnlySpan<byte> body, SessionId id, DateTimeOffset received, bool byAdmin)
    {
        var reader = new ByteReader(body, Name(id));
        long seconds = reader.SignedVarint();
        DateTimeOffset time = new UnixTime(seconds, (int)reader.Varint(999_999_999, "nanoseconds")).ToDateTimeOffset();
        var kind = (PointKind)reader.U8();
        if (kind is not (PointKind.Full or PointKind.Differential or PointKind.Incremental)) throw reader.Damage($"point of kind {(byte)kind}");
        var basePoint = SessionId.Decode(reader.Bytes(SessionId.Size));
        var references = SessionId.Decode(reader.Bytes(SessionId.Size));
        string host = reader.Text();
        ReadOnlyMemory<byte>[] roots = DecodeRoots(ref reader);
        string[] tags = new string[reader.Count(1, "tags")];
        if (tags.Length > MaxTags) throw reader.Damage($"{tags.Length} tags, at most {MaxTags} expected");
        for (int i = 0; i < tags.Length; i++) tags[i] = reader.Text();
        Content tree = Content.Decode(ref reader), changes = Content.Decode(ref reader);
        string program = reader.Text();
        Span<long> n = stackalloc long[13];
        for (int i = 0; i < n.Length; i++) n[i] = reader.Varint(long.MaxValue, "count");
        byte field = NextField(ref reader, after: 0);
        PointOrigin? origin = field == OriginField ? DecodeOrigin(ref reader) : null;
        if (field == OriginField) field = NextField(ref reader, OriginField);
        PointDatabase? database = field == DatabaseField ? DecodeDatabase(ref reader) : null;
        reader.ExpectEnd();
        return new RestorePoint
        {
            Id = id,
            Time = time,
            Received = received,
            EffectiveTime = byAdmin ? time : received,
            Kind = kind,
            Base = basePoint == SessionId.None ? null : basePoint,
            Host = host,
            Roots = roots,
            Tags = tags,
            Program = program,
            Origin = origin,
            Database = database,
            References = references,
            Tree = tree,
            Changes = changes,
            Counts = new BackupCounts
            {
                Files = n[0],
                Directories = n[1],
                Others = n[2],
                Bytes = n[3],
                FilesNew = n[4],
                FilesChanged = n[5],
                FilesUnmodified = n[6],
                FilesDeleted = n[7],
                BytesRead = n[8],
                BytesAdded = n[9],
                BytesStored = n[10],
                Errors = n[11],
                Duration = TimeSpan.FromMilliseconds(Math.Min(n[12], (long)TimeSpan.MaxValue.TotalMilliseconds / 2)),
            },
        };
    }

    private static void Encode(ByteWriter writer, PointDatabase database)
    {
        writer.U8(DatabaseField);
        writer.Text(database.Engine);
        writer.Text(database.Id ?? "");
        writer.U8(database.Sequence is null ? (byte)0 : (byte)1);
        if (database.Sequence is { } sequence) writer.Varint(sequence);
        writer.U8((byte)database.Verified);
    }

    /// <summary>The next field behind the counts; 0 for none.</summary>
    private static byte NextField(ref ByteReader reader, byte after)
    {
        if (reader.AtEnd) return 0;
        byte field = reader.U8();
        return field > after && field is OriginField or DatabaseField ? field : throw reader.Damage($"field {field} behind the counts");
    }

    private static PointDatabase DecodeDatabase(ref ByteReader reader)
    {
        string engine = reader.Text(), id = reader.Text();
        byte hasSequence = reader.U8();
        if (hasSequence > 1) throw reader.Damage($"byte {hasSequence} before a sequence number");
        ulong? sequence = hasSequence == 1 ? reader.Varint() : null;
        byte verified = reader.U8();
        if (verified > (byte)CheckDepth.All) throw reader.Damage($"verification {verified}");
        return new PointDatabase(engine, id.Length == 0 ? null : id, sequence, (CheckDepth)verified);
    }

    private static PointOrigin DecodeOrigin(ref ByteReader reader)
    {
        string vault = Convert.ToHexStringLower(reader.Bytes(VaultDescriptor.IdBytes));
        return new PointOrigin(vault, SessionId.Decode(reader.Bytes(SessionId.Size)));
    }

    private static ReadOnlyMemory<byte>[] DecodeRoots(ref ByteReader reader)
    {
        int count = reader.Count(2, "roots");
        if (count > MaxRoots) throw reader.Damage($"{count} roots, at most {MaxRoots} expected");
        var roots = new ReadOnlyMemory<byte>[count];
        for (int i = 0; i < roots.Length; i++)
        {
            roots[i] = reader.ByteString().ToArray();
            bool isValid = DirectoryCodec.IsValidName(roots[i].Span, isPointRoot: true)
                && (i == 0 || roots[i - 1].Span.SequenceCompareTo(roots[i].Span) < 0);
            if (!isValid) throw reader.Damage($"root {i} is no absolute path, or not behind the one before");
        }

        return roots;
    }
}
