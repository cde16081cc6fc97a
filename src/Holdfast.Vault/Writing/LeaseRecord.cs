using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Writing;

/// <summary>What a lease says. Layout: docs/formats/vault.md, "Leases".</summary>
/// <param name="Time">When, by the clock of the session.</param>
/// <param name="Host">Who is at work.</param>
/// <param name="ProcessId">Which process of it.</param>
/// <param name="Honours">The session needs nothing that removals below this number condemn, but for what they moved.</param>
internal sealed record LeaseRecord(DateTimeOffset Time, string Host, long ProcessId, uint Honours)
{
    public const string Prefix = "leases/";

    private const int MaxBytes = 64 << 10;
    private const int NumberOffset = (2 * SessionId.Size) + 1;

    public static string Name(SessionId session, uint number) => $"{Prefix}{session}-{ObjectNumber.Text(number)}";

    public static bool TryParseName(string name, out SessionId session, out uint number)
    {
        session = default;
        number = 0;
        ReadOnlySpan<char> rest = name.AsSpan(Prefix.Length);
        return rest.Length > NumberOffset && rest[NumberOffset - 1] == '-' && SessionId.TryParse(rest[..(NumberOffset - 1)], out session)
            && ObjectNumber.TryParse(rest[NumberOffset..], out number);
    }

    /// <summary>Reads and verifies a lease; null when there is none of that name (any more).</summary>
    /// <exception cref="HoldfastException">Kind Damage: its bytes fail their check, or its writer is not known.</exception>
    public static async Task<LeaseRecord?> TryReadAsync(OpenVault vault, string name, CancellationToken cancellationToken)
    {
        byte[]? content = await vault.Store.TryGetAsync(name, MaxBytes, cancellationToken).ConfigureAwait(false);
        return content is null ? null : Decode(vault.Sealer.Open(ObjectKind.Lease, name, content).Body, name);
    }

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        UnixTime time = UnixTime.From(Time);
        writer.SignedVarint(time.Seconds);
        writer.Varint((ulong)time.Nanoseconds);
        writer.Text(Host);
        writer.Varint((ulong)ProcessId);
        writer.Varint(Honours);
        return writer.ToArray();
    }

    public static LeaseRecord Decode(ReadOnlySpan<byte> body, string name)
    {
        var reader = new ByteReader(body, name);
        long seconds = reader.SignedVarint();
        DateTimeOffset time = new UnixTime(seconds, (int)reader.Varint(999_999_999, "nanoseconds")).ToDateTimeOffset();
        string host = reader.Text();
        long processId = reader.Varint(long.MaxValue, "process");
        // A lease of before there were removals honours none.
        uint honours = reader.AtEnd ? 0 : (uint)reader.Varint(uint.MaxValue, "removal");
        reader.ExpectEnd();
        return new LeaseRecord(time, host, processId, honours);
    }
}
