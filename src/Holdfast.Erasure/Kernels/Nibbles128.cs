using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Erasure.Kernels;

/// <summary>Products of both halves of 16 bytes, looked up in registers: by PSHUFB of SSSE3, by TBL of ARM.</summary>
internal readonly unsafe struct Nibbles128 : IVectorProduct<Vector128<byte>, Nibbles128.Halves, Nibbles128.Halves>
{
    /// <summary>Of a source: its lower and upper halves. Of a coefficient: its products with each of them.</summary>
    internal readonly struct Halves(Vector128<byte> lower, Vector128<byte> upper)
    {
        public readonly Vector128<byte> Lower = lower;
        public readonly Vector128<byte> Upper = upper;
    }

    public static bool IsSupported => Ssse3.IsSupported || AdvSimd.Arm64.IsSupported;

    public static int VectorBytes => Vector128<byte>.Count;

    public static int TableBytes => NibbleTables.TableBytes;

    public static void WriteTable(byte coefficient, Span<byte> table) => NibbleTables.Write(coefficient, table);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Load(byte* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<byte> vector, byte* target) => vector.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Halves Prepare(Vector128<byte> source)
    {
        Vector128<byte> lowerBits = Vector128.Create((byte)15);
        return new(source & lowerBits, (source.AsUInt16() >>> 4).AsByte() & lowerBits);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Halves LoadTable(byte* table) =>
        new(Vector128.Load(table), Vector128.Load(table + NibbleTables.UpperOffset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AddProduct(Vector128<byte> sum, Halves source, Halves coefficient) =>
        sum
        ^ Vector128.ShuffleNative(coefficient.Lower, source.Lower)
        ^ Vector128.ShuffleNative(coefficient.Upper, source.Upper);
}
