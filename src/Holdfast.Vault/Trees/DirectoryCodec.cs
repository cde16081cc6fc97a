using Holdfast.Files;
using Holdfast.Vault.Bytes;

namespace Holdfast.Vault.Trees;

/// <summary>What a tree chunk holds. The value is on disk.</summary>
internal enum TreeChunkKind : byte
{
    Invalid = 0,
    Directory = 1,
    ChunkList = 2,
    ChangeList = 3,
}

/// <summary>Encodes and decodes pieces of directories. Layout: docs/formats/vault.md, "Trees".</summary>
internal static class DirectoryCodec
{
    /// <summary>Longest name: 255 bytes on Linux's own file systems, on FAT and NTFS 255 characters of up to four bytes.</summary>
    public const int MaxNameBytes = 1023;

    private const uint MaxMode = 4095;
    private const int MaxNanoseconds = 999_999_999;

    /// <summary>Encodes consecutive entries as one tree chunk.</summary>
    public static void Encode(ByteWriter writer, ReadOnlySpan<TreeEntry> entries)
    {
        writer.Clear();
        writer.U8((byte)TreeChunkKind.Directory);
        EncodeOwners(writer, entries, static entry => (entry.Attributes.Uid, entry.UserName));
        EncodeOwners(writer, entries, static entry => (entry.Attributes.Gid, entry.GroupName));
        for (int i = 0; i < entries.Length; i++)
        {
            // What could not be decoded again must not be written: a whole directory would be lost with it.
            if (!IsValidName(entries[i].Name, isPointRoot: entries[i].Name is [(byte)'/', ..]) || !IsValid(entries[i].Attributes)
                || (i > 0 && entries[i - 1].Name.AsSpan().SequenceCompareTo(entries[i].Name) >= 0))
            {
                throw new InvalidOperationException($"\"{BytePath.Display(entries[i].Name)}\": an entry that could not be read again, or out of order");
            }

            EncodeEntry(writer, entries[i]);
        }
    }

    /// <summary>Decodes a directory's piece.</summary>
    /// <param name="chunk">The opened tree chunk.</param>
    /// <param name="thing">What it is part of, for messages.</param>
    /// <param name="isPointRoot">Whether names are absolute paths.</param>
    public static List<TreeEntry> Decode(ReadOnlySpan<byte> chunk, string thing, bool isPointRoot)
    {
        var reader = new ByteReader(chunk, thing);
        var kind = (TreeChunkKind)reader.U8();
        if (kind != TreeChunkKind.Directory) throw reader.Damage($"tree chunk of kind {(byte)kind} where a directory is expected");
        List<(uint Id, byte[] Name)> users = DecodeOwners(ref reader), groups = DecodeOwners(ref reader);
        var entries = new List<TreeEntry>();
        ReadOnlySpan<byte> previous = [];
        while (!reader.AtEnd)
        {
            TreeEntry entry = DecodeEntry(ref reader, isPointRoot);
            if (entries.Count > 0 && previous.SequenceCompareTo(entry.Name) >= 0) throw reader.Damage("names are out of order or twice");
            previous = entry.Name;
            entry.UserName = NameOf(entry.Attributes.Uid, users);
            entry.GroupName = NameOf(entry.Attributes.Gid, groups);
            entries.Add(entry);
        }

        return entries;
    }

    /// <summary>Whether a name may stand in a directory of a vault.</summary>
    public static bool IsValidName(ReadOnlySpan<byte> name, bool isPointRoot)
    {
        if (name.IsEmpty || name.Contains((byte)0)) return false;
        if (!isPointRoot) return name.Length <= MaxNameBytes && !name.Contains((byte)'/') && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8);
        if (name[0] != '/' || name.Length > TreePath.MaxBytes) return false;
        if (name.Length == 1) return true;
        foreach (Range part in name[1..].Split((byte)'/'))
        {
            ReadOnlySpan<byte> component = name[1..][part];
            if (component.IsEmpty || component.SequenceEqual("."u8) || component.SequenceEqual(".."u8)) return false;
        }

