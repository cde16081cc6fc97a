using System.Globalization;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>Names a pack: what it holds, the session that wrote it, and its number there.</summary>
internal readonly record struct PackId(ObjectKind Kind, SessionId Session, uint Number) : IComparable<PackId>
{
    public const string DataPrefix = "data/";
    public const string TreesPrefix = "trees/";

    public static string Prefix(ObjectKind kind) => kind == ObjectKind.DataPack ? DataPrefix : TreesPrefix;

    public string ObjectName => $"{Prefix(Kind)}{Session}/{Number.ToString("x8", CultureInfo.InvariantCulture)}";

    public static bool TryParse(string objectName, out PackId id)
    {
        id = default;
        ObjectKind kind = objectName.StartsWith(DataPrefix, StringComparison.Ordinal) ? ObjectKind.DataPack
            : objectName.StartsWith(TreesPrefix, StringComparison.Ordinal) ? ObjectKind.TreePack
            : ObjectKind.Invalid;
        if (kind == ObjectKind.Invalid) return false;
        ReadOnlySpan<char> rest = objectName.AsSpan(Prefix(kind).Length);
        if (rest.Length != (2 * SessionId.Size) + 9 || rest[2 * SessionId.Size] != '/') return false;
        if (!SessionId.TryParse(rest[..(2 * SessionId.Size)], out SessionId session)) return false;
        // One name for one pack: the parser would also take capitals, and zeros behind the number.
        if (rest[^8..].ContainsAnyExcept(SessionId.HexDigits)) return false;
        if (!uint.TryParse(rest[^8..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint number)) return false;
        id = new PackId(kind, session, number);
        return true;
    }

    public int CompareTo(PackId other)
    {
        int byKind = Kind.CompareTo(other.Kind);
        if (byKind != 0) return byKind;
        int bySession = Session.CompareTo(other.Session);
        return bySession != 0 ? bySession : Number.CompareTo(other.Number);
    }

    public override string ToString() => ObjectName;
}
