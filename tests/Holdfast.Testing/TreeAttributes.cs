using System.Buffers.Binary;
using Holdfast.Files;

namespace Holdfast.Testing;

/// Gives entries random owners, modes, times and extended attributes, as far as the machine allows.
internal sealed class TreeAttributes(Random random, TreeShape shape)
{
    private static readonly uint[] Modes =
        [0x1A4, 0x1A4, 0x1ED, 0x1ED, 0x180, 0x1FF, 0x000, 0x049, 0x92, 0x9ED, 0x5ED, 0x3FF, 0xFFF, 0x8C0];

    private static readonly uint[] Ids = [0, 1, 33, 1000, 65534, 54_321, 3_000_000_000, uint.MaxValue - 1];

    /// Does what may not be allowed here; false when it is not.
    public static bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (PosixException refused) when (refused.IsUnsupported)
        {
            return false;
        }
    }

    /// Everything at once. Owner first: changing it takes away setuid bits and capabilities; time last.
    public void SetAll(PosixDirectory directory, byte[] name)
    {
        NodeKind kind = directory.Status(name).Kind;
        if (shape.Owners) SetOwner(directory, name);
        if (kind != NodeKind.Symlink) directory.SetMode(name, NextMode(kind));
        if (shape.Xattrs && random.Next(3) == 0) SetXattr(directory, name, kind);
        directory.SetModificationTime(name, NextTime());
    }

    public void SetOwner(PosixDirectory directory, byte[] name)
    {
        if (!PosixDirectory.IsRoot || random.Next(3) == 0) return;
        directory.SetOwner(name, Ids[random.Next(Ids.Length)], Ids[random.Next(Ids.Length)]);
    }

    public uint NextMode(NodeKind kind)
    {
        uint mode = Modes[random.Next(Modes.Length)];

        // Nobody but root could go on in a directory without these; one such is among the oddities.
        return kind == NodeKind.Directory && !PosixDirectory.IsRoot ? mode | 0x1C0 : mode;
    }

    /// Before 1970, now, and beyond 2038, 2106 and 2200; ext4 ends in 2446.
    public UnixTime NextTime()
    {
        long seconds = random.Next(8) switch
        {
            0 => -random.NextInt64(1, 2_000_000_000),
            1 => random.NextInt64(7_258_118_400, 14_000_000_000),
            2 => 0,
            3 => -1,
            4 => random.NextInt64(2_147_483_648, 4_294_967_296 * 3 / 2),
            _ => random.NextInt64(1_000_000_000, 1_800_000_000),
        };
        int nanoseconds = random.Next(4) switch { 0 => 0, 1 => 999_999_999, 2 => 1, _ => random.Next(1_000_000_000) };
        return new UnixTime(seconds, nanoseconds);
    }

    /// One attribute of a kind that this node can have.
    public void SetXattr(PosixDirectory directory, byte[] name, NodeKind kind)
    {
        byte[] value = new byte[random.Next(4) switch { 0 => 0, 1 => 1, 2 => 40, _ => 700 }];
        random.NextBytes(value);
        bool plain = kind is NodeKind.Regular or NodeKind.Directory;
        switch (random.Next(5))
        {
            case 0 when plain:
                Try(() => directory.SetXattr(name, "system.posix_acl_access"u8, CreateAcl(1000)));
                break;
            case 1 when kind == NodeKind.Directory:
                Try(() => directory.SetXattr(name, "system.posix_acl_default"u8, CreateAcl(54_321)));
                break;
            case 2 when kind == NodeKind.Regular:
                Try(() => directory.SetXattr(name, "security.capability"u8, CreateCapability()));
                break;
            case 3 or 4 when plain:
                Try(() => directory.SetXattr(name, [.. "user.\n "u8, 0xFF], value));
                Try(() => directory.SetXattr(name, "user.empty"u8, []));
                break;
            default:
                Try(() => directory.SetXattr(name, "trusted.holdfast"u8, value));
                break;
        }
    }

    /// An access control list as the kernel keeps it: version 2; owner, a user, group, mask and others.
    public static byte[] CreateAcl(uint user)
    {
        const uint nobody = uint.MaxValue;
        (ushort Tag, ushort Permissions, uint Id)[] list =
            [(1, 7, nobody), (2, 6, user), (4, 5, nobody), (16, 7, nobody), (32, 4, nobody)];
        byte[] acl = new byte[4 + 8 * list.Length];
        acl[0] = 2;
        for (int i = 0; i < list.Length; i++)
        {
            Span<byte> entry = acl.AsSpan(4 + 8 * i);
            BinaryPrimitives.WriteUInt16LittleEndian(entry, list[i].Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], list[i].Permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], list[i].Id);
        }

        return acl;
    }

    /// cap_net_bind_service, permitted and effective: VFS_CAP_REVISION_2.
    public static byte[] CreateCapability()
    {
        byte[] capability = new byte[20];
        BinaryPrimitives.WriteUInt32LittleEndian(capability, 0x0200_0001);
        BinaryPrimitives.WriteUInt32LittleEndian(capability.AsSpan(4), 1 << 10);
        return capability;
    }
}
