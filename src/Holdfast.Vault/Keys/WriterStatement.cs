using System.Globalization;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>What is said of a writer. The value is on disk.</summary>
internal enum WriterStatementKind : byte
{
    Invalid = 0,
    Certificate = 1,
    Revocation = 2,
}

/// <summary>The objects <c>writers/WRITER-RANDOM</c>. Layout: docs/formats/vault.md, "Writers".</summary>
/// <param name="Certificate">What was said, or null.</param>
/// <param name="Revocation">The same; one of the two is there.</param>
internal sealed record WriterStatement(WriterCertificate? Certificate, WriterRevocation? Revocation)
{
    public const string Prefix = "writers/";
    public const int MaxBytes = (WriterRevocation.MaxPoints * SessionId.Size) + 4096;

    private const int IdDigits = 16;

    public ulong WriterId => Certificate?.WriterId ?? Revocation!.WriterId;

    public static Task<string> PutAsync(IObjectStore store, ObjectSealer sealer, WriterCertificate certificate, CancellationToken cancellationToken) =>
        PutAsync(store, sealer, certificate.WriterId, certificate.Encode(), cancellationToken);

    public static Task<string> PutAsync(IObjectStore store, ObjectSealer sealer, WriterRevocation revocation, CancellationToken cancellationToken) =>
        PutAsync(store, sealer, revocation.WriterId, revocation.Encode(), cancellationToken);

    /// <summary>A writer's id as names of objects and lists show it.</summary>
    public static string IdText(ulong writerId) => writerId.ToString("x16", CultureInfo.InvariantCulture);

    public static bool IsName(string name) => TryParseName(name, out _);

    /// <summary>Whom the statement of a name tells of; false where it is no such name.</summary>
    public static bool TryParseName(string name, out ulong writerId)
    {
        writerId = 0;
        ReadOnlySpan<char> rest = name.AsSpan(Prefix.Length);
        return rest.Length == IdDigits + 1 + IdDigits && rest[IdDigits] == '-' && !rest[(IdDigits + 1)..].ContainsAnyExcept(SessionId.HexDigits)
            && !rest[..IdDigits].ContainsAnyExcept(SessionId.HexDigits)
            && ulong.TryParse(rest[..IdDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out writerId);
    }

    /// <summary>Seconds since 1970 that a date can have.</summary>
    public static long DecodeTime(ref ByteReader reader)
    {
        long seconds = reader.SignedVarint();
        bool isDate = seconds >= DateTimeOffset.MinValue.ToUnixTimeSeconds() && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds();
        return isDate ? seconds : throw reader.Damage($"time {seconds}");
    }

    public static WriterStatement Decode(ReadOnlySpan<byte> body, string name)
    {
        var reader = new ByteReader(body, name);
        var kind = (WriterStatementKind)reader.U8();
        WriterStatement statement = kind switch
        {
            WriterStatementKind.Certificate => new(WriterCertificate.Decode(ref reader), null),
            WriterStatementKind.Revocation => new(null, WriterRevocation.Decode(ref reader)),
            _ => throw reader.Damage($"statement of kind {(byte)kind}"),
        };
        // What is said of one writer under another's name was not meant so by whoever wrote it.
        if (!name.AsSpan(Prefix.Length).StartsWith(IdText(statement.WriterId))) throw reader.Damage($"tells of writer {IdText(statement.WriterId)}");
        return statement;
    }

    /// <summary>Puts a statement under a name that nobody else can have taken before.</summary>
    private static async Task<string> PutAsync(
        IObjectStore store, ObjectSealer sealer, ulong writerId, byte[] body, CancellationToken cancellationToken)
    {
        string name = NewName(writerId, sealer.Entropy);
        byte[] content = sealer.Seal(ObjectKind.Writer, name, body);
        PutOutcome outcome = await store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false);
        return outcome != PutOutcome.Taken ? name : throw new HoldfastException(ErrorKind.Failed, $"{name}: the name is taken", "run it again");
    }

    private static string NewName(ulong writerId, IEntropy entropy)
    {
        Span<byte> drawn = stackalloc byte[IdDigits / 2];
        entropy.Fill(drawn);
        return $"{Prefix}{IdText(writerId)}-{Convert.ToHexStringLower(drawn)}";
    }
}
