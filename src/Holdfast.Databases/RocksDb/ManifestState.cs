using System.Text;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>What the records of a manifest ("version edits") add up to.</summary>
/// <remarks>
/// Tags and their fields are those of db/version_edit.h. Tags from <see cref="FirstIgnorable"/> on carry their length and may be skipped; any
/// other that is not known here may change what the files are, and is refused.
/// </remarks>
internal sealed class ManifestState(string path)
{
    private const int FirstIgnorable = 1 << 13;
    private const ulong BlobHeaderAndFooterBytes = 30 + 32;

    private readonly SortedDictionary<ulong, Family> families = new() { [0] = new Family { Name = RocksDatabase.DefaultFamily } };
    private readonly List<byte[]> group = [];
    private string? databaseId;
    private ulong lastSequence;

    private enum Tag
    {
        Comparator = 1,
        LogNumber = 2,
        NextFileNumber = 3,
        LastSequence = 4,
        CompactCursor = 5,
        DeletedFile = 6,
        NewFile = 7,
        PreviousLogNumber = 9,
        MinLogNumberToKeep = 10,
        NewFile2 = 100,
        NewFile3 = 102,
        NewFile4 = 103,
        ColumnFamily = 200,
        ColumnFamilyAdd = 201,
        ColumnFamilyDrop = 202,
        MaxColumnFamily = 203,
        InAtomicGroup = 300,
        BlobFileAddition = 400,
        BlobFileGarbage = 401,
        DatabaseId = FirstIgnorable + 1,
    }

    /// <summary>Adds the next record.</summary>
    /// <exception cref="HoldfastException">As in <see cref="RocksManifest.Read"/>.</exception>
    public void Add(ReadOnlySpan<byte> record)
    {
        Edit edit = Decode(record);
        if (edit.FollowingInGroup is null)
        {
            Apply(edit);
            return;
        }

        // A group counts when its last record is there, or not at all.
        group.Add(record.ToArray());
        if (edit.FollowingInGroup > 0) return;
        foreach (byte[] member in group) Apply(Decode(member));
        group.Clear();
    }

    /// <summary>What it is now.</summary>
    public RocksManifest ToManifest()
    {
        var files = new SortedDictionary<string, LiveFile>(StringComparer.Ordinal);
        foreach ((ulong id, Family family) in families)
        {
            ulong firstBlob = ulong.MaxValue;
            foreach ((ulong number, Table table) in family.Tables)
            {
                string name = RocksFiles.TableName(number);
                files[name] = new LiveFile(name, (long)table.Bytes, IsBlob: false, id);
                if (table.OldestBlob != 0) firstBlob = Math.Min(firstBlob, table.OldestBlob);
            }

            // RocksDB drops blob files that no table refers to any more without a record of it.
            foreach ((ulong number, Blobs blobs) in family.Blobs)
            {
                if (number < firstBlob || blobs.GarbageCount >= blobs.Count) continue;
                string name = RocksFiles.BlobName(number);
                files[name] = new LiveFile(name, (long)(blobs.Bytes + BlobHeaderAndFooterBytes), IsBlob: true, id);
            }
        }

        return new RocksManifest(
            databaseId, lastSequence, [.. files.Values], [.. families.Values.Select(family => new LiveFamily(family.Name, family.Comparator))]);
    }

    private void Apply(Edit edit)
    {
        databaseId = edit.DatabaseId ?? databaseId;
        lastSequence = Math.Max(lastSequence, edit.LastSequence);
        if (edit.IsDrop)
        {
            families.Remove(edit.FamilyId);
            return;
        }

        if (edit.AddedName is not null) families[edit.FamilyId] = new Family { Name = edit.AddedName };
        if (!families.TryGetValue(edit.FamilyId, out Family? family)) return;
        family.Comparator = edit.Comparator ?? family.Comparator;
        foreach (ulong number in edit.Deleted) family.Tables.Remove(number);
        foreach ((ulong number, Table table) in edit.Tables) family.Tables[number] = table;
        foreach ((ulong number, Blobs blobs) in edit.Blobs) family.Blobs[number] = blobs;
        foreach ((ulong number, ulong count) in edit.Garbage)
        {
            if (family.Blobs.TryGetValue(number, out Blobs blobs)) family.Blobs[number] = blobs with { GarbageCount = blobs.GarbageCount + count };
        }
    }

    private Edit Decode(ReadOnlySpan<byte> record)
    {
        var reader = new ByteReader(record);
        var edit = new Edit();
        while (!reader.IsAtEnd)
        {
            if (!reader.TryVarint(out ulong tag) || !TryField(ref reader, tag, edit)) throw Damage($"a record with tag {tag} is not whole");
        }

        return edit;
    }

