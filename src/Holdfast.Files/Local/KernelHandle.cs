using System.Buffers.Binary;

namespace Holdfast.Files.Local;

/// <summary>
/// The handles of name_to_handle_at(2), as bytes: version 1, the handle's type, then the kernel's own bytes.
/// </summary>
/// <remarks>They name a node of one file system for as long as it exists, also after a restart. To open one takes
/// CAP_DAC_READ_SEARCH.</remarks>
internal static unsafe class KernelHandle
{
    private const byte Version = 1;
    private const int HeadBytes = 3;
    private const int MaxBytes = 64;

    /// <summary>Writes the handle of an open node.</summary>
    /// <returns>Its length.</returns>
    public static Result<int> Encode(Descriptor node, Span<byte> target)
    {
        FileHandle handle;
        handle.Length = FileHandle.MaxBytes;
        byte empty = 0;
        int mountId;
        int outcome = LibC.NameToHandleAt(node.Number, &empty, &handle, &mountId, At.EmptyPath);
        if (outcome != 0)
        {
            Errno error = LibC.LastError;
            return error is Errno.Overflow or Errno.NotImplemented ? Errno.NotSupported : error;
        }

        int length = HeadBytes + (int)handle.Length;
        if (length > MaxBytes || handle.Type is < 0 or > ushort.MaxValue) return Errno.NotSupported;
        if (target.Length < length) return Errno.Range;
        target[0] = Version;
        BinaryPrimitives.WriteUInt16LittleEndian(target[1..], (ushort)handle.Type);
        new ReadOnlySpan<byte>(handle.Bytes, (int)handle.Length).CopyTo(target[HeadBytes..]);
        return length;
    }

    /// <summary>Opens the node of a handle, which may come from anybody, as a node only.</summary>
    /// <returns>A descriptor's number, or -1 and <see cref="LibC.LastError"/>.</returns>
    public static int Open(Descriptor mount, ReadOnlySpan<byte> encoded)
    {
        FileHandle handle;
        handle.Length = (uint)(encoded.Length - HeadBytes);
        handle.Type = BinaryPrimitives.ReadUInt16LittleEndian(encoded[1..]);
        encoded[HeadBytes..].CopyTo(new Span<byte>(handle.Bytes, FileHandle.MaxBytes));
        return LibC.OpenByHandleAt(mount.Number, &handle, OpenFlags.NodeOnly);
    }

    /// <summary>Whether bytes can be a handle at all.</summary>
    public static bool IsWellFormed(ReadOnlySpan<byte> encoded) =>
        encoded.Length is > HeadBytes and <= MaxBytes && encoded[0] == Version;
}
