namespace Holdfast.Files;

/// <summary>What a node is.</summary>
public enum NodeKind : byte
{
    /// <summary>Not a kind: zero-filled space is never a node.</summary>
    None = 0,

    /// <summary>A file with content.</summary>
    Regular = 1,

    /// <summary>A directory.</summary>
    Directory = 2,

    /// <summary>A symbolic link.</summary>
    Symlink = 3,

    /// <summary>A named pipe.</summary>
    Fifo = 4,

    /// <summary>A socket.</summary>
    Socket = 5,

    /// <summary>A character device.</summary>
    CharacterDevice = 6,

    /// <summary>A block device.</summary>
    BlockDevice = 7,
}

/// <summary>The attributes of a node at one instant.</summary>
public record struct NodeAttributes
{
    /// <summary>What it is.</summary>
    public NodeKind Kind { get; set; }

    /// <summary>Permission bits with setuid, setgid and sticky: 0 to 07777 (octal).</summary>
    public uint Mode { get; set; }

    /// <summary>Number of names.</summary>
    public uint LinkCount { get; set; }

    /// <summary>Owner.</summary>
    public uint Uid { get; set; }

    /// <summary>Group.</summary>
    public uint Gid { get; set; }

    /// <summary>Length in bytes; of a symlink its target's.</summary>
    public long Size { get; set; }

    /// <summary>Bytes allocated to it on disk.</summary>
    public long AllocatedBytes { get; set; }

    /// <summary>The file system it lies on; two nodes are one where device and inode are equal.</summary>
    public ulong Device { get; set; }

    /// <summary>Its number on that file system.</summary>
    public ulong Inode { get; set; }

    /// <summary>Major number, of devices only.</summary>
    public uint DeviceMajor { get; set; }

    /// <summary>Minor number, of devices only.</summary>
    public uint DeviceMinor { get; set; }

    /// <summary>Last read.</summary>
    public UnixTime AccessTime { get; set; }

    /// <summary>Last change of content.</summary>
    public UnixTime ModifyTime { get; set; }

    /// <summary>Last change of content or attributes, by the file system's own clock.</summary>
    public UnixTime ChangeTime { get; set; }

    /// <summary>Whether it is a directory.</summary>
    public readonly bool IsDirectory => Kind == NodeKind.Directory;
}

/// <summary>Which attributes to set, and to what; what is null stays.</summary>
public sealed record AttributeChanges
{
    /// <summary>Permission bits with setuid, setgid and sticky.</summary>
    public uint? Mode { get; init; }

    /// <summary>Owner.</summary>
    public uint? Uid { get; init; }

    /// <summary>Group.</summary>
    public uint? Gid { get; init; }

    /// <summary>Length in bytes: cuts, or extends with a hole.</summary>
    public long? Size { get; init; }

    /// <summary>Last read.</summary>
    public UnixTime? AccessTime { get; init; }

    /// <summary>Last change of content.</summary>
    public UnixTime? ModifyTime { get; init; }
}
