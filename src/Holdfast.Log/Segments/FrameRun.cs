using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Holdfast.Log.Segments;

/// <summary>Checks frames that lie one behind the other in memory.</summary>
internal static unsafe class FrameRun
{
    /// <summary>What the whole groups take that the bytes begin with, the last one's padding included; 0 = there is none.</summary>
    /// <param name="frames">Where a group, or the rest of one, begins.</param>
    /// <param name="bytes">How many there are, below 2 GiB.</param>
    /// <param name="stop">No frame is looked at that begins there or behind.</param>
    /// <param name="seed">From <see cref="Frame.ChecksumSeed"/>.</param>
    /// <param name="position">Of the first frame.</param>
    /// <remarks>
    /// Compiled when it is first called: precompiled code would call what this needs of other libraries, a few words at
    /// a time.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Check(byte* frames, long bytes, long stop, uint seed, ulong position)
    {
        long whole = 0;
        for (long at = 0; at < stop && at <= bytes - Frame.HeaderBytes;)
        {
            byte* frame = frames + at;
            uint word = LittleEndian(((uint*)frame)[1]);
            FrameKind kind = Frame.KindOf(word);
            long payload = Frame.PayloadBytesOf(word);
            if (kind is not (FrameKind.Entry or FrameKind.EntryOfGroup) || payload > bytes - at - Frame.HeaderBytes) break;
            byte* next = frame + Frame.HeaderBytes;
            uint state = BitOperations.Crc32C(BitOperations.Crc32C(seed, position + (ulong)at), word);
            long left = payload;
            if (left >= Crc32C.MinLongBytes)
            {
                state = ~Crc32C.Append(~state, new ReadOnlySpan<byte>(next, (int)left));
                left = 0;
            }

            for (; left >= 4 * sizeof(ulong); left -= 4 * sizeof(ulong), next += 4 * sizeof(ulong))
            {
                state = BitOperations.Crc32C(state, LittleEndian(((ulong*)next)[0]));
                state = BitOperations.Crc32C(state, LittleEndian(((ulong*)next)[1]));
                state = BitOperations.Crc32C(state, LittleEndian(((ulong*)next)[2]));
                state = BitOperations.Crc32C(state, LittleEndian(((ulong*)next)[3]));
            }

            for (; left >= sizeof(ulong); left -= sizeof(ulong), next += sizeof(ulong))
            {
                state = BitOperations.Crc32C(state, LittleEndian(*(ulong*)next));
            }

            for (; left > 0; left--, next++) state = BitOperations.Crc32C(state, *next);
            if (~state != LittleEndian(*(uint*)frame)) break;
            at += Frame.SizeOf(payload);
            if (kind == FrameKind.Entry) whole = at;
        }

        return (int)whole;
    }

    private static uint LittleEndian(uint read) => BitConverter.IsLittleEndian ? read : BinaryPrimitives.ReverseEndianness(read);

    private static ulong LittleEndian(ulong read) => BitConverter.IsLittleEndian ? read : BinaryPrimitives.ReverseEndianness(read);
}
