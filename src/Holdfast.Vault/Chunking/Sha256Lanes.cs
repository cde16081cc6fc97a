using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Vault.Chunking;

/// <summary>The compression function of SHA-256 (FIPS 180-4, 6.2.2) on several messages at once.</summary>
internal static unsafe class Sha256Lanes
{
    /// <summary>Bytes that are compressed at a time.</summary>
    public const int BlockBytes = 64;

    /// <summary>Words of a state.</summary>
    public const int StateWords = 8;

    /// <summary>Words of the schedule, in each lane.</summary>
    public const int ScheduleWords = 64;

    private static ReadOnlySpan<uint> Constants =>
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    /// <summary>Compresses the next blocks of every lane.</summary>
    /// <param name="state">Word by word, all lanes of a word together.</param>
    /// <param name="messages">Where each lane's blocks begin.</param>
    /// <param name="blocks">How many follow each other there, in every lane.</param>
    /// <param name="schedule">Room for <see cref="ScheduleWords"/> words of all lanes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compress<TLanes, T>(T* state, byte** messages, int blocks, T* schedule)
        where TLanes : ILanes<T>
        where T : unmanaged
    {
        ref uint constants = ref MemoryMarshal.GetReference(Constants);
        for (int block = 0; block < blocks; block++)
        {
            for (int lane = 0; lane < TLanes.Count; lane += 8)
            {
                nuint offset = (nuint)block * BlockBytes;
                Transpose8(messages + lane, offset, (uint*)schedule + lane, (nuint)TLanes.Count);
                Transpose8(messages + lane, offset + 32, (uint*)(schedule + 8) + lane, (nuint)TLanes.Count);
            }

            T a = state[0], b = state[1], c = state[2], d = state[3];
            T e = state[4], f = state[5], g = state[6], h = state[7];
            for (int t = 0; t < ScheduleWords; t += 8)
            {
                if (t >= 16)
                {
                    for (int i = t; i < t + 8; i++) schedule[i] = Expand<TLanes, T>(schedule + i);
                }

                T* words = schedule + t;
                ref uint k = ref Unsafe.Add(ref constants, t);
                Round<TLanes, T>(a, b, c, ref d, e, f, g, ref h, words[0], k);
                Round<TLanes, T>(h, a, b, ref c, d, e, f, ref g, words[1], Unsafe.Add(ref k, 1));
                Round<TLanes, T>(g, h, a, ref b, c, d, e, ref f, words[2], Unsafe.Add(ref k, 2));
                Round<TLanes, T>(f, g, h, ref a, b, c, d, ref e, words[3], Unsafe.Add(ref k, 3));
                Round<TLanes, T>(e, f, g, ref h, a, b, c, ref d, words[4], Unsafe.Add(ref k, 4));
                Round<TLanes, T>(d, e, f, ref g, h, a, b, ref c, words[5], Unsafe.Add(ref k, 5));
                Round<TLanes, T>(c, d, e, ref f, g, h, a, ref b, words[6], Unsafe.Add(ref k, 6));
                Round<TLanes, T>(b, c, d, ref e, f, g, h, ref a, words[7], Unsafe.Add(ref k, 7));
            }

            state[0] = TLanes.Add(state[0], a);
            state[1] = TLanes.Add(state[1], b);
            state[2] = TLanes.Add(state[2], c);
            state[3] = TLanes.Add(state[3], d);
            state[4] = TLanes.Add(state[4], e);
            state[5] = TLanes.Add(state[5], f);
            state[6] = TLanes.Add(state[6], g);
            state[7] = TLanes.Add(state[7], h);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round<TLanes, T>(T a, T b, T c, ref T d, T e, T f, T g, ref T h, T word, uint constant)
        where TLanes : ILanes<T>
        where T : unmanaged
    {
        T sum1 = Xor3<TLanes, T>(TLanes.RotateRight(e, 6), TLanes.RotateRight(e, 11), TLanes.RotateRight(e, 25));
        T sum0 = Xor3<TLanes, T>(TLanes.RotateRight(a, 2), TLanes.RotateRight(a, 13), TLanes.RotateRight(a, 22));
        T choice = TLanes.Xor(g, TLanes.And(e, TLanes.Xor(f, g)));
        T majority = TLanes.Xor(b, TLanes.And(TLanes.Xor(a, b), TLanes.Xor(b, c)));
        T first = TLanes.Add(TLanes.Add(h, TLanes.Add(word, TLanes.All(constant))), TLanes.Add(sum1, choice));
        d = TLanes.Add(d, first);
        h = TLanes.Add(first, TLanes.Add(sum0, majority));
    }

    /// <summary>The word of the schedule that follows from the 16 before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Expand<TLanes, T>(T* word)
        where TLanes : ILanes<T>
        where T : unmanaged
    {
        T near = word[-2], far = word[-15];
        T sigma1 = Xor3<TLanes, T>(TLanes.RotateRight(near, 17), TLanes.RotateRight(near, 19), TLanes.ShiftRight(near, 10));
        T sigma0 = Xor3<TLanes, T>(TLanes.RotateRight(far, 7), TLanes.RotateRight(far, 18), TLanes.ShiftRight(far, 3));
        return TLanes.Add(TLanes.Add(word[-16], word[-7]), TLanes.Add(sigma0, sigma1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Xor3<TLanes, T>(T x, T y, T z)
        where TLanes : ILanes<T>
        where T : unmanaged => TLanes.Xor(TLanes.Xor(x, y), z);

    /// <summary>Puts the first word of eight lanes, big-endian in their blocks, side by side, then the second, to the eighth.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose8(byte** messages, nuint offset, uint* words, nuint stride)
    {
        Vector256<uint> a0 = Row(messages[0] + offset), a1 = Row(messages[1] + offset);
        Vector256<uint> a2 = Row(messages[2] + offset), a3 = Row(messages[3] + offset);
        Vector256<uint> a4 = Row(messages[4] + offset), a5 = Row(messages[5] + offset);
        Vector256<uint> a6 = Row(messages[6] + offset), a7 = Row(messages[7] + offset);

        // Pairs of lanes, then fours, then all eight.
        Vector256<ulong> b0 = Avx2.UnpackLow(a0, a1).AsUInt64(), b1 = Avx2.UnpackHigh(a0, a1).AsUInt64();
        Vector256<ulong> b2 = Avx2.UnpackLow(a2, a3).AsUInt64(), b3 = Avx2.UnpackHigh(a2, a3).AsUInt64();
        Vector256<ulong> b4 = Avx2.UnpackLow(a4, a5).AsUInt64(), b5 = Avx2.UnpackHigh(a4, a5).AsUInt64();
        Vector256<ulong> b6 = Avx2.UnpackLow(a6, a7).AsUInt64(), b7 = Avx2.UnpackHigh(a6, a7).AsUInt64();
        StoreHalves(Avx2.UnpackLow(b0, b2), Avx2.UnpackLow(b4, b6), words, words + (4 * stride));
        StoreHalves(Avx2.UnpackHigh(b0, b2), Avx2.UnpackHigh(b4, b6), words + stride, words + (5 * stride));
        StoreHalves(Avx2.UnpackLow(b1, b3), Avx2.UnpackLow(b5, b7), words + (2 * stride), words + (6 * stride));
        StoreHalves(Avx2.UnpackHigh(b1, b3), Avx2.UnpackHigh(b5, b7), words + (3 * stride), words + (7 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Row(byte* bytes) => Avx2.Shuffle(
        Vector256.Load(bytes),
        Vector256.Create(
            (byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreHalves(Vector256<ulong> left, Vector256<ulong> right, uint* lower, uint* upper)
    {
        Avx2.Permute2x128(left, right, 0x20).AsUInt32().Store(lower);
        Avx2.Permute2x128(left, right, 0x31).AsUInt32().Store(upper);
    }
}
