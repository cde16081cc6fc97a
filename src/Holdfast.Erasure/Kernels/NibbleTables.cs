using Holdfast.Erasure.Coding;

namespace Holdfast.Erasure.Kernels;

/// <summary>
/// Products of a coefficient with each lower and each upper half of a byte; their sum is its product with the byte.
/// </summary>
/// <remarks>
/// 16 products with 0x00…0x0f, then 16 with 0x00, 0x10…0xf0: what a byte shuffle looks up. Plank, Greenan, Miller:
/// "Screaming Fast Galois Field Arithmetic Using Intel SIMD Instructions", FAST 2013.
/// </remarks>
internal static class NibbleTables
{
    public const int TableBytes = 32;

    /// <summary>Where the products with upper halves begin.</summary>
    public const int UpperOffset = 16;

    private static readonly byte[] Tables = Build();

    public static void Write(byte coefficient, Span<byte> table) =>
        Tables.AsSpan(coefficient * TableBytes, TableBytes).CopyTo(table);

    private static byte[] Build()
    {
        byte[] tables = new byte[256 * TableBytes];
        for (int coefficient = 0; coefficient < 256; coefficient++)
        {
            Span<byte> table = tables.AsSpan(coefficient * TableBytes, TableBytes);
            for (int half = 0; half < 16; half++)
            {
                table[half] = GaloisField.Multiply((byte)coefficient, (byte)half);
                table[UpperOffset + half] = GaloisField.Multiply((byte)coefficient, (byte)(half << 4));
            }
        }

        return tables;
    }
}
