namespace Holdfast.Erasure.Kernels;

/// <summary>Byte by byte, for machines without vectors, and what the others are compared with.</summary>
internal sealed unsafe class ScalarKernel : Kernel
{
    // Targets stay in the first-level cache while the sources are added to them one after another.
    private const int SliceBytes = 4096;

    public override string Name => "scalar";

    public override bool IsSupported => true;

    public override int TableBytes => NibbleTables.TableBytes;

    public override int ColumnBytes => 1;

    public override void WriteTable(byte coefficient, Span<byte> table) => NibbleTables.Write(coefficient, table);

    public override void Compute(in Sums sums, nint start, nint end)
    {
        for (nint at = start; at < end; at += SliceBytes)
        {
            int length = (int)nint.Min(SliceBytes, end - at);
            for (int row = 0; row < sums.Rows; row++)
            {
                byte* target = sums.Targets[row] + at;
                if (!sums.IsAdding) new Span<byte>(target, length).Clear();
                for (int source = 0; source < sums.SourceCount; source++)
                {
                    byte* table = sums.Tables + (((source * sums.Rows) + row) * NibbleTables.TableBytes);
                    AddProducts(sums.Sources[source] + at, table, target, length);
                }
            }
        }
    }

    private static void AddProducts(byte* source, byte* table, byte* target, int length)
    {
        for (int i = 0; i < length; i++)
        {
            target[i] ^= (byte)(table[source[i] & 15] ^ table[NibbleTables.UpperOffset + (source[i] >> 4)]);
        }
    }
}
