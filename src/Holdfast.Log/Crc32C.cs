using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Aes = System.Runtime.Intrinsics.Arm.Aes;

namespace Holdfast.Log;

/// <summary>CRC-32C (Castagnoli, as in iSCSI, RFC 3720 appendix B.4).</summary>
/// <remarks>
/// By the processor's instruction where it has one. That takes eight bytes, and its result three cycles later; so long
/// input is read in three places at once, whose checksums are joined (Gopal and others, "Fast CRC Computation for iSCSI
/// Polynomial Using CRC32 Instruction", Intel 2011).
/// </remarks>
public static class Crc32C
{
    private const int WordBytes = sizeof(ulong);

    // Joining costs about as much as 100 bytes: little of three times LongChain, which are nearly all of a piece of
    // 4,096 bytes, and worth it for thrice ShortChain.
    private const int LongChain = 1360;
    private const int ShortChain = 336;

    /// <summary>From here on input is read in three places, bytes.</summary>
    internal const int MinLongBytes = 3 * ShortChain;

    private static readonly uint PastOneLong = Past(LongChain);
    private static readonly uint PastTwoLong = Past(2 * LongChain);
    private static readonly uint PastOneShort = Past(ShortChain);
    private static readonly uint PastTwoShort = Past(2 * ShortChain);

    private static bool CanJoin =>
        (Sse42.X64.IsSupported && Pclmulqdq.IsSupported) || (Crc32.Arm64.IsSupported && Aes.IsSupported);

    /// <summary>The checksum of <paramref name="source"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> source) => Append(0, source);

    /// <summary>The checksum of what <paramref name="crc"/> covers followed by <paramref name="source"/>.</summary>
    /// <param name="crc">Result of an earlier call; 0 for nothing.</param>
    /// <param name="source">The bytes that follow.</param>
    public static uint Append(uint crc, ReadOnlySpan<byte> source)
    {
        uint state = ~crc;
        if (CanJoin && source.Length >= MinLongBytes) state = ByThree(state, ref source);
        return ~ByOne(state, source);
    }

    /// <summary>The same as <see cref="Append"/> without reading in several places: what it is compared with.</summary>
    internal static uint AppendByOne(uint crc, ReadOnlySpan<byte> source) => ~ByOne(~crc, source);

    private static uint ByOne(uint state, ReadOnlySpan<byte> source)
    {
        ref byte at = ref MemoryMarshal.GetReference(source);
        int left = source.Length;
        for (; left >= WordBytes; left -= WordBytes)
        {
            state = BitOperations.Crc32C(state, Word(ref at));
            at = ref Unsafe.Add(ref at, WordBytes);
        }

        ReadOnlySpan<byte> rest = source[^left..];
        if (rest.Length >= sizeof(uint))
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt32LittleEndian(rest));
            rest = rest[sizeof(uint)..];
        }

        if (rest.Length >= sizeof(ushort))
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt16LittleEndian(rest));
            rest = rest[sizeof(ushort)..];
        }

        return rest.IsEmpty ? state : BitOperations.Crc32C(state, rest[0]);
    }

    /// <summary>The state after all that is read in three places, which the source loses.</summary>
    private static uint ByThree(uint state, ref ReadOnlySpan<byte> source)
    {
        while (source.Length >= 3 * LongChain)
        {
            state = ByThree(state, source, LongChain, PastOneLong, PastTwoLong);
            source = source[(3 * LongChain)..];
        }

        while (source.Length >= 3 * ShortChain)
        {
            state = ByThree(state, source, ShortChain, PastOneShort, PastTwoShort);
            source = source[(3 * ShortChain)..];
        }

        return state;
    }

    /// <summary>The state after three chains of <paramref name="chainBytes"/> each, which the source has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint ByThree(uint state, ReadOnlySpan<byte> source, int chainBytes, uint pastOne, uint pastTwo)
    {
        ref byte at = ref MemoryMarshal.GetReference(source[..(3 * chainBytes)]);
        uint first = state, second = 0, third = 0;
        for (int left = chainBytes; left > 0; left -= WordBytes)
        {
            first = BitOperations.Crc32C(first, Word(ref at));
            second = BitOperations.Crc32C(second, Word(ref Unsafe.Add(ref at, chainBytes)));
            third = BitOperations.Crc32C(third, Word(ref Unsafe.Add(ref at, 2 * chainBytes)));
            at = ref Unsafe.Add(ref at, WordBytes);
        }

        return BitOperations.Crc32C(0, Multiply(first, pastTwo) ^ Multiply(second, pastOne)) ^ third;
    }

    /// <summary>The factor that takes a state past some bytes, a multiple of 8, as if they were zero.</summary>
    /// <remarks>
    /// A state is a polynomial over GF(2) modulo the CRC's, bit 31 being the coefficient of x^0. The instruction makes
    /// of a state s and a word w the state (s x^32 + w) x^32, w of degree 63 and s added to its highest coefficients;
    /// so n bytes of zeros multiply by x^8n. The carry-less product of two states a and b has 63 bits, and as a word,
    /// whose bit 63 is x^0, it is a b x; the instruction makes of it a b x^33. Thus the factor for n bytes is
    /// x^(8n - 33), which is x^31, the state 1, taken past n/8 - 1 words of zeros by the instruction itself.
    /// </remarks>
    private static uint Past(int bytes)
    {
        uint factor = 1;
        for (int word = 1; word < bytes / WordBytes; word++) factor = BitOperations.Crc32C(factor, 0UL);
        return factor;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Word(ref byte at)
    {
        ulong word = Unsafe.ReadUnaligned<ulong>(ref at);
        return BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
    }

    /// <summary>Without carries: the product of two polynomials over GF(2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Multiply(uint left, uint right) => Pclmulqdq.IsSupported
        ? Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar((ulong)left), Vector128.CreateScalar((ulong)right), 0)
            .ToScalar()
        : Aes.PolynomialMultiplyWideningLower(Vector64.CreateScalar((ulong)left), Vector64.CreateScalar((ulong)right))
            .ToScalar();
}
