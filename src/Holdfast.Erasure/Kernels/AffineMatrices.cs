using System.Buffers.Binary;
using Holdfast.Erasure.Coding;

namespace Holdfast.Erasure.Kernels;

/// <summary>Multiplication with a coefficient as a matrix of 8×8 bits, as GF2P8AFFINEQB takes it.</summary>
/// <remarks>
/// Bit i of the result is the parity of (byte 7 − i of the matrix) and the input: Intel, "Software Developer's Manual",
/// vol. 2, GF2P8AFFINEQB. The instruction knows nothing of a polynomial, so the field may be any.
/// </remarks>
internal static class AffineMatrices
{
    public const int TableBytes = sizeof(ulong);

    private static readonly ulong[] Matrices = Build();

    /// <summary>The matrix of a coefficient; byte 0 is the lowest.</summary>
    public static ulong Of(byte coefficient) => Matrices[coefficient];

    public static void Write(byte coefficient, Span<byte> table) =>
        BinaryPrimitives.WriteUInt64LittleEndian(table, Matrices[coefficient]);

    private static ulong[] Build()
    {
        ulong[] matrices = new ulong[256];
        for (int coefficient = 0; coefficient < 256; coefficient++)
        {
            ulong matrix = 0;
            for (int column = 0; column < 8; column++)
            {
                // Where input bit `column` alone is set, the result is this product.
                byte product = GaloisField.Multiply((byte)coefficient, (byte)(1 << column));
                for (int row = 0; row < 8; row++)
                {
                    ulong bit = (ulong)(product >> row) & 1;
                    matrix |= bit << (((7 - row) * 8) + column);
                }
            }

            matrices[coefficient] = matrix;
        }

        return matrices;
    }
}
