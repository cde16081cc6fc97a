using System.Buffers.Binary;
using System.Globalization;
using Holdfast.Log;

namespace Holdfast.Vault;

/// <summary>A backup session, and the restore point that it made: 16 random bytes.</summary>
/// <param name="Value">The bytes as a big-endian number.</param>
public readonly record struct SessionId(UInt128 Value) : IComparable<SessionId>
{
    /// <summary>Encoded size in bytes.</summary>
    public const int Size = 16;

    internal static readonly System.Buffers.SearchValues<char> HexDigits = System.Buffers.SearchValues.Create("0123456789abcdef");

    /// <summary>No session.</summary>
    public static SessionId None => default;

    /// <summary>Draws a new one.</summary>
    public static SessionId Create(IEntropy entropy)
    {
        ArgumentNullException.ThrowIfNull(entropy);
        Span<byte> bytes = stackalloc byte[Size];
        entropy.Fill(bytes);
        return Decode(bytes);
    }

    /// <summary>Reads 32 lower-case hex digits.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out SessionId id)
    {
        id = default;
        if (text.Length != 2 * Size || text.ContainsAnyExcept(HexDigits)) return false;
        id = new SessionId(UInt128.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        return true;
    }

    /// <summary>Reads the encoded form.</summary>
    public static SessionId Decode(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt128BigEndian(source));

    /// <summary>Writes the encoded form.</summary>
    public void Encode(Span<byte> target) => BinaryPrimitives.WriteUInt128BigEndian(target, Value);

    /// <inheritdoc/>
    public int CompareTo(SessionId other) => Value.CompareTo(other.Value);

    /// <summary>32 hex digits.</summary>
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>The first digits, as lists show it.</summary>
    public string ToShortString() => ToString()[..10];

    /// <summary>Lower in number.</summary>
    public static bool operator <(SessionId left, SessionId right) => left.Value < right.Value;

    /// <summary>Higher in number.</summary>
    public static bool operator >(SessionId left, SessionId right) => left.Value > right.Value;

    /// <summary>Not higher in number.</summary>
    public static bool operator <=(SessionId left, SessionId right) => left.Value <= right.Value;

    /// <summary>Not lower in number.</summary>
    public static bool operator >=(SessionId left, SessionId right) => left.Value >= right.Value;
}
