using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Points;

/// <summary>What a mark says of its points. The value is on disk.</summary>
internal enum MarkKind : byte
{
    Invalid = 0,
    Forget = 1,
    Undelete = 2,
    Hold = 3,
    Release = 4,
    Condemn = 5,
}

/// <summary>What is said of some restore points after they were made. Layout: docs/formats/vault.md, "Marks".</summary>
/// <param name="Kind">What.</param>
/// <param name="Time">When, by the clock of who says it.</param>
/// <param name="Until">When a hold ends by itself; null for never, and for other kinds.</param>
/// <param name="Reason">Why; may be empty.</param>
/// <param name="Points">Which, ascending, none twice.</param>
internal sealed record PointMark(MarkKind Kind, DateTimeOffset Time, DateTimeOffset? Until, string Reason, IReadOnlyList<SessionId> Points)
{
    public const string Prefix = "marks/";
    public const int MaxPoints = 65_536;
    public const int MaxReasonBytes = 1024;

    /// <summary>Header, seal and signature come on top of the body.</summary>
    public const int MaxBytes = (MaxPoints * SessionId.Size) + MaxReasonBytes + 1024;

    public static string Name(uint number) => Prefix + ObjectNumber.Text(number);

    /// <summary>The highest number names no mark, so that each has a next one.</summary>
    public static bool TryParseName(string name, out uint number) => ObjectNumber.TryParse(name.AsSpan(Prefix.Length), out number);

    /// <summary>Reads and verifies a mark; null when it was removed meanwhile.</summary>
    /// <exception cref="HoldfastException">Kind Damage: its bytes fail their check, or its writer is not known.</exception>
    public static async Task<SignedMark?> TryReadAsync(OpenVault vault, ObjectEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Length > MaxBytes) throw new DamageException(entry.Name, $"{entry.Length} bytes, at most {MaxBytes} expected");
        byte[]? content = await vault.Store.TryGetAsync(entry.Name, MaxBytes, cancellationToken).ConfigureAwait(false);
        if (content is null) return null;
        (ObjectHeader header, byte[] body) = vault.Sealer.Open(ObjectKind.Mark, entry.Name, content);
        return new SignedMark(Decode(body, entry.Name), vault.Sealer.Writers.Find(header.WriterId)!);
    }

    public byte[] Encode()
    {
        var writer = new ByteWriter(64 + (Points.Count * SessionId.Size));
        writer.U8((byte)Kind);
        EncodeTime(writer, Time);
        writer.U8((byte)(Until is null ? 0 : 1));
        if (Until is { } until) EncodeTime(writer, until);
        writer.Text(Reason);
        writer.Varint((ulong)Points.Count);
        foreach (SessionId point in Points) point.Encode(writer.Take(SessionId.Size));
        return writer.ToArray();
    }

    public static PointMark Decode(ReadOnlySpan<byte> body, string name)
    {
        var reader = new ByteReader(body, name);
        var kind = (MarkKind)reader.U8();
        if (kind is not (MarkKind.Forget or MarkKind.Undelete or MarkKind.Hold or MarkKind.Release or MarkKind.Condemn)) throw reader.Damage($"mark of kind {(byte)kind}");
        DateTimeOffset time = DecodeTime(ref reader);
        byte hasUntil = reader.U8();
        if (hasUntil > 1 || (hasUntil == 1 && kind != MarkKind.Hold)) throw reader.Damage($"{hasUntil} where the end of a hold is announced");
        DateTimeOffset? until = hasUntil == 1 ? DecodeTime(ref reader) : null;
        string reason = reader.Text();
        var points = new SessionId[reader.Count(SessionId.Size, "points")];
        for (int i = 0; i < points.Length; i++)
        {
            points[i] = SessionId.Decode(reader.Bytes(SessionId.Size));
            if (i > 0 && points[i - 1] >= points[i]) throw reader.Damage($"point {i}: out of order or twice");
        }

        reader.ExpectEnd();
        return new PointMark(kind, time, until, reason, points);
    }

    private static void EncodeTime(ByteWriter writer, DateTimeOffset moment)
    {
        UnixTime time = UnixTime.From(moment);
        writer.SignedVarint(time.Seconds);
        writer.Varint((ulong)time.Nanoseconds);
    }

    private static DateTimeOffset DecodeTime(ref ByteReader reader)
    {
        long seconds = reader.SignedVarint();
        return new UnixTime(seconds, (int)reader.Varint(999_999_999, "nanoseconds")).ToDateTimeOffset();
    }
}

/// <summary>A mark, and who says so.</summary>
internal sealed record SignedMark(PointMark Mark, KnownWriter Writer);
