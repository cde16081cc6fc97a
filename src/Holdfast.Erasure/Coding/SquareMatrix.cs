namespace Holdfast.Erasure.Coding;

/// <summary>Square matrices over GF(2⁸), row by row in an array.</summary>
internal static class SquareMatrix
{
    /// <summary>The inverse, by Gauss and Jordan's elimination. Overwrites <paramref name="matrix"/>.</summary>
    /// <returns>Null where there is none.</returns>
    public static byte[]? Invert(Span<byte> matrix, int size)
    {
        byte[] inverse = new byte[size * size];
        for (int i = 0; i < size; i++) inverse[(i * size) + i] = 1;
        for (int column = 0; column < size; column++)
        {
            int pivot = column;
            while (pivot < size && matrix[(pivot * size) + column] == 0) pivot++;
            if (pivot == size) return null;
            if (pivot != column)
            {
                // The row of the pivot is added to this one, which has a zero in the column.
                AddRow(matrix, size, pivot, column, 1);
                AddRow(inverse, size, pivot, column, 1);
            }

            byte scale = GaloisField.Invert(matrix[(column * size) + column]);
            ScaleRow(matrix, size, column, scale);
            ScaleRow(inverse, size, column, scale);
            for (int row = 0; row < size; row++)
            {
                byte factor = matrix[(row * size) + column];
                if (row == column || factor == 0) continue;
                AddRow(matrix, size, column, row, factor);
                AddRow(inverse, size, column, row, factor);
            }
        }

        return inverse;
    }

    private static void ScaleRow(Span<byte> matrix, int size, int row, byte factor)
    {
        foreach (ref byte value in matrix.Slice(row * size, size)) value = GaloisField.Multiply(value, factor);
    }

    private static void AddRow(Span<byte> matrix, int size, int from, int to, byte factor)
    {
        for (int i = 0; i < size; i++)
        {
            matrix[(to * size) + i] ^= GaloisField.Multiply(matrix[(from * size) + i], factor);
        }
    }
}
