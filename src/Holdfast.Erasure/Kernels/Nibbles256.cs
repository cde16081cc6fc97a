using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Erasure.Kernels;

/// <summary>Products of both halves of 32 bytes, looked up in registers by AVX2's shuffle.</summary>
internal readonly unsafe struct Nibbles256 : IVectorProduct<Vector256<byte>, Nibbles256.Halves, Nibbles256.Halves>
{
    /// <summary>Of a source: its lower and upper halves. Of a coefficient: its products with each of them.</summary>
    internal readonly struct Halves(Vector256<byte> lower, Vector256<byte> upper)
    {
        public readonly Vector256<byte> Lower = lower;
        public readonly Vector256<byte> Upper = upper;
    }

    public static bool IsSupported => Avx2.IsSupported;

    public static int VectorBytes => Vector256<byte>.Count;

    public static int TableBytes => NibbleTables.TableBytes;

    public static void WriteTable(byte coefficient, Span<byte> table) => NibbleTables.Write(coefficient, table);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<byte> vector, byte* target) => vector.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Halves Prepare(Vector256<byte> source)
    {
        Vector256<byte> lowerBits = Vector256.Create((byte)15);
        return new(source & lowerBits, (source.AsUInt16() >>> 4).AsByte() & lowerBits);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Halves LoadTable(byte* table) =>
        new(
            Avx2.BroadcastVector128ToVector256(table),
            Avx2.BroadcastVector128ToVector256(table + NibbleTables.UpperOffset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> AddProduct(Vector256<byte> sum, Halves source, Halves coefficient) =>
        sum ^ Avx2.Shuffle(coefficient.Lower, source.Lower) ^ Avx2.Shuffle(coefficient.Upper, source.Upper);
}
