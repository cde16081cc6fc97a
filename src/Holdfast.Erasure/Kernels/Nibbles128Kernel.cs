using System.Runtime.Intrinsics;

namespace Holdfast.Erasure.Kernels;

/// <summary>Processors with SSSE3, and all of ARM64.</summary>
internal sealed class Nibbles128Kernel : VectorKernel<Nibbles128, Vector128<byte>, Nibbles128.Halves, Nibbles128.Halves>
{
    public override string Name => "128 bits";
}
