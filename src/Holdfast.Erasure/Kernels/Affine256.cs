using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Erasure.Kernels;

/// <summary>32 bytes at a time by GFNI's affine transform.</summary>
internal readonly unsafe struct Affine256 : IVectorProduct<Vector256<byte>, Vector256<byte>, Vector256<byte>>
{
    public static bool IsSupported => Gfni.V256.IsSupported;

    public static int VectorBytes => Vector256<byte>.Count;

    public static int TableBytes => AffineMatrices.TableBytes;

    public static void WriteTable(byte coefficient, Span<byte> table) => AffineMatrices.Write(coefficient, table);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<byte> vector, byte* target) => vector.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Prepare(Vector256<byte> source) => source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LoadTable(byte* table) => Vector256.Create(*(ulong*)table).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> AddProduct(
        Vector256<byte> sum, Vector256<byte> source, Vector256<byte> coefficient) =>
        sum ^ Gfni.V256.GaloisFieldAffineTransform(source, coefficient, 0);
}
