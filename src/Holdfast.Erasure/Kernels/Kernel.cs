namespace Holdfast.Erasure.Kernels;

/// <summary>
/// Sums of products in GF(2⁸): target r = Σ coefficient(r, j) · source j, for up to <see cref="MaxRows"/> targets in
/// one pass over the sources. All kernels give the same bytes; <see cref="Scalar"/> says which.
/// </summary>
/// <remarks>Without state, for any number of threads.</remarks>
internal abstract unsafe class Kernel
{
    /// <summary>
    /// Targets of one pass: more accumulators of two vectors each do not fit into the 16 registers of AVX2.
    /// </summary>
    public const int MaxRows = 4;

    /// <summary>The most that any kernel has for <see cref="ColumnBytes"/>.</summary>
    public const int MaxColumnBytes = 128;

    /// <summary>The most that any kernel has for <see cref="TableBytes"/>.</summary>
    public const int MaxTableBytes = NibbleTables.TableBytes;

    public static readonly Kernel Scalar = new ScalarKernel();

    /// <summary>All, fastest first, whether this machine can run them or not.</summary>
    public static readonly Kernel[] All =
    [
        new Affine512Kernel(),
        new Affine256Kernel(),
        new Nibbles256Kernel(),
        new Nibbles128Kernel(),
        Scalar,
    ];

    /// <summary>What this machine does it with.</summary>
    public static readonly Kernel Best = Array.Find(All, kernel => kernel.IsSupported)!;

    public abstract string Name { get; }

    public abstract bool IsSupported { get; }

    /// <summary>Bytes that <see cref="WriteTable"/> writes.</summary>
    public abstract int TableBytes { get; }

    /// <summary>Lengths are multiples of this; a power of two.</summary>
    public abstract int ColumnBytes { get; }

    /// <summary>What the kernel multiplies with when the coefficient is this.</summary>
    public abstract void WriteTable(byte coefficient, Span<byte> table);

    /// <summary>Computes bytes from <paramref name="start"/> up to <paramref name="end"/> of each target.</summary>
    /// <param name="sums">Tables, sources and targets.</param>
    /// <param name="start">Offset in bytes into all sources and targets; of any alignment.</param>
    /// <param name="end">A multiple of <see cref="ColumnBytes"/> behind it.</param>
    public abstract void Compute(in Sums sums, nint start, nint end);
}
