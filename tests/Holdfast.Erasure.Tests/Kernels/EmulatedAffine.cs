using System.Numerics;
using System.Runtime.Intrinsics;
using Holdfast.Erasure.Kernels;

namespace Holdfast.Erasure.Tests.Kernels;

/// GF2P8AFFINEQB as the manual defines it, so that the kernels for GFNI are tested where the processor has none.
internal static class EmulatedAffine
{
    public static byte Transform(byte source, ulong matrix)
    {
        int result = 0;
        for (int bit = 0; bit < 8; bit++)
        {
            byte row = (byte)(matrix >> (8 * (7 - bit)));
            result |= (BitOperations.PopCount((uint)(row & source)) & 1) << bit;
        }

        return (byte)result;
    }
}

internal sealed class EmulatedAffine512Kernel
    : VectorKernel<EmulatedAffine512, Vector512<byte>, Vector512<byte>, Vector512<byte>>
{
    public override string Name => "GFNI 512, emulated";
}

internal sealed class EmulatedAffine256Kernel
    : VectorKernel<EmulatedAffine256, Vector256<byte>, Vector256<byte>, Vector256<byte>>
{
    public override string Name => "GFNI 256, emulated";
}

internal readonly unsafe struct EmulatedAffine512 : IVectorProduct<Vector512<byte>, Vector512<byte>, Vector512<byte>>
{
    public static bool IsSupported => true;

    public static int VectorBytes => Affine512.VectorBytes;

    public static int TableBytes => Affine512.TableBytes;

    public static void WriteTable(byte coefficient, Span<byte> table) => Affine512.WriteTable(coefficient, table);

    public static Vector512<byte> Load(byte* source) => Affine512.Load(source);

    public static void Store(Vector512<byte> vector, byte* target) => Affine512.Store(vector, target);

    public static Vector512<byte> Prepare(Vector512<byte> source) => Affine512.Prepare(source);

    public static Vector512<byte> LoadTable(byte* table) => Affine512.LoadTable(table);

    public static Vector512<byte> AddProduct(
        Vector512<byte> sum, Vector512<byte> source, Vector512<byte> coefficient) =>
        Vector512.Create(
            EmulatedAffine256.AddProduct(sum.GetLower(), source.GetLower(), coefficient.GetLower()),
            EmulatedAffine256.AddProduct(sum.GetUpper(), source.GetUpper(), coefficient.GetUpper()));
}

internal readonly unsafe struct EmulatedAffine256 : IVectorProduct<Vector256<byte>, Vector256<byte>, Vector256<byte>>
{
    public static bool IsSupported => true;

    public static int VectorBytes => Affine256.VectorBytes;

    public static int TableBytes => Affine256.TableBytes;

    public static void WriteTable(byte coefficient, Span<byte> table) => Affine256.WriteTable(coefficient, table);

    public static Vector256<byte> Load(byte* source) => Affine256.Load(source);

    public static void Store(Vector256<byte> vector, byte* target) => Affine256.Store(vector, target);

    public static Vector256<byte> Prepare(Vector256<byte> source) => Affine256.Prepare(source);

    public static Vector256<byte> LoadTable(byte* table) => Affine256.LoadTable(table);

    public static Vector256<byte> AddProduct(Vector256<byte> sum, Vector256<byte> source, Vector256<byte> coefficient)
    {
        Span<byte> products = stackalloc byte[32];
        for (int i = 0; i < products.Length; i++)
        {
            products[i] = EmulatedAffine.Transform(source[i], coefficient.AsUInt64()[i / 8]);
        }

        return sum ^ Vector256.Create(products);
    }
}
