using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

namespace Holdfast.Vault.Chunking;

/// <summary>Names chunks of one kind: HMAC-SHA-256 under that kind's id key.</summary>
/// <remarks>May be used by many threads at once.</remarks>
internal sealed class ChunkIdentity(byte[] key)
{
    // Sixteen lanes hash about twice as fast as the SHA instructions; eight a little slower than those, and about three
    // times as fast as plain ones ("./dev bench kernels"). With no more lanes busy than this, one by one is faster.
    private const int FewOf16Lanes = 7;
    private const int FewOf8Lanes = 2;

    private readonly HmacStates? states = LibCrypto.IsAvailable ? new HmacStates(key) : null;

    private enum Way
    {
        OneByOne,
        Lanes8,
        Lanes16,
    }

    private static Way Fastest { get; } =
        !LibCrypto.IsAvailable ? Way.OneByOne
        : Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? Way.Lanes16
        : Avx2.IsSupported && !HasShaInstructions() ? Way.Lanes8
        : Way.OneByOne;

    /// <summary>The id of a chunk; of no bytes too, though no chunk is empty.</summary>
    public ChunkId Of(ReadOnlySpan<byte> content) => states is null ? Plain(content) : states.Of(content);

    /// <summary>The ids of chunks that lie one after the other: what <see cref="Of"/> gives for each.</summary>
    /// <param name="content">The chunks, of any lengths; best some dozens of them, or all that fit into the processor's cache.</param>
    /// <param name="lengths">Bytes of each chunk, together at most those of the content; the rest of it is not looked at.</param>
    /// <param name="ids">Takes one id for each length.</param>
    public void OfEach(ReadOnlySpan<byte> content, ReadOnlySpan<int> lengths, Span<ChunkId> ids)
    {
        Check(content, lengths, ids);
        switch (Fastest)
        {
            case Way.Lanes16 when lengths.Length > FewOf16Lanes:
                By16Lanes(content, lengths, ids);
                break;
            case Way.Lanes8 when lengths.Length > FewOf8Lanes:
                By8Lanes(content, lengths, ids);
                break;
            default:
                OneByOne(content, lengths, ids);
                break;
        }
    }

    internal void By16Lanes(ReadOnlySpan<byte> content, ReadOnlySpan<int> lengths, Span<ChunkId> ids) =>
        ChunkLanes<Lanes16, Vector512<uint>>.HashEach(states!, content, lengths, ids, FewOf16Lanes);

    internal void By8Lanes(ReadOnlySpan<byte> content, ReadOnlySpan<int> lengths, Span<ChunkId> ids) =>
        ChunkLanes<Lanes8, Vector256<uint>>.HashEach(states!, content, lengths, ids, FewOf8Lanes);

    internal void OneByOne(ReadOnlySpan<byte> content, ReadOnlySpan<int> lengths, Span<ChunkId> ids)
    {
        for (int i = 0; i < lengths.Length; i++)
        {
            ids[i] = Of(content[..lengths[i]]);
            content = content[lengths[i]..];
        }
    }

    /// <summary>The same by .NET's own hash, where the system's library is of another version.</summary>
    internal ChunkId Plain(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[ChunkId.Size];
        HMACSHA256.HashData(key, content, hash);
        return ChunkId.Decode(hash);
    }

    private static void Check(ReadOnlySpan<byte> content, ReadOnlySpan<int> lengths, Span<ChunkId> ids)
    {
        long bytes = 0;
        foreach (int length in lengths)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length, nameof(lengths));
            bytes += length;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, content.Length, nameof(lengths));
        ArgumentOutOfRangeException.ThrowIfLessThan(ids.Length, lengths.Length, nameof(ids));
    }

    private static bool HasShaInstructions() =>
        X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 0).Ebx & (1 << 29)) != 0;
}
