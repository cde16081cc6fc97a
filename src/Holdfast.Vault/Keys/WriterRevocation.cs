using Holdfast.Vault.Bytes;

namespace Holdfast.Vault.Keys;

/// <summary>
/// Says that a writer is trusted no more, and what it wrote before that stands; signed by the first admin. Layout:
/// docs/formats/vault.md, "Writers".
/// </summary>
/// <param name="WriterId">Whose signature counts no more.</param>
/// <param name="Seconds">When, by the admin's clock; seconds since 1970.</param>
/// <param name="MarksBelow">Marks of lower numbers stand.</param>
/// <param name="RemovalsBelow">Removals of lower numbers stand.</param>
/// <param name="Points">Its restore points that stand, ascending, none twice.</param>
internal sealed record WriterRevocation(ulong WriterId, long Seconds, uint MarksBelow, uint RemovalsBelow, IReadOnlyList<SessionId> Points)
{
    /// <summary>In one object; where a writer made more points, several objects together name them.</summary>
    public const int MaxPoints = 65_536;

    public byte[] Encode()
    {
        var writer = new ByteWriter(64 + (Points.Count * SessionId.Size));
        writer.U8((byte)WriterStatementKind.Revocation);
        writer.U64(WriterId);
        writer.SignedVarint(Seconds);
        writer.U32(MarksBelow);
        writer.U32(RemovalsBelow);
        writer.Varint((ulong)Points.Count);
        foreach (SessionId point in Points) point.Encode(writer.Take(SessionId.Size));
        return writer.ToArray();
    }

    /// <summary>Reads what follows the kind.</summary>
    public static WriterRevocation Decode(ref ByteReader reader)
    {
        ulong writerId = reader.U64();
        long seconds = WriterStatement.DecodeTime(ref reader);
        uint marks = reader.U32(), removals = reader.U32();
        var points = new SessionId[reader.Count(SessionId.Size, "points")];
        for (int i = 0; i < points.Length; i++)
        {
            points[i] = SessionId.Decode(reader.Bytes(SessionId.Size));
            if (i > 0 && points[i - 1] >= points[i]) throw reader.Damage($"point {i}: out of order or twice");
        }

        reader.ExpectEnd();
        return new WriterRevocation(writerId, seconds, marks, removals, points);
    }
}
