using Holdfast.Erasure.Coding;

namespace Holdfast.Erasure.Tests.Coding;

public sealed class SquareMatrixTests
{
    [Theory, InlineData(1), InlineData(2)]
    public void TheProductWithTheInverseIsTheIdentity(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 500; round++)
        {
            int size = random.Next(1, 8);
            byte[] matrix = new byte[size * size];
            random.NextBytes(matrix);
            // Zeros, so that a pivot has to be looked for.
            if (round % 2 == 0) matrix[0] = matrix[^1] = 0;
            byte[]? inverse = SquareMatrix.Invert(matrix.ToArray(), size);
            if (inverse is null) continue;
            for (int row = 0; row < size; row++)
            {
                for (int column = 0; column < size; column++)
                {
                    byte sum = 0;
                    for (int i = 0; i < size; i++)
                    {
                        sum ^= BitwiseField.Multiply(matrix[(row * size) + i], inverse[(i * size) + column]);
                    }

                    Assert.True(sum == (row == column ? 1 : 0), $"seed {seed}, round {round}, size {size}");
                }
            }
        }
    }

    [Fact]
    public void ASingularMatrixHasNoInverse()
    {
        Assert.Null(SquareMatrix.Invert([0], 1));
        Assert.Null(SquareMatrix.Invert([3, 5, 6, 10], 2));
        Assert.NotNull(SquareMatrix.Invert([0, 1, 1, 0], 2));
    }

    [Fact]
    public void EverySquarePartOfParityCanBeInverted()
    {
        const int dataShards = 7, parityShards = 6;
        byte[] rows = CauchyMatrix.Rows(dataShards, parityShards);
        foreach (int[] chosenRows in Patterns.UpTo(parityShards, parityShards))
        {
            foreach (int[] columns in Patterns.UpTo(chosenRows.Length, dataShards))
            {
                if (columns.Length != chosenRows.Length) continue;
                byte[] part = [.. from row in chosenRows from at in columns select rows[(row * dataShards) + at]];
                Assert.NotNull(SquareMatrix.Invert(part, columns.Length));
            }
        }
    }
}
