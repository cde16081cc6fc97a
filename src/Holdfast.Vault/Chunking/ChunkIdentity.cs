using System.Security.Cryptography;

namespace Holdfast.Vault.Chunking;

/// <summary>Names chunks of one kind: HMAC-SHA-256 under that kind's id key.</summary>
internal sealed class ChunkIdentity(byte[] key)
{
    public ChunkId Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[ChunkId.Size];
        HMACSHA256.HashData(key, content, hash);
        return ChunkId.Decode(hash);
    }
}
