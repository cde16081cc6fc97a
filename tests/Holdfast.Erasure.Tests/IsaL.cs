using System.Runtime.InteropServices;

namespace Holdfast.Erasure.Tests;

/// <summary>
/// Intel's Intelligent Storage Acceleration Library, version 2: what our Reed-Solomon code is compared with.
/// </summary>
/// <remarks>Of the Debian package libisal2. Lengths in bytes; matrices are bytes, row by row.</remarks>
internal static unsafe partial class IsaL
{
    /// <summary>Bytes of the tables of one coefficient.</summary>
    public const int TableBytes = 32;

    private const string Library = "libisal.so.2";

    /// <summary>The first <paramref name="columns"/> rows are the identity, the others those of parity.</summary>
    [LibraryImport(Library, EntryPoint = "gf_gen_cauchy1_matrix")]
    public static partial void WriteCauchyMatrix(byte* matrix, int rows, int columns);

    /// <summary>Tables of <paramref name="rows"/> · <paramref name="columns"/> coefficients.</summary>
    [LibraryImport(Library, EntryPoint = "ec_init_tables")]
    public static partial void WriteTables(int columns, int rows, byte* coefficients, byte* tables);

    /// <summary>
    /// Replaces the targets by the product of the matrix and the sources, by the fastest kernel of this processor.
    /// </summary>
    [LibraryImport(Library, EntryPoint = "ec_encode_data")]
    public static partial void Encode(int length, int columns, int rows, byte* tables, byte** sources, byte** targets);

    /// <summary>0 for success. Overwrites <paramref name="matrix"/>.</summary>
    [LibraryImport(Library, EntryPoint = "gf_invert_matrix")]
    public static partial int InvertMatrix(byte* matrix, byte* inverse, int size);

    /// <summary>The product of two elements.</summary>
    [LibraryImport(Library, EntryPoint = "gf_mul")]
    public static partial byte Multiply(byte left, byte right);
}
