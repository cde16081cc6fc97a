using System.Runtime.CompilerServices;

namespace Holdfast.Erasure.Kernels;

/// <summary>
/// Goes through all sources column by column, a column being two vectors wide, with the sums of all targets in
/// registers: each byte of a source is read once and each byte of a target written once, however many there are.
/// </summary>
/// <remarks>
/// One function for each count of targets, because only variables of their own stay in registers. Compiled at once with
/// all optimizations: a call may take as long as a process lives.
/// </remarks>
internal abstract unsafe class VectorKernel<TProduct, TVector, TFactor, TTable> : Kernel
    where TProduct : struct, IVectorProduct<TVector, TFactor, TTable>
    where TVector : struct
    where TFactor : struct
    where TTable : struct
{
    public sealed override bool IsSupported => TProduct.IsSupported;

    public sealed override int TableBytes => TProduct.TableBytes;

    public sealed override int ColumnBytes => 2 * TProduct.VectorBytes;

    public sealed override void WriteTable(byte coefficient, Span<byte> table) =>
        TProduct.WriteTable(coefficient, table);

    public sealed override void Compute(in Sums sums, nint start, nint end)
    {
        switch (sums.Rows)
        {
            case 1: One(sums, start, end); break;
            case 2: Two(sums, start, end); break;
            case 3: Three(sums, start, end); break;
            case 4: Four(sums, start, end); break;
            default: throw new InvalidOperationException($"{sums.Rows} targets in one pass");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(in Sums sums, nint start, nint end)
    {
        byte** sources = sums.Sources;
        nint count = sums.SourceCount;
        byte* a = sums.Targets[0];
        for (nint at = start; at < end; at += 2 * TProduct.VectorBytes)
        {
            TVector a0 = default, a1 = default;
            if (sums.IsAdding) LoadColumn(a + at, out a0, out a1);
            byte* table = sums.Tables;
            for (nint j = 0; j < count; j++)
            {
                byte* source = sources[j] + at;
                TFactor x0 = TProduct.Prepare(TProduct.Load(source));
                TFactor x1 = TProduct.Prepare(TProduct.Load(source + TProduct.VectorBytes));
                AddTo(ref a0, ref a1, x0, x1, table);
                table += TProduct.TableBytes;
            }

            StoreColumn(a + at, a0, a1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(in Sums sums, nint start, nint end)
    {
        byte** sources = sums.Sources;
        nint count = sums.SourceCount;
        byte* a = sums.Targets[0], b = sums.Targets[1];
        for (nint at = start; at < end; at += 2 * TProduct.VectorBytes)
        {
            TVector a0 = default, a1 = default, b0 = default, b1 = default;
            if (sums.IsAdding)
            {
                LoadColumn(a + at, out a0, out a1);
                LoadColumn(b + at, out b0, out b1);
            }

            byte* table = sums.Tables;
            for (nint j = 0; j < count; j++)
            {
                byte* source = sources[j] + at;
                TFactor x0 = TProduct.Prepare(TProduct.Load(source));
                TFactor x1 = TProduct.Prepare(TProduct.Load(source + TProduct.VectorBytes));
                AddTo(ref a0, ref a1, x0, x1, table);
                AddTo(ref b0, ref b1, x0, x1, table + TProduct.TableBytes);
                table += 2 * TProduct.TableBytes;
            }

            StoreColumn(a + at, a0, a1);
            StoreColumn(b + at, b0, b1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Three(in Sums sums, nint start, nint end)
    {
        byte** sources = sums.Sources;
        nint count = sums.SourceCount;
        byte* a = sums.Targets[0], b = sums.Targets[1], c = sums.Targets[2];
        for (nint at = start; at < end; at += 2 * TProduct.VectorBytes)
        {
            TVector a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default;
            if (sums.IsAdding)
            {
                LoadColumn(a + at, out a0, out a1);
                LoadColumn(b + at, out b0, out b1);
                LoadColumn(c + at, out c0, out c1);
            }

            byte* table = sums.Tables;
            for (nint j = 0; j < count; j++)
            {
                byte* source = sources[j] + at;
                TFactor x0 = TProduct.Prepare(TProduct.Load(source));
                TFactor x1 = TProduct.Prepare(TProduct.Load(source + TProduct.VectorBytes));
                AddTo(ref a0, ref a1, x0, x1, table);
                AddTo(ref b0, ref b1, x0, x1, table + TProduct.TableBytes);
                AddTo(ref c0, ref c1, x0, x1, table + (2 * TProduct.TableBytes));
                table += 3 * TProduct.TableBytes;
            }

            StoreColumn(a + at, a0, a1);
            StoreColumn(b + at, b0, b1);
            StoreColumn(c + at, c0, c1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(in Sums sums, nint start, nint end)
    {
        byte** sources = sums.Sources;
        nint count = sums.SourceCount;
        byte* a = sums.Targets[0], b = sums.Targets[1], c = sums.Targets[2], d = sums.Targets[3];
        for (nint at = start; at < end; at += 2 * TProduct.VectorBytes)
        {
            TVector a0 = default, a1 = default, b0 = default, b1 = default;
            TVector c0 = default, c1 = default, d0 = default, d1 = default;
            if (sums.IsAdding)
            {
                LoadColumn(a + at, out a0, out a1);
                LoadColumn(b + at, out b0, out b1);
                LoadColumn(c + at, out c0, out c1);
                LoadColumn(d + at, out d0, out d1);
            }

            byte* table = sums.Tables;
            for (nint j = 0; j < count; j++)
            {
                byte* source = sources[j] + at;
                TFactor x0 = TProduct.Prepare(TProduct.Load(source));
                TFactor x1 = TProduct.Prepare(TProduct.Load(source + TProduct.VectorBytes));
                AddTo(ref a0, ref a1, x0, x1, table);
                AddTo(ref b0, ref b1, x0, x1, table + TProduct.TableBytes);
                AddTo(ref c0, ref c1, x0, x1, table + (2 * TProduct.TableBytes));
                AddTo(ref d0, ref d1, x0, x1, table + (3 * TProduct.TableBytes));
                table += 4 * TProduct.TableBytes;
            }

            StoreColumn(a + at, a0, a1);
            StoreColumn(b + at, b0, b1);
            StoreColumn(c + at, c0, c1);
            StoreColumn(d + at, d0, d1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadColumn(byte* target, out TVector first, out TVector second)
    {
        first = TProduct.Load(target);
        second = TProduct.Load(target + TProduct.VectorBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreColumn(byte* target, TVector first, TVector second)
    {
        TProduct.Store(first, target);
        TProduct.Store(second, target + TProduct.VectorBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo(ref TVector first, ref TVector second, TFactor x0, TFactor x1, byte* table)
    {
        TTable coefficient = TProduct.LoadTable(table);
        first = TProduct.AddProduct(first, x0, coefficient);
        second = TProduct.AddProduct(second, x1, coefficient);
    }
}
