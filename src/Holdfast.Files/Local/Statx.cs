using System.Runtime.InteropServices;

namespace Holdfast.Files.Local;

/// <summary>struct statx: the same on every architecture.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct Statx
{
    /// <summary>All that stat(2) tells.</summary>
    public const uint BasicStats = 0x7FF;

    /// <summary>The same and the time of birth.</summary>
    public const uint BasicStatsAndBirth = 0xFFF;

    private const uint BirthBit = 0x800;

    public uint Mask;
    public uint BlockBytes;
    public ulong AttributeFlags;
    public uint LinkCount;
    public uint Uid;
    public uint Gid;
    public ushort Mode;
    private readonly ushort spare;
    public ulong Inode;
    public ulong Size;
    public ulong Blocks;
    public ulong AttributeFlagsMask;
    public StatxTime AccessTime;
    public StatxTime BirthTime;
    public StatxTime ChangeTime;
    public StatxTime ModifyTime;
    public uint DeviceMajor;
    public uint DeviceMinor;
    public uint FileSystemMajor;
    public uint FileSystemMinor;
    public ulong MountId;

    /// <summary>What it is.</summary>
    public readonly NodeKind Kind => ModeBits.KindOf(Mode);

    /// <summary>Which node it is, for as long as somebody holds it.</summary>
    public readonly FileIdentity Identity => new(DeviceNumber.Encode(FileSystemMajor, FileSystemMinor), Inode);

    /// <summary>
    /// When it was made; zero where the file system does not say. Tells a node from a later one of its number.
    /// </summary>
    public readonly UnixTime Birth => (Mask & BirthBit) != 0 ? BirthTime.ToUnixTime() : default;

    /// <summary>As the contract has them.</summary>
    public readonly NodeAttributes ToAttributes()
    {
        NodeKind kind = Kind;
        bool isDevice = kind is NodeKind.CharacterDevice or NodeKind.BlockDevice;
        return new NodeAttributes
        {
            Kind = kind,
            Mode = Mode & ModeBits.Permissions,
            LinkCount = LinkCount,
            Uid = Uid,
            Gid = Gid,
            Size = (long)Size,
            AllocatedBytes = (long)Blocks * 512,
            Device = DeviceNumber.Encode(FileSystemMajor, FileSystemMinor),
            Inode = Inode,
            DeviceMajor = isDevice ? DeviceMajor : 0,
            DeviceMinor = isDevice ? DeviceMinor : 0,
            AccessTime = AccessTime.ToUnixTime(),
            ModifyTime = ModifyTime.ToUnixTime(),
            ChangeTime = ChangeTime.ToUnixTime(),
        };
    }
}

/// <summary>struct statx_timestamp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StatxTime
{
    public long Seconds;
    public uint Nanoseconds;
    private readonly int spare;

    public readonly UnixTime ToUnixTime() => new(Seconds, (int)Nanoseconds);
}

/// <summary>A node's number on its file system. May be given to another node once nobody holds this one.</summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode);

/// <summary>glibc's dev_t.</summary>
internal static class DeviceNumber
{
    /// <summary>Largest numbers that the kernel takes from mknod.</summary>
    public const uint MaxMajor = 0xFFF, MaxMinor = 0xFFFFF;

    public static ulong Encode(uint major, uint minor) =>
        ((ulong)(major & 0xFFFFF000) << 32) | ((major & 0xFFF) << 8)
        | ((ulong)(minor & 0xFFFFFF00) << 12) | (minor & 0xFF);
}
