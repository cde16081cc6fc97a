using System.Buffers.Text;

namespace Holdfast.Files.Local;

/// <summary>Names and paths as the kernel takes them: bytes with a NUL behind.</summary>
internal static unsafe class EntryName
{
    /// <summary>Longest name there is: 255 characters on FAT and NTFS may be 765 bytes of UTF-8.</summary>
    public const int MaxBytes = 1023;

    /// <summary>Room for a name and its NUL.</summary>
    public const int BufferBytes = MaxBytes + 1;

    /// <summary>Room for a path that <see cref="WriteDescriptorPath"/> writes.</summary>
    public const int DescriptorPathBytes = 32;

    /// <summary>
    /// Checks a name and writes it with its NUL to <paramref name="target"/> of <see cref="BufferBytes"/>.
    /// </summary>
    public static Errno Write(ReadOnlySpan<byte> name, int maxBytes, byte* target)
    {
        if (name.Length > maxBytes) return Errno.NameTooLong;
        if (name.IsEmpty || name.ContainsAny((byte)0, (byte)'/') || IsDots(name)) return Errno.Invalid;
        name.CopyTo(new Span<byte>(target, BufferBytes));
        target[name.Length] = 0;
        return Errno.None;
    }

    /// <summary>Checks the name of an extended attribute and writes it with its NUL.</summary>
    public static Errno WriteXattr(ReadOnlySpan<byte> name, byte* target)
    {
        const int xattrNameMax = 255;
        if (name.Length > xattrNameMax) return Errno.Range;
        if (name.IsEmpty || name.Contains((byte)0)) return Errno.Invalid;
        name.CopyTo(new Span<byte>(target, BufferBytes));
        target[name.Length] = 0;
        return Errno.None;
    }

    /// <summary>Whether it is "." or "..".</summary>
    public static bool IsDots(ReadOnlySpan<byte> name) => name.SequenceEqual("."u8) || name.SequenceEqual(".."u8);

    /// <summary>
    /// Writes /proc/self/fd/N: following it leads to the very node of the descriptor, be it a symlink.
    /// </summary>
    public static void WriteDescriptorPath(int descriptor, byte* target)
    {
        var path = new Span<byte>(target, DescriptorPathBytes);
        ReadOnlySpan<byte> prefix = "/proc/self/fd/"u8;
        prefix.CopyTo(path);
        Utf8Formatter.TryFormat(descriptor, path[prefix.Length..], out int digits);
        path[prefix.Length + digits] = 0;
    }
}
