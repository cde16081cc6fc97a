using System.Runtime.InteropServices;
using System.Text;

namespace Holdfast.Files.Local;

/// <summary>Asks the C library who users and groups are (getpwuid_r and its kin, so that LDAP and the like are asked too).</summary>
internal static unsafe partial class NameService
{
    private const int FirstBufferBytes = 4096;
    private const int MaxBufferBytes = 1 << 20;
    private const int TooSmall = 34;

    private delegate int Lookup(Record* record, byte* buffer, nuint length, Record** found);

    public static byte[]? FindUserName(uint uid) => Ask((record, buffer, length, found) => getpwuid_r(uid, record, buffer, length, found))?.Name;

    public static byte[]? FindGroupName(uint gid) => Ask((record, buffer, length, found) => getgrgid_r(gid, record, buffer, length, found))?.Name;

    /// <param name="name">Bytes as Latin-1 characters.</param>
    public static uint? FindUserId(string name)
    {
        byte[] text = [.. Encoding.Latin1.GetBytes(name), 0];
        return Ask((record, buffer, length, found) =>
        {
            fixed (byte* pointer = text) return getpwnam_r(pointer, record, buffer, length, found);
        })?.Id;
    }

    /// <param name="name">Bytes as Latin-1 characters.</param>
    public static uint? FindGroupId(string name)
    {
        byte[] text = [.. Encoding.Latin1.GetBytes(name), 0];
        return Ask((record, buffer, length, found) =>
        {
            fixed (byte* pointer = text) return getgrnam_r(pointer, record, buffer, length, found);
        })?.Id;
    }

    private static (byte[] Name, uint Id)? Ask(Lookup lookup)
    {
        for (int length = FirstBufferBytes; length <= MaxBufferBytes; length *= 4)
        {
            byte[] buffer = new byte[length];
            fixed (byte* pointer = buffer)
            {
                Record record;
                Record* found = null;
                int error = lookup(&record, pointer, (nuint)length, &found);
                if (error == TooSmall) continue;
                if (error != 0 || found == null) return null;
                return (MemoryMarshal.CreateReadOnlySpanFromNullTerminated(record.Name).ToArray(), record.Id);
            }
        }

        return null;
    }

    [LibraryImport("libc")]
    private static partial int getpwuid_r(uint uid, Record* record, byte* buffer, nuint length, Record** found);

    [LibraryImport("libc")]
    private static partial int getgrgid_r(uint gid, Record* record, byte* buffer, nuint length, Record** found);

    [LibraryImport("libc")]
    private static partial int getpwnam_r(byte* name, Record* record, byte* buffer, nuint length, Record** found);

    [LibraryImport("libc")]
    private static partial int getgrnam_r(byte* name, Record* record, byte* buffer, nuint length, Record** found);

    /// <summary>What struct passwd and struct group of glibc and musl have in common: name, password, id; and room for the rest.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Record
    {
        public byte* Name;
        public byte* Password;
        public uint Id;
        public uint Other;
        public fixed ulong Rest[6];
    }
}
