using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Holdfast.Vault.Chunking;

/// <summary>HMAC-SHA-256 under one key (RFC 2104): the states after the key's two blocks, from which every hash goes on.</summary>
internal sealed unsafe class HmacStates
{
    private readonly uint[] inner;
    private readonly uint[] outer;

    /// <param name="key">At most 64 bytes.</param>
    public HmacStates(ReadOnlySpan<byte> key)
    {
        inner = After(key, 0x36);
        outer = After(key, 0x5c);
    }

    /// <summary>The state in which the content begins.</summary>
    public ReadOnlySpan<uint> Inner => inner;

    /// <summary>The state in which the hash of the content begins.</summary>
    public ReadOnlySpan<uint> Outer => outer;

    [SkipLocalsInit]
    public ChunkId Of(ReadOnlySpan<byte> content)
    {
        fixed (uint* state = inner)
        {
            fixed (byte* bytes = content)
            {
                return Finish(state, Sha256Lanes.BlockBytes, bytes, content.Length);
            }
        }
    }

    /// <summary>The id of a content of which the first blocks are hashed.</summary>
    /// <param name="state">The state that they led to.</param>
    /// <param name="hashedBytes">How much it is the state of, with the key's block.</param>
    /// <param name="rest">What is left of the content.</param>
    /// <param name="restBytes">How much that is.</param>
    public ChunkId Finish(uint* state, long hashedBytes, byte* rest, int restBytes)
    {
        byte* hash = stackalloc byte[ChunkId.Size];
        var context = new Sha256Context(state, hashedBytes);
        LibCrypto.Demand(LibCrypto.SHA256_Update(&context, rest, (nuint)restBytes));
        LibCrypto.Demand(LibCrypto.SHA256_Final(hash, &context));
        fixed (uint* outerState = outer) context = new Sha256Context(outerState, Sha256Lanes.BlockBytes);
        LibCrypto.Demand(LibCrypto.SHA256_Update(&context, hash, ChunkId.Size));
        LibCrypto.Demand(LibCrypto.SHA256_Final(hash, &context));
        return ChunkId.Decode(new ReadOnlySpan<byte>(hash, ChunkId.Size));
    }

    private static uint[] After(ReadOnlySpan<byte> key, byte pad)
    {
        byte* block = stackalloc byte[Sha256Lanes.BlockBytes];
        var bytes = new Span<byte>(block, Sha256Lanes.BlockBytes);
        bytes.Clear();
        key.CopyTo(bytes);
        for (int i = 0; i < bytes.Length; i++) bytes[i] ^= pad;
        Sha256Context context;
        LibCrypto.Demand(LibCrypto.SHA256_Init(&context));
        LibCrypto.Demand(LibCrypto.SHA256_Update(&context, block, Sha256Lanes.BlockBytes));
        CryptographicOperations.ZeroMemory(bytes);
        return new ReadOnlySpan<uint>(context.State, Sha256Lanes.StateWords).ToArray();
    }
}
