using System.Buffers.Binary;
using System.Globalization;
using Holdfast.Log;

namespace Holdfast.Vault;

/// <summary>A backup session, and the restore point that it made: 16 random bytes.</summary>
/// <param name="High">The first eight bytes as a big-endian number.</param>
/// <param name="Low">The other eight.</param>
/// <remarks>Not a <see cref="UInt128"/>: nothing that one is part of can be precompiled.</remarks>
public readonly record struct SessionId(ulong High, ulong Low) : IComparable<SessionId>
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
        Span<byte> bytes = stackalloc byte[Size];
        if (Convert.FromHexString(text, bytes, out _, out _) != System.Buffers.OperationStatus.Done) return false;
        id = Decode(bytes);
        return true;
    }

    /// <summary>Reads the encoded form.</summary>
    public static SessionId Decode(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(source), BinaryPrimitives.ReadUInt64BigEndian(source[8..]));

    /// <summary>Writes the encoded form.</summary>
    public void Encode(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, High);
        BinaryPrimitives.WriteUInt64BigEndian(target[8..], Low);
    }

    /// <inheritdoc/>
    public int CompareTo(SessionId other)
    {
        int byHigh = High.CompareTo(other.High);
        return byHigh != 0 ? byHigh : Low.CompareTo(other.Low);
    }

    /// <summary>32 hex digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");

    /// <summary>The first digits, as lists show it.</summary>
    public string ToShortString() => ToString()[..10];

    /// <summary>Lower in number.</summary>
    public static bool operator <(SessionId left, SessionId right) => left.CompareTo(right) < 0;

    /// <summary>Higher in number.</summary>
    public static bool operator >(SessionId left, SessionId right) => left.CompareTo(right) > 0;

    /// <summary>Not higher in number.</summary>
    public static bool operator <=(SessionId left, SessionId right) => left.CompareTo(right) <= 0;

    /// <summary>Not lower in number.</summary>
    public static bool operator >=(SessionId left, SessionId right) => left.CompareTo(right) >= 0;
}
