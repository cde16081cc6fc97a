using Holdfast.Erasure.Coding;
using Holdfast.Erasure.Kernels;

namespace Holdfast.Erasure;

/// <summary>How certain shards of a code are made of k others. From <see cref="ReedSolomon.PlanRecovery"/>.</summary>
/// <remarks>Immutable, for any number of threads. Takes k · 32 bytes for each target, k · 8 with GFNI.</remarks>
public sealed unsafe class Recovery
{
    private readonly int dataShards;
    private readonly int totalShards;
    private readonly int[] sources;
    private readonly int[] targets;
    private readonly PreparedMatrix matrix;

    internal Recovery(int dataShards, int totalShards, int[] sources, int[] targets, Kernel kernel)
    {
        this.dataShards = dataShards;
        this.totalShards = totalShards;
        this.sources = sources;
        this.targets = targets;
        matrix = new PreparedMatrix(kernel, RecoveryMatrix.Rows(dataShards, sources, targets), targets.Length);
    }

    /// <summary>Numbers of the k shards that are read, ascending.</summary>
    public ReadOnlySpan<int> Sources => sources;

    /// <summary>Numbers of the shards that are made, ascending.</summary>
    public ReadOnlySpan<int> Targets => targets;

    /// <summary>Makes the targets of the sources.</summary>
    /// <param name="from">A pointer for each of <see cref="Sources"/>, in that order.</param>
    /// <param name="to">A pointer for each of <see cref="Targets"/>, in that order; what lies there is
    /// overwritten.</param>
    /// <param name="length">Bytes of each shard, from 0.</param>
    /// <exception cref="ArgumentException">Not as many pointers, a null pointer, or a negative length.</exception>
    /// <remarks>
    /// What is made is right if the sources are: check them first. Pointers may be those of any piece of the shards,
    /// the same for all of them.
    /// </remarks>
    public void Recover(ReadOnlySpan<nint> from, ReadOnlySpan<nint> to, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ReedSolomon.CheckPointers(from, sources.Length, nameof(from));
        ReedSolomon.CheckPointers(to, targets.Length, nameof(to));
        fixed (nint* read = from, written = to) matrix.Multiply((byte**)read, (byte**)written, length);
    }

    /// <summary>Makes the targets in their places among all shards, which lie one behind the other.</summary>
    /// <param name="shards">k + m shards of the same length, data before parity; only sources are read, only targets
    /// change.</param>
    /// <exception cref="ArgumentException">The length is not that of k + m equal shards.</exception>
    public void Recover(Span<byte> shards)
    {
        (int length, int rest) = Math.DivRem(shards.Length, totalShards);
        if (rest != 0)
        {
            throw new ArgumentException($"{shards.Length} bytes are not {totalShards} equal shards", nameof(shards));
        }

        if (length == 0) return;
        Span<nint> from = stackalloc nint[dataShards], to = stackalloc nint[targets.Length];
        fixed (byte* first = shards)
        {
            for (int i = 0; i < from.Length; i++) from[i] = (nint)(first + ((nint)sources[i] * length));
            for (int i = 0; i < to.Length; i++) to[i] = (nint)(first + ((nint)targets[i] * length));
            Recover(from, to, length);
        }
    }
}
