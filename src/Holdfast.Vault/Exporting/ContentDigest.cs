using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Holdfast.Vault.Exporting;

/// <summary>
/// Names a file's content whatever its holes: SHA-256 over the blocks of 64 KiB that are not all zeros, each after its number,
/// and the length. Definition: docs/formats/export.md, "Content digest". For one thread at a time.
/// </summary>
internal sealed class ContentDigest : IDisposable
{
    /// <summary>Encoded size in bytes.</summary>
    public const int Size = 32;

    public const int BlockBytes = 64 << 10;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] block = new byte[BlockBytes];
    private long length;

    /// <summary>Bytes taken so far.</summary>
    public long Length => length;

    private int Filled => (int)(length % BlockBytes);

    public void Append(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            int filled = Filled;
            if (filled == 0 && content.Length >= BlockBytes)
            {
                TakeBlock(content[..BlockBytes], length / BlockBytes);
                length += BlockBytes;
                content = content[BlockBytes..];
                continue;
            }

            int taken = Math.Min(content.Length, BlockBytes - filled);
            content[..taken].CopyTo(block.AsSpan(filled));
            length += taken;
            content = content[taken..];
            if (Filled == 0) TakeBlock(block, (length / BlockBytes) - 1);
        }
    }

    public void AppendZeros(long count)
    {
        int filled = Filled;
        if (filled > 0)
        {
            int taken = (int)Math.Min(count, BlockBytes - filled);
            block.AsSpan(filled, taken).Clear();
            length += taken;
            count -= taken;
            if (Filled == 0) TakeBlock(block, (length / BlockBytes) - 1);
        }

        if (count <= 0) return;
        // Whole blocks of zeros count for nothing; what begins the next one must stand in it.
        length += count;
        block.AsSpan(0, Filled).Clear();
    }

    public byte[] Finish()
    {
        if (Filled > 0) TakeBlock(block.AsSpan(0, Filled), length / BlockBytes);
        Span<byte> end = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(end, length);
        hash.AppendData(end);
        length = 0;
        return hash.GetHashAndReset();
    }

    public void Dispose() => hash.Dispose();

    private void TakeBlock(ReadOnlySpan<byte> content, long number)
    {
        if (!content.ContainsAnyExcept((byte)0)) return;
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, number);
        hash.AppendData(prefix);
        hash.AppendData(content);
    }
}