        return true;
    }

    /// <summary>Whether attributes can be kept: a broken file system may tell of any.</summary>
    public static bool IsValid(in NodeAttributes attributes) =>
        attributes.Mode <= MaxMode && attributes.Size >= 0
        && (uint)attributes.ModifyTime.Nanoseconds <= MaxNanoseconds && (uint)attributes.ChangeTime.Nanoseconds <= MaxNanoseconds;

    private static void EncodeOwners(ByteWriter writer, ReadOnlySpan<TreeEntry> entries, Func<TreeEntry, (uint Id, byte[]? Name)> ownerOf)
    {
        // Few owners stand in one piece: a list is the quickest set.
        var owners = new List<(uint Id, byte[] Name)>();
        foreach (TreeEntry entry in entries)
        {
            (uint id, byte[]? name) = ownerOf(entry);
            if (name is null) continue;
            bool known = false;
            foreach ((uint other, _) in owners) known |= other == id;
            if (!known) owners.Add((id, name));
        }

        owners.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        writer.Varint((ulong)owners.Count);
        foreach ((uint id, byte[] name) in owners)
        {
            writer.Varint(id);
            writer.ByteString(name);
        }
    }

    private static List<(uint Id, byte[] Name)> DecodeOwners(ref ByteReader reader)
    {
        int count = reader.Count(2, "owner names");
        var owners = new List<(uint Id, byte[] Name)>();
        for (int i = 0; i < count; i++)
        {
            uint id = (uint)reader.Varint(uint.MaxValue, "owner");
            if (i > 0 && owners[^1].Id >= id) throw reader.Damage("owners are out of order or twice");
            owners.Add((id, reader.ByteString().ToArray()));
        }

        return owners;
    }

    private static byte[]? NameOf(uint id, List<(uint Id, byte[] Name)> owners)
    {
        // Sorted by id, and mostly one or two.
        int first = 0, end = owners.Count;
        while (first < end)
        {
            int middle = (first + end) / 2;
            if (owners[middle].Id < id) first = middle + 1;
            else end = middle;
        }

        return first < owners.Count && owners[first].Id == id ? owners[first].Name : null;
    }

    private static void EncodeEntry(ByteWriter writer, TreeEntry entry)
    {
        NodeAttributes attributes = entry.Attributes;
        writer.U8((byte)attributes.Kind);
        writer.ByteString(entry.Name);
        writer.Varint(attributes.Mode);
        writer.Varint(attributes.Uid);
        writer.Varint(attributes.Gid);
        writer.SignedVarint(attributes.ModifyTime.Seconds);
        writer.Varint((ulong)attributes.ModifyTime.Nanoseconds);
        writer.SignedVarint(unchecked(attributes.ChangeTime.Seconds - attributes.ModifyTime.Seconds));
        writer.Varint((ulong)attributes.ChangeTime.Nanoseconds);
        writer.Varint(attributes.Inode);
        writer.Varint(attributes.Device);
        writer.Varint(attributes.LinkCount);
        writer.Varint((ulong)entry.Xattrs.Length);
        foreach (Xattr xattr in entry.Xattrs)
        {
            writer.ByteString(xattr.Name);
            writer.ByteString(xattr.Value);
        }

        switch (attributes.Kind)
        {
            case NodeKind.Regular:
                writer.Varint((ulong)attributes.Size);
                entry.Content!.Encode(writer);
                break;
            case NodeKind.Directory:
                entry.Content!.Encode(writer);
                break;
            case NodeKind.Symlink:
                writer.ByteString(entry.Target);
                break;
            case NodeKind.CharacterDevice or NodeKind.BlockDevice:
                writer.Varint(attributes.DeviceMajor);
                writer.Varint(attributes.DeviceMinor);
                break;
        }
    }

    private static TreeEntry DecodeEntry(ref ByteReader reader, bool isPointRoot)
    {
        var kind = (NodeKind)reader.U8();
        if (kind is NodeKind.None or NodeKind.Socket or > NodeKind.BlockDevice) throw reader.Damage($"entry of kind {(byte)kind}");
        ReadOnlySpan<byte> name = reader.ByteString();
        if (!IsValidName(name, isPointRoot)) throw reader.Damage($"\"{BytePath.Display(name)}\" is no name for an entry");
        var attributes = new NodeAttributes
        {
            Kind = kind,
            Mode = (uint)reader.Varint(MaxMode, "mode"),
            Uid = (uint)reader.Varint(uint.MaxValue, "user id"),
            Gid = (uint)reader.Varint(uint.MaxValue, "group id"),
        };
        long modified = reader.SignedVarint();
        attributes.ModifyTime = new UnixTime(modified, (int)reader.Varint(MaxNanoseconds, "nanoseconds"));
        attributes.ChangeTime = new UnixTime(unchecked(modified + reader.SignedVarint()), (int)reader.Varint(MaxNanoseconds, "nanoseconds"));
        attributes.Inode = reader.Varint();
        attributes.Device = reader.Varint();
        attributes.LinkCount = (uint)reader.Varint(uint.MaxValue, "link count");
        Xattr[] xattrs = DecodeXattrs(ref reader);
        Content? content = null;
        byte[]? target = null;
        switch (kind)
        {
            case NodeKind.Regular:
                attributes.Size = reader.Varint(long.MaxValue, "size");
                content = Content.Decode(ref reader);
                if (content.TotalBytes != attributes.Size) throw reader.Damage($"{attributes.Size} bytes, its content has {content.TotalBytes}");
                break;
            case NodeKind.Directory:
                content = Content.Decode(ref reader);
                break;
            case NodeKind.Symlink:
                target = reader.ByteString().ToArray();
                if (target.Length == 0 || target.Contains((byte)0)) throw reader.Damage("a symlink's target is empty or holds NUL");
                attributes.Size = target.Length;
                break;
            case NodeKind.CharacterDevice or NodeKind.BlockDevice:
                attributes.DeviceMajor = (uint)reader.Varint(uint.MaxValue, "major number");
                attributes.DeviceMinor = (uint)reader.Varint(uint.MaxValue, "minor number");
                break;
        }

        return new TreeEntry { Name = name.ToArray(), Attributes = attributes, Xattrs = xattrs, Content = content, Target = target };
    }

    private static Xattr[] DecodeXattrs(ref ByteReader reader)
    {
        int count = reader.Count(2, "extended attributes");
        if (count == 0) return [];
        var xattrs = new Xattr[count];
        for (int i = 0; i < count; i++)
        {
            byte[] name = reader.ByteString().ToArray();
            if (name.Length == 0 || name.Contains((byte)0)) throw reader.Damage("name of an extended attribute");
            xattrs[i] = new Xattr(name, reader.ByteString().ToArray());
        }

        return xattrs;
    }
}
