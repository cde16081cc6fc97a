using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>
/// The hash of a key: 64 bits by multiply and fold. Definition: docs/formats/bitcask.md, "Hash of a key".
/// </summary>
/// <remarks>
/// Hint files hold it, so it never changes. Two multiplications for a key of up to 16 bytes. It spreads keys evenly,
/// also in its upper bits, which choose the partition and the slot; it is no defence against one who knows the seed.
/// </remarks>
internal static class KeyHash
{
    private const int WordBytes = sizeof(ulong);
    private const int BlockBytes = 2 * WordBytes;

    // 64 bits each of the fractional digits of pi: the first, the third and the fourth.
    private const ulong SeedMask = 0x243F6A8885A308D3;
    private const ulong WordMask = 0xA4093822299F31D0;
    private const ulong LengthMask = 0x082EFA98EC4E6C89;

    /// <summary>The hash of <paramref name="key"/>.</summary>
    /// <param name="key">Of any length.</param>
    /// <param name="seed">Of the store: the first 8 bytes of its log's id, little-endian.</param>
    /// <remarks>Compiled when it is first called: precompiled code knows no multiplication of 128 bits.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong Of(ReadOnlySpan<byte> key, ulong seed)
    {
        ulong state = seed ^ SeedMask;
        ulong first;
        ulong second;
        if (key.Length > BlockBytes)
        {
            for (int offset = 0; key.Length - offset > BlockBytes; offset += BlockBytes)
            {
                state = Fold(Word(key[offset..]) ^ WordMask, Word(key[(offset + WordBytes)..]) ^ state);
            }

            // The last 16 bytes, some of which the loop may have had.
            first = Word(key[^BlockBytes..]);
            second = Word(key[^WordBytes..]);
        }
        else if (key.Length >= WordBytes)
        {
            first = Word(key);
            second = Word(key[^WordBytes..]);
        }
        else
        {
            (first, second) = ShortWords(key);
        }

        first ^= WordMask;
        second ^= state;
        ulong low = first * second;
        ulong high = High(first, second);
        return Fold(low ^ first ^ LengthMask ^ (uint)key.Length, high ^ second ^ SeedMask);
    }

    private static (ulong First, ulong Second) ShortWords(ReadOnlySpan<byte> key)
    {
        if (key.Length >= sizeof(uint))
        {
            return (BinaryPrimitives.ReadUInt32LittleEndian(key),
                BinaryPrimitives.ReadUInt32LittleEndian(key[^sizeof(uint)..]));
        }

        return key.IsEmpty ? (0UL, 0UL) : (key[0] | ((ulong)key[key.Length / 2] << 8) | ((ulong)key[^1] << 16), 0UL);
    }

    /// <summary>The halves of the product and the factors, folded into one word.</summary>
    /// <remarks>The factors are in it so that a factor of zero does not wipe out the other.</remarks>
    private static ulong Fold(ulong left, ulong right) => (left * right) ^ High(left, right) ^ left ^ right;

    /// <summary>The upper half of the product.</summary>
    private static ulong High(ulong left, ulong right) =>
        Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(left, right) : Math.BigMul(left, right, out _);

    private static ulong Word(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadUInt64LittleEndian(source);
}
