using System.Buffers.Binary;
using System.Text;

namespace Holdfast.Storage.Sftp;

/// <summary>
/// A packet to a server: length (4 bytes, big-endian, as all numbers here), kind, number, and what the kind says. The content of a
/// write follows behind and is not copied.
/// </summary>
internal sealed class SftpRequest
{
    private const int NumberOffset = 5;
    private const int HeadBytes = 9;

    private byte[] bytes = new byte[256];
    private int length = HeadBytes;

    public SftpRequest(SftpMessage message) => bytes[4] = (byte)message;

    /// <summary>What follows the bytes of the packet's head; counted in its length.</summary>
    public ReadOnlyMemory<byte> Tail { get; private set; }

    /// <summary>The packet without its tail, once it has a number.</summary>
    public ReadOnlyMemory<byte> Head => bytes.AsMemory(0, length);

    public SftpRequest Add(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Grow(sizeof(uint)), value);
        return this;
    }

    public SftpRequest Add(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Grow(sizeof(ulong)), value);
        return this;
    }

    public SftpRequest Add(string text)
    {
        int count = Encoding.UTF8.GetByteCount(text);
        Add((uint)count);
        Encoding.UTF8.GetBytes(text, Grow(count));
        return this;
    }

    public SftpRequest Add(ReadOnlySpan<byte> content)
    {
        Add((uint)content.Length);
        content.CopyTo(Grow(content.Length));
        return this;
    }

    /// <summary>Attributes that hold permissions and nothing else (§5).</summary>
    public SftpRequest AddPermissions(uint mode) => Add(SftpAttributes.HasPermissions).Add(mode);

    /// <summary>Content that is to follow, as the last part of the packet. It must stay as it is until the packet was sent.</summary>
    public SftpRequest AddTail(ReadOnlyMemory<byte> content)
    {
        Add((uint)content.Length);
        Tail = content;
        return this;
    }

    /// <summary>Gives it its number; nothing is added any more.</summary>
    public void Number(uint number)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)(length - sizeof(uint) + Tail.Length));
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(NumberOffset), number);
    }

    private Span<byte> Grow(int count)
    {
        if (length + count > bytes.Length) Array.Resize(ref bytes, Math.Max(2 * bytes.Length, length + count));
        length += count;
        return bytes.AsSpan(length - count, count);
    }
}
