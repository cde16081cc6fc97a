using System.Runtime.Intrinsics;

namespace Holdfast.Erasure.Kernels;

/// <summary>Processors with AVX-512 and GFNI: Ice Lake, Zen 4 and later.</summary>
internal sealed class Affine512Kernel : VectorKernel<Affine512, Vector512<byte>, Vector512<byte>, Vector512<byte>>
{
    public override string Name => "GFNI 512";
}
