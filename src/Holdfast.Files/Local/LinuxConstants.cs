using System.Runtime.InteropServices;

namespace Holdfast.Files.Local;

/// <summary>Flags of open(2). Four of them have other values on arm64 than on x86_64.</summary>
internal static class OpenFlags
{
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NoControllingTerminal = 0x100;
    public const int Truncate = 0x200;
    public const int NonBlocking = 0x800;
    public const int NoAccessTime = 0x40000;
    public const int CloseOnExec = 0x80000;
    public const int Path = 0x200000;
    public static readonly int Directory = IsArm ? 0x4000 : 0x10000;
    public static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    /// <summary>A descriptor that only names a node, whatever it is: opens nothing and never waits.</summary>
    public static readonly int NodeOnly = Path | NoFollow | CloseOnExec;

    /// <summary>Reading the entries of a directory.</summary>
    public static readonly int Entries = ReadOnly | Directory | NoFollow | CloseOnExec;

    /// <summary>
    /// Flags for a use of a regular file. Non-blocking, so that a FIFO put in its place cannot make us wait.
    /// </summary>
    /// <returns>False when the use makes no sense.</returns>
    public static bool TryFrom(OpenAccess access, out int flags)
    {
        bool reads = (access & OpenAccess.Read) != 0, writes = (access & OpenAccess.Write) != 0;
        flags = NoFollow | CloseOnExec | NonBlocking | NoControllingTerminal;
        flags |= reads && writes ? ReadWrite : writes ? WriteOnly : ReadOnly;
        if ((access & OpenAccess.Truncate) != 0) flags |= Truncate;
        if ((access & OpenAccess.KeepAccessTime) != 0) flags |= NoAccessTime;
        return writes || (reads && (access & OpenAccess.Truncate) == 0);
    }
}

/// <summary>Flags of the *at calls and of statx(2).</summary>
internal static class At
{
    public const int CurrentDirectory = -100;
    public const int NoFollow = 0x100;
    public const int RemoveDirectory = 0x200;
    public const int Follow = 0x400;
    public const int NoAutomount = 0x800;
    public const int EmptyPath = 0x1000;
}

/// <summary>Bits of st_mode.</summary>
internal static class ModeBits
{
    public const uint KindMask = 0xF000;
    public const uint Permissions = 0xFFF;
    public const uint SetUidOrGid = 0xC00;
    public const uint SetGid = 0x400;

    /// <summary>The kind of st_mode; its upper four bits are also the d_type of a directory entry.</summary>
    public static NodeKind KindOf(uint mode) => KindOfEntry((byte)(mode >> 12));

    /// <summary>The kind of a d_type.</summary>
    public static NodeKind KindOfEntry(byte type) => type switch
    {
        1 => NodeKind.Fifo,
        2 => NodeKind.CharacterDevice,
        4 => NodeKind.Directory,
        6 => NodeKind.BlockDevice,
        8 => NodeKind.Regular,
        10 => NodeKind.Symlink,
        12 => NodeKind.Socket,
        _ => NodeKind.None,
    };

    /// <summary>The bits of st_mode of a kind that mknod makes; 0 for the others.</summary>
    public static uint OfSpecial(NodeKind kind) => kind switch
    {
        NodeKind.Fifo => 0x1000,
        NodeKind.CharacterDevice => 0x2000,
        NodeKind.BlockDevice => 0x6000,
        NodeKind.Socket => 0xC000,
        _ => 0,
    };
}
