namespace Holdfast.Erasure.Coding;

/// <summary>By which coefficients lost shards are made of those that are there.</summary>
/// <remarks>
/// Only the e data shards that are missing are unknown, and e of the sources are parity: e equations, e ≤ m. So a
/// matrix of at most 6×6 is inverted, whatever k is.
/// </remarks>
internal static class RecoveryMatrix
{
    /// <summary>A row of k coefficients, one for each source, for each target.</summary>
    /// <param name="dataShards">k.</param>
    /// <param name="sources">k shards, ascending.</param>
    /// <param name="targets">Shards that are not among the sources.</param>
    /// <exception cref="InvalidOperationException">The matrix is singular: impossible for a Cauchy matrix.</exception>
    public static byte[] Rows(int dataShards, ReadOnlySpan<int> sources, ReadOnlySpan<int> targets)
    {
        int known = 0;
        while (known < dataShards && sources[known] < dataShards) known++;
        Span<int> missing = stackalloc int[dataShards - known];
        FindMissing(sources[..known], missing);
        byte[] solved = Solve(dataShards, sources, known, missing);

        byte[] rows = new byte[targets.Length * dataShards];
        for (int target = 0; target < targets.Length; target++)
        {
            Span<byte> row = rows.AsSpan(target * dataShards, dataShards);
            int shard = targets[target];
            if (shard < dataShards)
            {
                solved.AsSpan(missing.IndexOf(shard) * dataShards, dataShards).CopyTo(row);
            }
            else
            {
                WriteParityRow(row, dataShards, shard - dataShards, sources[..known], missing, solved);
            }
        }

        return rows;
    }

    private static void FindMissing(ReadOnlySpan<int> known, Span<int> missing)
    {
        int found = 0, next = 0;
        for (int shard = 0; found < missing.Length; shard++)
        {
            if (next < known.Length && known[next] == shard) next++;
            else missing[found++] = shard;
        }
    }

    /// <summary>
    /// A row for each missing data shard. Parity p of the sources is y = Σ c·known + Σ c·missing, so A·missing = y + Σ
    /// c·known with A the coefficients of the missing, and missing = A⁻¹·(y + Σ c·known).
    /// </summary>
    private static byte[] Solve(int dataShards, ReadOnlySpan<int> sources, int known, ReadOnlySpan<int> missing)
    {
        int size = missing.Length;
        Span<byte> matrix = stackalloc byte[size * size];
        for (int equation = 0; equation < size; equation++)
        {
            int parity = sources[known + equation] - dataShards;
            for (int unknown = 0; unknown < size; unknown++)
            {
                matrix[(equation * size) + unknown] = CauchyMatrix.Coefficient(dataShards, parity, missing[unknown]);
            }
        }

        byte[] inverse = SquareMatrix.Invert(matrix, size)
            ?? throw new InvalidOperationException("the matrix of a Reed-Solomon code is singular");
        byte[] rows = new byte[size * dataShards];
        for (int unknown = 0; unknown < size; unknown++)
        {
            Span<byte> row = rows.AsSpan(unknown * dataShards, dataShards);
            for (int equation = 0; equation < size; equation++)
            {
                byte factor = inverse[(unknown * size) + equation];
                int parity = sources[known + equation] - dataShards;
                row[known + equation] = factor;
                for (int source = 0; source < known; source++)
                {
                    byte coefficient = CauchyMatrix.Coefficient(dataShards, parity, sources[source]);
                    row[source] ^= GaloisField.Multiply(factor, coefficient);
                }
            }
        }

        return rows;
    }

    /// <summary>Parity of all data shards, with what the missing ones are made of in their place.</summary>
    private static void WriteParityRow(
        Span<byte> row, int dataShards, int parity, ReadOnlySpan<int> known, ReadOnlySpan<int> missing, byte[] solved)
    {
        for (int source = 0; source < known.Length; source++)
        {
            row[source] = CauchyMatrix.Coefficient(dataShards, parity, known[source]);
        }

        for (int unknown = 0; unknown < missing.Length; unknown++)
        {
            byte factor = CauchyMatrix.Coefficient(dataShards, parity, missing[unknown]);
            ReadOnlySpan<byte> solution = solved.AsSpan(unknown * dataShards, dataShards);
            for (int i = 0; i < dataShards; i++) row[i] ^= GaloisField.Multiply(factor, solution[i]);
        }
    }
}
