using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Erasure.Kernels;

/// <summary>64 bytes at a time by GFNI's affine transform.</summary>
internal readonly unsafe struct Affine512 : IVectorProduct<Vector512<byte>, Vector512<byte>, Vector512<byte>>
{
    public static bool IsSupported => Gfni.V512.IsSupported && Vector512.IsHardwareAccelerated;

    public static int VectorBytes => Vector512<byte>.Count;

    public static int TableBytes => AffineMatrices.TableBytes;

    public static void WriteTable(byte coefficient, Span<byte> table) => AffineMatrices.Write(coefficient, table);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Load(byte* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<byte> vector, byte* target) => vector.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Prepare(Vector512<byte> source) => source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LoadTable(byte* table) => Vector512.Create(*(ulong*)table).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> AddProduct(
        Vector512<byte> sum, Vector512<byte> source, Vector512<byte> coefficient) =>
        sum ^ Gfni.V512.GaloisFieldAffineTransform(source, coefficient, 0);
}
