using System.Runtime.CompilerServices;

namespace Holdfast.Erasure.Kernels;

/// <summary>
/// A matrix over GF(2⁸) in the form that a kernel multiplies with. Immutable, for any number of threads.
/// </summary>
/// <remarks>Takes rows · columns tables of 8 (GFNI) or 32 bytes.</remarks>
internal sealed unsafe class PreparedMatrix
{
    // With more than MaxRows targets there are two passes, in slices: of all sources together a slice stays in the
    // second-level cache (512 KiB or more for a core) until the second pass has read it.
    private const int CachedBytes = 256 << 10;
    private const int MinSliceBytes = 1024;

    // Of a tail so many sources are brought together at a time; each has a column of its own on the stack.
    private const int TailSources = 16;

    private const int CacheLineBytes = 64;

    private readonly Kernel kernel;
    private readonly byte[] storage;
    private readonly byte* tables;
    private readonly int rows;
    private readonly int columns;

    /// <param name="kernel">Who multiplies with it.</param>
    /// <param name="coefficients">Row by row; a row for each target, a column for each source.</param>
    /// <param name="rows">1 to <see cref="ReedSolomon.MaxParityShards"/>.</param>
    public PreparedMatrix(Kernel kernel, ReadOnlySpan<byte> coefficients, int rows)
    {
        this.kernel = kernel;
        this.rows = rows;
        columns = coefficients.Length / rows;

        // In the pinned heap, on a boundary of its own: a table never lies in two cache lines.
        int bytes = (coefficients.Length * kernel.TableBytes) + CacheLineBytes;
        storage = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
        nint address = (nint)Unsafe.AsPointer(ref storage[0]);
        tables = (byte*)((address + CacheLineBytes - 1) & -CacheLineBytes);
        WriteTables(kernel, coefficients, rows, tables);
    }

    /// <summary>Replaces the targets by the product of this and the sources.</summary>
    /// <param name="sources">One for each column; none overlaps a target.</param>
    /// <param name="targets">One for each row.</param>
    /// <param name="length">Bytes of each source and target, from 0.</param>
    public void Multiply(byte** sources, byte** targets, int length)
    {
        Multiply(kernel, tables, sources, columns, targets, rows, length, isAdding: false);
        GC.KeepAlive(this);
    }

    /// <summary>The same without an object: for matrices that are used once.</summary>
    /// <param name="kernel">Who multiplies.</param>
    /// <param name="tables">From <see cref="WriteTables"/>.</param>
    /// <param name="sources">One for each column.</param>
    /// <param name="columns">At least 1.</param>
    /// <param name="targets">One for each row.</param>
    /// <param name="rows">1 to <see cref="ReedSolomon.MaxParityShards"/>.</param>
    /// <param name="length">Bytes of each source and target, from 0.</param>
    /// <param name="isAdding">Whether the product is added to what the targets hold.</param>
    public static void Multiply(
        Kernel kernel, byte* tables, byte** sources, int columns, byte** targets, int rows, int length, bool isAdding)
    {
        int tail = length & (kernel.ColumnBytes - 1), whole = length - tail;
        int firstRows = FirstRows(rows);
        var first = new Sums(tables, sources, columns, targets, firstRows, isAdding);
        if (firstRows == rows)
        {
            if (whole > 0) kernel.Compute(first, 0, whole);
        }
        else
        {
            byte* secondTables = tables + (firstRows * columns * kernel.TableBytes);
            var second = new Sums(secondTables, sources, columns, targets + firstRows, rows - firstRows, isAdding);
            int slice = Math.Max(MinSliceBytes, CachedBytes / columns / MinSliceBytes * MinSliceBytes);
            for (int start = 0, end; start < whole; start = end)
            {
                end = start + Math.Min(slice, whole - start);
                kernel.Compute(first, start, end);
                kernel.Compute(second, start, end);
            }
        }

        if (tail > 0) MultiplyTail(kernel, tables, sources, columns, targets, rows, whole, tail, isAdding);
    }

    /// <summary>Writes the tables of a matrix: those of the rows of the first pass, then those of the second.</summary>
    public static void WriteTables(Kernel kernel, ReadOnlySpan<byte> coefficients, int rows, byte* target)
    {
        int columns = coefficients.Length / rows, firstRows = FirstRows(rows);
        for (int row = 0; row < rows; row++)
        {
            bool isFirst = row < firstRows;
            int passRow = isFirst ? row : row - firstRows, passRows = isFirst ? firstRows : rows - firstRows;
            byte* pass = isFirst ? target : target + (firstRows * columns * kernel.TableBytes);
            for (int column = 0; column < columns; column++)
            {
                byte* table = pass + (((column * passRows) + passRow) * kernel.TableBytes);
                kernel.WriteTable(coefficients[(row * columns) + column], new Span<byte>(table, kernel.TableBytes));
            }
        }
    }

    private static int FirstRows(int rows) => rows <= Kernel.MaxRows ? rows : (rows + 1) / 2;

    /// <summary>
    /// What is less than a column, in columns of its own, of which only the first bytes mean anything.
    /// </summary>
    [SkipLocalsInit]
    private static void MultiplyTail(
        Kernel kernel,
        byte* tables,
        byte** sources,
        int columns,
        byte** targets,
        int rows,
        int start,
        int length,
        bool isAdding)
    {
        int columnBytes = kernel.ColumnBytes, firstRows = FirstRows(rows);
        byte* scratch = stackalloc byte[(TailSources + ReedSolomon.MaxParityShards) * Kernel.MaxColumnBytes];
        byte** from = stackalloc byte*[TailSources], to = stackalloc byte*[ReedSolomon.MaxParityShards];
        for (int i = 0; i < TailSources; i++, scratch += columnBytes) from[i] = scratch;
        for (int row = 0; row < rows; row++, scratch += columnBytes)
        {
            to[row] = scratch;
            if (isAdding) Copy(targets[row] + start, scratch, length);
        }

        byte* secondTables = tables + (firstRows * columns * kernel.TableBytes);
        for (int column = 0; column < columns; column += TailSources)
        {
            int count = Math.Min(TailSources, columns - column);
            for (int i = 0; i < count; i++) Copy(sources[column + i] + start, from[i], length);
            byte* pass = tables + (column * firstRows * kernel.TableBytes);
            kernel.Compute(new Sums(pass, from, count, to, firstRows, isAdding), 0, columnBytes);
            if (firstRows < rows)
            {
                pass = secondTables + (column * (rows - firstRows) * kernel.TableBytes);
                kernel.Compute(new Sums(pass, from, count, to + firstRows, rows - firstRows, isAdding), 0, columnBytes);
            }

            isAdding = true;
        }

        for (int row = 0; row < rows; row++) Copy(to[row], targets[row] + start, length);
    }

    private static void Copy(byte* source, byte* target, int length) =>
        new ReadOnlySpan<byte>(source, length).CopyTo(new Span<byte>(target, length));
}
