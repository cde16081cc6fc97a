using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault;

/// <summary>One entry of a restore point, as a list shows it.</summary>
public sealed record PointEntry
{
    /// <summary>Relative to the root of a point with one root, absolute otherwise; empty or "/" for the top itself.</summary>
    public required ReadOnlyMemory<byte> Path { get; init; }

    /// <summary>What it is.</summary>
    public required NodeKind Kind { get; init; }

    /// <summary>Permission bits with setuid, setgid and sticky: 0 to 07777 (octal).</summary>
    public required uint Mode { get; init; }

    /// <summary>Owner.</summary>
    public required uint Uid { get; init; }

    /// <summary>Group.</summary>
    public required uint Gid { get; init; }

    /// <summary>The owner's name where it was saved; null when it had none.</summary>
    public ReadOnlyMemory<byte>? UserName { get; init; }

    /// <summary>The group's name where it was saved; null when it had none.</summary>
    public ReadOnlyMemory<byte>? GroupName { get; init; }

    /// <summary>Bytes of a regular file, or of a symlink's target; else 0.</summary>
    public required long Size { get; init; }

    /// <summary>Last change of content.</summary>
    public required UnixTime ModifyTime { get; init; }

    /// <summary>Of a symlink; else null.</summary>
    public ReadOnlyMemory<byte>? Target { get; init; }

    /// <summary>Number of names that it had, in and outside the point.</summary>
    public required uint LinkCount { get; init; }

    /// <summary>Its number on its file system: with <see cref="Device"/> the same for all names of one file.</summary>
    public required ulong Inode { get; init; }

    /// <summary>Counts the file systems of the point from 0.</summary>
    public required ulong Device { get; init; }

    /// <summary>Major number, of devices only.</summary>
    public uint DeviceMajor { get; init; }

    /// <summary>Minor number, of devices only.</summary>
    public uint DeviceMinor { get; init; }

    /// <summary>Whether it is a directory.</summary>
    public bool IsDirectory => Kind == NodeKind.Directory;

    internal static PointEntry Of(byte[] path, TreeEntry entry)
    {
        NodeAttributes attributes = entry.Attributes;
        return new PointEntry
        {
            Path = path,
            Kind = attributes.Kind,
            Mode = attributes.Mode,
            Uid = attributes.Uid,
            Gid = attributes.Gid,
            UserName = Optional(entry.UserName),
            GroupName = Optional(entry.GroupName),
            Size = attributes.Size,
            ModifyTime = attributes.ModifyTime,
            Target = Optional(entry.Target),
            LinkCount = attributes.LinkCount,
            Inode = attributes.Inode,
            Device = attributes.Device,
            DeviceMajor = attributes.DeviceMajor,
            DeviceMinor = attributes.DeviceMinor,
        };
    }

    /// <summary>A directory that only leads to the roots.</summary>
    internal static PointEntry Implied(byte[] path) => new()
    {
        Path = path,
        Kind = NodeKind.Directory,
        Mode = 0x1ED,
        Uid = 0,
        Gid = 0,
        Size = 0,
        ModifyTime = default,
        LinkCount = 1,
        Inode = 0,
        Device = 0,
    };

    // A null array, and the literal null, would convert to empty memory, which is not "none".
    private static ReadOnlyMemory<byte>? Optional(byte[]? bytes) => bytes is null ? default(ReadOnlyMemory<byte>?) : bytes.AsMemory();
}
