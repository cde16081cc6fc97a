namespace Holdfast.Erasure.Coding;

/// <summary>
/// The field of 256 elements that is made by x⁸+x⁴+x³+x²+1 (0x11d): a byte is a polynomial, bit i the coefficient of
/// xⁱ.
/// </summary>
/// <remarks>Addition and subtraction are exclusive or. See docs/formats/erasure.md, "Field".</remarks>
internal static class GaloisField
{
    /// <summary>The polynomial by which products are reduced.</summary>
    public const int Polynomial = 0x11d;

    // 2 generates all elements but zero: each is a power below 255.
    private const int Order = 255;

    // Twice as long as needed, so that a sum of two logarithms needs no division.
    private static readonly byte[] Powers = new byte[2 * Order];
    private static readonly byte[] Logarithms = new byte[256];

    static GaloisField()
    {
        int power = 1;
        for (int exponent = 0; exponent < Order; exponent++)
        {
            Powers[exponent] = Powers[exponent + Order] = (byte)power;
            Logarithms[power] = (byte)exponent;
            power <<= 1;
            if (power > byte.MaxValue) power ^= Polynomial;
        }
    }

    public static byte Multiply(byte left, byte right) =>
        left == 0 || right == 0 ? (byte)0 : Powers[Logarithms[left] + Logarithms[right]];

    /// <exception cref="DivideByZeroException"><paramref name="value"/> is zero.</exception>
    public static byte Invert(byte value)
    {
        if (value == 0) throw new DivideByZeroException("zero of GF(2^8) has no inverse");
        return Powers[Order - Logarithms[value]];
    }
}
