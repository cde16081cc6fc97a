using System.Runtime.Intrinsics;

namespace Holdfast.Erasure.Kernels;

/// <summary>Processors with AVX2 and GFNI but without AVX-512: clients since Alder Lake.</summary>
internal sealed class Affine256Kernel : VectorKernel<Affine256, Vector256<byte>, Vector256<byte>, Vector256<byte>>
{
    public override string Name => "GFNI 256";
}
