namespace Holdfast.Erasure.Kernels;

/// <summary>How a vector of bytes is multiplied with a coefficient on one kind of processor.</summary>
/// <typeparam name="TVector">The bytes of one register.</typeparam>
/// <typeparam name="TFactor">A source made ready to be multiplied with several coefficients.</typeparam>
/// <typeparam name="TTable">The table of a coefficient, in registers.</typeparam>
/// <remarks>
/// Implemented by structs without fields, so that each kernel is compiled for its own kind with everything inlined.
/// </remarks>
internal unsafe interface IVectorProduct<TVector, TFactor, TTable>
{
    static abstract bool IsSupported { get; }

    static abstract int VectorBytes { get; }

    static abstract int TableBytes { get; }

    static abstract void WriteTable(byte coefficient, Span<byte> table);

    static abstract TVector Load(byte* source);

    static abstract void Store(TVector vector, byte* target);

    static abstract TFactor Prepare(TVector source);

    static abstract TTable LoadTable(byte* table);

    /// <summary>sum + coefficient · source.</summary>
    static abstract TVector AddProduct(TVector sum, TFactor source, TTable coefficient);
}
