namespace Holdfast.Erasure.Tests;

/// Products in GF(2⁸) bit by bit, as the definition says: the shifted factor for each bit of the other, reduced by
/// 0x11d.
internal static class BitwiseField
{
    public static byte Multiply(int left, int right)
    {
        int product = 0;
        for (int bit = 0; bit < 8; bit++) product ^= (right >> bit & 1) * (left << bit);
        for (int bit = 14; bit >= 8; bit--) product ^= (product >> bit & 1) * (0x11d << (bit - 8));
        return (byte)product;
    }
}
