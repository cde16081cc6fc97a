using System.Runtime.Intrinsics;

namespace Holdfast.Erasure.Kernels;

/// <summary>Processors with AVX2: since Haswell, Zen.</summary>
internal sealed class Nibbles256Kernel : VectorKernel<Nibbles256, Vector256<byte>, Nibbles256.Halves, Nibbles256.Halves>
{
    public override string Name => "AVX2";
}