    private bool TryField(ref ByteReader reader, ulong tag, Edit edit)
    {
        switch ((Tag)tag)
        {
            case Tag.LogNumber or Tag.PreviousLogNumber or Tag.NextFileNumber or Tag.MinLogNumberToKeep or Tag.MaxColumnFamily:
                return reader.TryVarint(out _);
            case Tag.LastSequence:
                bool hasSequence = reader.TryVarint(out ulong sequence);
                edit.LastSequence = sequence;
                return hasSequence;
            case Tag.ColumnFamily:
                bool hasFamily = reader.TryVarint(out ulong family);
                edit.FamilyId = family;
                return hasFamily;
            case Tag.ColumnFamilyDrop:
                edit.IsDrop = true;
                return true;
            case Tag.InAtomicGroup:
                bool hasCount = reader.TryVarint(out ulong following);
                edit.FollowingInGroup = following;
                return hasCount;
            case Tag.Comparator:
                return TryText(ref reader, out edit.Comparator);
            case Tag.ColumnFamilyAdd:
                return TryText(ref reader, out edit.AddedName);
            case Tag.DatabaseId:
                return TryText(ref reader, out edit.DatabaseId);
            case Tag.CompactCursor:
                return reader.TryVarint(out _) && reader.TryPrefixed(out _);
            case Tag.DeletedFile:
                bool hasFile = reader.TryVarint(out _) & reader.TryVarint(out ulong deleted);
                edit.Deleted.Add(deleted);
                return hasFile;
            case Tag.NewFile or Tag.NewFile2 or Tag.NewFile3 or Tag.NewFile4:
                return TryNewFile(ref reader, (Tag)tag, edit);
            case Tag.BlobFileAddition or Tag.BlobFileGarbage:
                return TryBlobFile(ref reader, (Tag)tag, edit);
            default:
                if (tag >= FirstIgnorable) return reader.TryPrefixed(out _);
                throw Unknown($"record {tag}");
        }
    }

    private bool TryNewFile(ref ByteReader reader, Tag tag, Edit edit)
    {
        ulong pathId = 0;
        if (!reader.TryVarint(out _) || !reader.TryVarint(out ulong number)) return false;
        if (tag == Tag.NewFile3 && !reader.TryVarint(out pathId)) return false;
        if (!reader.TryVarint(out ulong bytes) || !reader.TryPrefixed(out _) || !reader.TryPrefixed(out _)) return false;
        if (tag != Tag.NewFile && (!reader.TryVarint(out _) || !reader.TryVarint(out _))) return false;
        ulong oldestBlob = 0;
        if (tag == Tag.NewFile4 && !TryCustomFields(ref reader, ref pathId, ref oldestBlob)) return false;
        if (pathId != 0)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{path}: table {number} lies in another directory (db_paths or cf_paths), which its options do not tell",
                "let the program that owns the database take the checkpoint");
        }

        edit.Tables.Add((number, new Table(bytes, oldestBlob)));
        return true;
    }

    private bool TryCustomFields(ref ByteReader reader, ref ulong pathId, ref ulong oldestBlob)
    {
        const ulong End = 1, OldestBlob = 4, FirstNotIgnorable = 1 << 6, PathId = 65;
        while (reader.TryVarint(out ulong tag))
        {
            if (tag == End) return true;
            if (!reader.TryPrefixed(out ReadOnlySpan<byte> field)) return false;
            var value = new ByteReader(field);
            switch (tag)
            {
                case PathId:
                    if (field.Length != 1) return false;
                    pathId = field[0];
                    break;
                case OldestBlob:
                    if (!value.TryVarint(out oldestBlob)) return false;
                    break;
                case >= FirstNotIgnorable:
                    throw Unknown($"field {tag} of a table");
            }
        }

        return false;
    }

    private bool TryBlobFile(ref ByteReader reader, Tag tag, Edit edit)
    {
        const ulong FirstNotIgnorable = 1 << 6;
        if (!reader.TryVarint(out ulong number) || !reader.TryVarint(out ulong count) || !reader.TryVarint(out ulong bytes)) return false;
        if (tag == Tag.BlobFileAddition)
        {
            if (!reader.TryPrefixed(out _) || !reader.TryPrefixed(out _)) return false;
            edit.Blobs.Add((number, new Blobs(count, bytes, 0)));
        }
        else
        {
            edit.Garbage.Add((number, count));
        }

        while (reader.TryVarint(out ulong field))
        {
            if (field == 0) return true;
            if (field >= FirstNotIgnorable) throw Unknown($"field {field} of a blob file");
            if (!reader.TryPrefixed(out _)) return false;
        }

        return false;
    }

    private static bool TryText(ref ByteReader reader, out string? text)
    {
        bool isThere = reader.TryPrefixed(out ReadOnlySpan<byte> bytes);
        text = isThere ? Encoding.UTF8.GetString(bytes) : null;
        return isThere;
    }

    private HoldfastException Damage(string what) =>
        new(ErrorKind.Damage, $"{path}: {what}", "restore the database from a restore point");

    private HoldfastException Unknown(string what) => new(
        ErrorKind.Failed, $"{path}: {what}: written by a RocksDB that is newer than this program",
        "let the program that owns the database take the checkpoint, or use a newer holdfast");

    private readonly record struct Table(ulong Bytes, ulong OldestBlob);

    private readonly record struct Blobs(ulong Count, ulong Bytes, ulong GarbageCount);

    private sealed class Family
    {
        public required string Name { get; init; }

        public string Comparator { get; set; } = "";

        public Dictionary<ulong, Table> Tables { get; } = [];

        public Dictionary<ulong, Blobs> Blobs { get; } = [];
    }

    private sealed class Edit
    {
        public string? Comparator;
        public string? AddedName;
        public string? DatabaseId;

        public ulong FamilyId { get; set; }

        public bool IsDrop { get; set; }

        public ulong? FollowingInGroup { get; set; }

        public ulong LastSequence { get; set; }

        public List<ulong> Deleted { get; } = [];

        public List<(ulong Number, Table Table)> Tables { get; } = [];

        public List<(ulong Number, Blobs Blobs)> Blobs { get; } = [];

        public List<(ulong Number, ulong Count)> Garbage { get; } = [];
    }
}
