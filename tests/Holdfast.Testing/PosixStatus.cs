using System.Buffers.Binary;
using Holdfast.Files;

namespace Holdfast.Testing;

/// What statx(2) says about a node; its structure is the same on all machines.
public readonly struct PosixStatus
{
    internal PosixStatus(ReadOnlySpan<byte> statx)
    {
        BlockBytes = (int)Word(statx, 4);
        LinkCount = Word(statx, 16);
        Uid = Word(statx, 20);
        Gid = Word(statx, 24);
        uint typeAndMode = BinaryPrimitives.ReadUInt16LittleEndian(statx[28..]);
        Mode = typeAndMode & 0xFFF;
        Kind = (typeAndMode & PosixCalls.FormatMask) switch
        {
            PosixCalls.Regular => NodeKind.Regular,
            PosixCalls.Directory => NodeKind.Directory,
            PosixCalls.Symlink => NodeKind.Symlink,
            PosixCalls.Fifo => NodeKind.Fifo,
            PosixCalls.Socket => NodeKind.Socket,
            PosixCalls.CharacterDevice => NodeKind.CharacterDevice,
            PosixCalls.BlockDevice => NodeKind.BlockDevice,
            _ => NodeKind.None,
        };
        Inode = BinaryPrimitives.ReadUInt64LittleEndian(statx[32..]);
        Size = BinaryPrimitives.ReadInt64LittleEndian(statx[40..]);
        AllocatedBytes = BinaryPrimitives.ReadInt64LittleEndian(statx[48..]) * 512;
        ModificationTime = new UnixTime(BinaryPrimitives.ReadInt64LittleEndian(statx[112..]), (int)Word(statx, 120));
        DeviceMajor = Word(statx, 128);
        DeviceMinor = Word(statx, 132);
        FileSystem = (ulong)Word(statx, 136) << 32 | Word(statx, 140);
    }

    public NodeKind Kind { get; }

    public uint Mode { get; }

    public uint Uid { get; }

    public uint Gid { get; }

    public uint LinkCount { get; }

    public ulong Inode { get; }

    public ulong FileSystem { get; }

    public long Size { get; }

    public long AllocatedBytes { get; }

    public int BlockBytes { get; }

    public UnixTime ModificationTime { get; }

    public uint DeviceMajor { get; }

    public uint DeviceMinor { get; }

    private static uint Word(ReadOnlySpan<byte> statx, int offset) =>
        BinaryPrimitives.ReadUInt32LittleEndian(statx[offset..]);
}
