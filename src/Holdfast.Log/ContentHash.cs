using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Holdfast.Log;

/// <summary>
/// Hash of a file at the speed of a CRC: SHA-256 over the CRC32Cs of its pieces of 4,096 bytes (docs/formats/log.md,
/// "Hash").
/// </summary>
/// <remarks>
/// It finds accidents; it is no defence against a forger. It keeps 4 bytes for each piece. Not for several threads at
/// once.
/// </remarks>
public sealed class ContentHash
{
    /// <summary>Size of a hash, bytes.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private const int PieceBytes = 4096;
    private const int ReadBytes = 256 << 10;

    // Of each whole piece its CRC, then room for that of the piece at the end.
    private byte[] checksums = new byte[1024];
    private int wholeBytes;
    private uint crc;
    private int inPiece;

    /// <summary>How many bytes were added.</summary>
    public long Length { get; private set; }

    /// <summary>Adds bytes that follow those added before.</summary>
    public void Append(ReadOnlySpan<byte> source)
    {
        Length += source.Length;
        while (!source.IsEmpty)
        {
            int take = Math.Min(source.Length, PieceBytes - inPiece);
            crc = Crc32C.Append(crc, source[..take]);
            inPiece += take;
            source = source[take..];
            if (inPiece == PieceBytes) EndPiece();
        }
    }

    /// <summary>Adds what lies in a file between <see cref="Length"/> and an offset, or its end.</summary>
    public void Append(IDiskFile file, long end)
    {
        ArgumentNullException.ThrowIfNull(file);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            while (Length < end)
            {
                int read = file.Read(Length, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - Length)));
                if (read == 0) break;
                Append(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The hash of all that was added; more may be added afterwards.</summary>
    public byte[] ToArray()
    {
        BinaryPrimitives.WriteUInt32LittleEndian(checksums.AsSpan(wholeBytes), crc);
        return SHA256.HashData(checksums.AsSpan(0, wholeBytes + (inPiece > 0 ? sizeof(uint) : 0)));
    }

    /// <summary>Starts anew.</summary>
    public void Reset()
    {
        wholeBytes = inPiece = 0;
        crc = 0;
        Length = 0;
    }

    /// <summary>The hash of some bytes.</summary>
    public static byte[] Of(ReadOnlySpan<byte> source)
    {
        var hash = new ContentHash();
        hash.Append(source);
        return hash.ToArray();
    }

    /// <summary>The hash of a file's bytes below an offset.</summary>
    public static byte[] Of(IDiskFile file, long end)
    {
        var hash = new ContentHash();
        hash.Append(file, end);
        return hash.ToArray();
    }

    private void EndPiece()
    {
        BinaryPrimitives.WriteUInt32LittleEndian(checksums.AsSpan(wholeBytes), crc);
        wholeBytes += sizeof(uint);
        crc = 0;
        inPiece = 0;
        if (wholeBytes == checksums.Length) Array.Resize(ref checksums, checksums.Length * 2);
    }
}
