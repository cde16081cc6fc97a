namespace Holdfast.Erasure.Coding;

/// <summary>
/// The coefficients of parity: 1 / (i + j) for shard i ≥ k and data shard j &lt; k; as gf_gen_cauchy1_matrix of ISA-L.
/// </summary>
/// <remarks>
/// Every square part of a Cauchy matrix can be inverted, so any k shards give back the data. docs/formats/erasure.md,
/// "Code".
/// </remarks>
internal static class CauchyMatrix
{
    /// <summary>
    /// What data shard <paramref name="data"/> is multiplied with in parity <paramref name="parity"/>.
    /// </summary>
    /// <param name="dataShards">k.</param>
    /// <param name="parity">From 0: shard k + parity.</param>
    /// <param name="data">From 0, less than k.</param>
    public static byte Coefficient(int dataShards, int parity, int data) =>
        GaloisField.Invert((byte)((dataShards + parity) ^ data));

    /// <summary>All of them, a row of k coefficients for each parity shard.</summary>
    public static byte[] Rows(int dataShards, int parityShards)
    {
        byte[] rows = new byte[parityShards * dataShards];
        for (int parity = 0; parity < parityShards; parity++)
        {
            for (int data = 0; data < dataShards; data++)
            {
                rows[(parity * dataShards) + data] = Coefficient(dataShards, parity, data);
            }
        }

        return rows;
    }
}
