using System.Globalization;
using System.Text;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>
/// Who made a table, as the table itself says: database, session (one open of it) and number, none of which ever come together again.
/// </summary>
internal static class TableIdentity
{
    private const string PropertiesName = "rocksdb.properties";
    private const string DatabaseName = "rocksdb.creating.db.identity";
    private const string SessionName = "rocksdb.creating.session.identity";
    private const string NumberName = "rocksdb.original.file.number";

    // Of tables that were made outside of a database: one may be ingested twice, each time with a number written into it.
    private const string ExternalName = "rocksdb.external_sst_file.version";
    private const int MaxPartBytes = 128;

    /// <summary>The identity of a table; null when it does not say.</summary>
    /// <param name="file">Its footer and properties are read, not more.</param>
    public static string? TryRead(IDiskFile file)
    {
        Span<byte> end = stackalloc byte[TableFooter.MaxBytes];
        long length = file.Length;
        end = end[..file.Read(Math.Max(0, length - end.Length), end)];
        if (!TableFooter.TryRead(end, out TableFooter footer)) return null;
        if (TableBlock.TryRead(file, footer.MetaIndex) is not { } metaIndex || TableBlock.TryEntries(metaIndex) is not { } blocks) return null;
        if (!blocks.TryGetValue(PropertiesName, out byte[]? value)) return null;
        var reader = new ByteReader(value);
        if (!BlockHandle.TryRead(ref reader, out BlockHandle handle)) return null;
        if (TableBlock.TryRead(file, handle) is not { } block || TableBlock.TryEntries(block) is not { } properties) return null;
        return Of(properties, length);
    }

    private static string? Of(Dictionary<string, byte[]> properties, long length)
    {
        if (properties.ContainsKey(ExternalName)) return null;
        if (TextOf(properties, DatabaseName) is not { } database || TextOf(properties, SessionName) is not { } session) return null;
        if (!properties.TryGetValue(NumberName, out byte[]? encoded)) return null;
        var reader = new ByteReader(encoded);
        if (!reader.TryVarint(out ulong number) || number == 0) return null;
        return string.Create(CultureInfo.InvariantCulture, $"rocksdb-table:{database}:{session}:{number}:{length}");
    }

    private static string? TextOf(Dictionary<string, byte[]> properties, string name) =>
        properties.TryGetValue(name, out byte[]? bytes) ? AsPart(bytes) : null;

    /// <summary>An id as a part of an identity; null for what cannot be one.</summary>
    public static string? AsPart(ReadOnlySpan<byte> id)
    {
        if (id.IsEmpty || id.Length > MaxPartBytes) return null;
        foreach (byte character in id)
        {
            if (character is <= (byte)' ' or >= 0x7F or (byte)':') return null;
        }

        return Encoding.ASCII.GetString(id);
    }
}
