using Holdfast.Erasure.Coding;

namespace Holdfast.Erasure.Tests.Coding;

public sealed class GaloisFieldTests
{
    [Fact]
    public void ProductsAreThoseOfPolynomials()
    {
        for (int left = 0; left < 256; left++)
        {
            for (int right = 0; right < 256; right++)
            {
                byte product = GaloisField.Multiply((byte)left, (byte)right);
                Assert.Equal(BitwiseField.Multiply(left, right), product);
                Assert.Equal(IsaL.Multiply((byte)left, (byte)right), product);
            }
        }
    }

    [Fact]
    public void EveryElementButZeroHasAnInverse()
    {
        Assert.Throws<DivideByZeroException>(() => GaloisField.Invert(0));
        for (int value = 1; value < 256; value++)
        {
            Assert.Equal(1, GaloisField.Multiply((byte)value, GaloisField.Invert((byte)value)));
        }
    }
}
