using Holdfast.Files;

namespace Holdfast.Vault.Trees;

/// <summary>An extended attribute as a tree keeps it.</summary>
internal sealed record Xattr(byte[] Name, byte[] Value);

/// <summary>A piece of a directory as it lies in the vault.</summary>
/// <param name="Item">The chunk.</param>
/// <param name="EntryCount">How many entries it has.</param>
internal sealed record TreePiece(ContentItem Item, int EntryCount);

/// <summary>One entry of a directory in the vault.</summary>
internal sealed class TreeEntry
{
    /// <summary>1 to 1,023 bytes; in the root of a point an absolute path.</summary>
    public required byte[] Name { get; init; }

    /// <summary>As they were; <see cref="NodeAttributes.Device"/> counts the devices of the point from 0.</summary>
    public required NodeAttributes Attributes;

    /// <summary>The owner's name where it was saved; null when it had none.</summary>
    public byte[]? UserName { get; set; }

    /// <summary>The group's name where it was saved; null when it had none.</summary>
    public byte[]? GroupName { get; set; }

    public Xattr[] Xattrs { get; set; } = [];

    /// <summary>Of a regular file and a directory.</summary>
    public Content? Content { get; set; }

    /// <summary>Of a symlink.</summary>
    public byte[]? Target { get; set; }

    /// <summary>The piece of a directory that it was decoded from; null for one that was not.</summary>
    public TreePiece? Piece { get; set; }

    public bool IsDirectory => Attributes.Kind == NodeKind.Directory;

    /// <summary>Whether it has further names, in or outside the tree.</summary>
    public bool IsHardLinked => Attributes.LinkCount > 1 && !IsDirectory;

    /// <summary>Whether a person would call the two the same: everything but inode, link count and times that change by themselves.</summary>
    public bool LooksLike(TreeEntry other)
    {
        NodeAttributes a = Attributes, b = other.Attributes;
        if (a.Kind != b.Kind || a.Mode != b.Mode || a.Uid != b.Uid || a.Gid != b.Gid) return false;
        if (!IsDirectory && a.ModifyTime != b.ModifyTime) return false;
        if (a.DeviceMajor != b.DeviceMajor || a.DeviceMinor != b.DeviceMinor) return false;
        return HasXattrsOf(other) && (IsDirectory || HasContentOf(other));
    }

    /// <summary>Whether the extended attributes are the same.</summary>
    public bool HasXattrsOf(TreeEntry other)
    {
        if (Xattrs.Length != other.Xattrs.Length) return false;
        for (int i = 0; i < Xattrs.Length; i++)
        {
            if (!Xattrs[i].Name.AsSpan().SequenceEqual(other.Xattrs[i].Name)
                || !Xattrs[i].Value.AsSpan().SequenceEqual(other.Xattrs[i].Value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the bytes of a file, or a symlink's target, are the same. The other must be of the same kind.</summary>
    public bool HasContentOf(TreeEntry other) => Attributes.Kind switch
    {
        NodeKind.Regular => Attributes.Size == other.Attributes.Size && Content!.SameAs(other.Content!),
        NodeKind.Symlink => SameBytes(Target, other.Target),
        _ => true,
    };

    /// <summary>The same entry under another name.</summary>
    public TreeEntry Named(ReadOnlySpan<byte> name) => With(name.ToArray(), Content);

    /// <summary>The same directory with other content.</summary>
    public TreeEntry With(Content content) => With(Name, content);

    private TreeEntry With(byte[] name, Content? content) => new()
    {
        Name = name,
        Attributes = Attributes,
        UserName = UserName,
        GroupName = GroupName,
        Xattrs = Xattrs,
        Content = content,
        Target = Target,
    };

    private static bool SameBytes(byte[]? a, byte[]? b) => a.AsSpan().SequenceEqual(b);
}
