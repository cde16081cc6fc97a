using System.Runtime.CompilerServices;

namespace Holdfast.Erasure;

/// <content>Whether shards belong together.</content>
public sealed unsafe partial class ReedSolomon
{
    // Parity is computed anew in pieces of this length, on the stack.
    private const int VerifiedBytes = 4096;

    /// <summary>Whether the parity is that of the data.</summary>
    /// <param name="data">k pointers to data shards, in their order.</param>
    /// <param name="parity">m pointers to parity shards, in their order.</param>
    /// <param name="length">Bytes of each shard, from 0.</param>
    /// <returns>False when any byte of any shard is not what the others say; which one it is cannot be told by
    /// this.</returns>
    /// <exception cref="ArgumentException">Not k and m pointers, a null pointer, or a negative length.</exception>
    [SkipLocalsInit]
    public bool IsConsistent(ReadOnlySpan<nint> data, ReadOnlySpan<nint> parity, int length)
    {
        CheckShards(data, parity, length);
        byte* computed = stackalloc byte[MaxParityShards * VerifiedBytes];
        Span<nint> sources = stackalloc nint[DataShards];
        Span<nint> targets = Place(stackalloc nint[ParityShards], computed, VerifiedBytes);
        for (int start = 0; start < length; start += VerifiedBytes)
        {
            int count = Math.Min(VerifiedBytes, length - start);
            for (int i = 0; i < sources.Length; i++) sources[i] = data[i] + start;
            Encode(sources, targets, count);
            for (int row = 0; row < ParityShards; row++)
            {
                var expected = new ReadOnlySpan<byte>((byte*)targets[row], count);
                if (!expected.SequenceEqual(new ReadOnlySpan<byte>((byte*)parity[row] + start, count))) return false;
            }
        }

        return true;
    }

    /// <summary>Whether the parity is that of the data; shards lie one behind the other.</summary>
    /// <param name="data">k shards of the same length.</param>
    /// <param name="parity">m shards of that length.</param>
    /// <returns>False when any byte is not what the others say.</returns>
    /// <exception cref="ArgumentException">The lengths are not those of k and m equal shards.</exception>
    public bool IsConsistent(ReadOnlySpan<byte> data, ReadOnlySpan<byte> parity)
    {
        int length = ShardBytes(data, parity);
        if (length == 0) return true;
        Span<nint> sources = stackalloc nint[DataShards], targets = stackalloc nint[ParityShards];
        fixed (byte* first = data, firstParity = parity)
        {
            return IsConsistent(Place(sources, first, length), Place(targets, firstParity, length), length);
        }
    }
}
