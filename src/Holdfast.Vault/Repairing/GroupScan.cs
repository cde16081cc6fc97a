using System.Buffers.Binary;
using System.Security.Cryptography;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Repairing;

/// <summary>
/// Finds where a group of a pack ends whose footer is lost: the tag of AES-GCM behind it fits at that length and at no other.
/// GHASH goes on byte by byte, so all lengths together cost little more than the longest (NIST SP 800-38D, 6.4; tables of
/// four bits after Shoup). For one thread at a time.
/// </summary>
internal sealed class GroupScan : IDisposable
{
    private const int BlockBytes = 16;

    // What the four bits that fall off add at the top, for x^128 + x^7 + x^2 + x + 1 in GCM's order of bits.
    private static readonly ulong[] Reduction =
    [
        0x0000, 0x1c20, 0x3840, 0x2460, 0x7080, 0x6ca0, 0x48c0, 0x54e0, 0xe100, 0xfd20, 0xd940, 0xc560, 0x9180, 0x8da0, 0xa9c0, 0xb5e0,
    ];

    private readonly Aes aes;
    private readonly ulong[] high = new ulong[16];
    private readonly ulong[] low = new ulong[16];

    /// <param name="key">The pack's, which must be one of AES-GCM.</param>
    public GroupScan(byte[] key)
    {
        aes = Aes.Create();
        aes.Key = key;
        Span<byte> hashKey = stackalloc byte[BlockBytes];
        aes.EncryptEcb(new byte[BlockBytes], hashKey, PaddingMode.None);
        ulong h = BinaryPrimitives.ReadUInt64BigEndian(hashKey), l = BinaryPrimitives.ReadUInt64BigEndian(hashKey[8..]);
        (high[8], low[8]) = (h, l);
        for (int i = 4; i > 0; i >>= 1)
        {
            ulong carry = (l & 1) * 0xe1000000UL;
            l = (h << 63) | (l >> 1);
            h = (h >> 1) ^ (carry << 32);
            (high[i], low[i]) = (h, l);
        }

        for (int i = 2; i <= 8; i *= 2)
        {
            for (int j = 1; j < i; j++) (high[i + j], low[i + j]) = (high[i] ^ high[j], low[i] ^ low[j]);
        }
    }

    /// <summary>Length of the ciphertext at the start of <paramref name="source"/> that a tag follows; −1 when none does.</summary>
    /// <param name="counter">The nonce, as <see cref="Aead"/> counts.</param>
    /// <param name="source">From where the group begins.</param>
    /// <param name="maxBytes">No group is longer.</param>
    public int FindLength(uint counter, ReadOnlySpan<byte> source, int maxBytes)
    {
        Span<byte> mask = stackalloc byte[BlockBytes], first = stackalloc byte[BlockBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(first, counter);
        first[BlockBytes - 1] = 1;
        aes.EncryptEcb(first, mask, PaddingMode.None);
        ulong maskHigh = BinaryPrimitives.ReadUInt64BigEndian(mask), maskLow = BinaryPrimitives.ReadUInt64BigEndian(mask[8..]);
        ulong h = 0, l = 0;
        int longest = Math.Min(maxBytes, source.Length - Aead.TagBytes);
        Span<byte> partial = stackalloc byte[BlockBytes];
        for (int length = 1; length <= longest; length++)
        {
            int inBlock = ((length - 1) % BlockBytes) + 1;
            if (inBlock == 1) partial.Clear();
            partial[inBlock - 1] = source[length - 1];
            ulong nextHigh = h ^ BinaryPrimitives.ReadUInt64BigEndian(partial), nextLow = l ^ BinaryPrimitives.ReadUInt64BigEndian(partial[8..]);
            Multiply(ref nextHigh, ref nextLow);
            ulong tagHigh = nextHigh, tagLow = nextLow ^ ((ulong)length * 8);
            Multiply(ref tagHigh, ref tagLow);
            bool fits = (tagHigh ^ maskHigh) == BinaryPrimitives.ReadUInt64BigEndian(source[length..])
                && (tagLow ^ maskLow) == BinaryPrimitives.ReadUInt64BigEndian(source[(length + 8)..]);
            if (fits) return length;
            if (inBlock == BlockBytes) (h, l) = (nextHigh, nextLow);
        }

        return -1;
    }

    public void Dispose() => aes.Dispose();

    /// <summary>Times the hash key.</summary>
    private void Multiply(ref ulong h, ref ulong l)
    {
        ulong zh = 0, zl = 0;
        for (int shift = 0; shift < 128; shift += 4)
        {
            int digit = (int)((shift < 64 ? l >> shift : h >> (shift - 64)) & 15);
            int falls = (int)(zl & 15);
            zl = (zh << 60) | (zl >> 4);
            zh = (zh >> 4) ^ (Reduction[falls] << 48);
            zh ^= high[digit];
            zl ^= low[digit];
        }

        (h, l) = (zh, zl);
    }
}
