using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>Search among the keys of one node of the ordered keydir by their <em>heads</em>.</summary>
/// <remarks>
/// A head is the four bytes of a key behind the prefix that all keys of the node share, big-endian, filled up with
/// zeros: a smaller head means a smaller key, equal heads mean that the keys must be compared.
/// </remarks>
internal static class OrderedSearch
{
    /// <summary>The head of a key.</summary>
    /// <param name="key">The whole key.</param>
    /// <param name="prefixBytes">Length of the prefix; no longer than the key.</param>
    public static uint HeadOf(ReadOnlySpan<byte> key, int prefixBytes)
    {
        ReadOnlySpan<byte> rest = key[prefixBytes..];
        if (rest.Length >= sizeof(uint)) return BinaryPrimitives.ReadUInt32BigEndian(rest);
        uint head = 0;
        for (int i = 0; i < sizeof(uint); i++) head = (head << 8) | (i < rest.Length ? rest[i] : 0u);
        return head;
    }

    /// <summary>How many of some sorted heads are below one.</summary>
    public static int CountBelow(ReadOnlySpan<uint> heads, uint head)
    {
        ref uint first = ref MemoryMarshal.GetReference(heads);
        int below = 0, i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            // All are looked at: without a branch that depends on the key, that is faster than halving.
            var wanted = Vector256.Create(head);
            for (; i <= heads.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
            {
                Vector256<uint> isBelow = Vector256.LessThan(Vector256.LoadUnsafe(ref first, (nuint)i), wanted);
                below += BitOperations.PopCount(isBelow.ExtractMostSignificantBits());
            }
        }

        for (; i < heads.Length; i++) below += heads[i] < head ? 1 : 0;
        return below;
    }
}
