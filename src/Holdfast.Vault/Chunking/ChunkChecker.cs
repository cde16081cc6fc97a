using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

namespace Holdfast.Vault.Chunking;

/// <summary>
/// 128 keyed bits that stand beside the id of a chunk of a large file; all zero for none. They tell at a quarter of the cost
/// whether content is still that of a chunk that is expected there.
/// </summary>
internal readonly record struct ChunkCheck(ulong High, ulong Low)
{
    /// <summary>Encoded size in bytes.</summary>
    public const int Size = 16;

    public bool IsNone => this == default;
}

/// <summary>Computes checks: GMAC, hidden by an HMAC (docs/formats/vault.md, "Trees"). For one thread at a time.</summary>
/// <param name="macKey">Of the GMAC.</param>
/// <param name="hider">Makes a tag into a check: from tags of one nonce the GMAC's key could be computed.</param>
internal sealed class ChunkChecker(byte[] macKey, ChunkIdentity hider) : IDisposable
{
    private const int NonceBytes = 12;
    private readonly AesGcm mac = new(macKey, ChunkCheck.Size);

    /// <summary>Whether a check is quicker than an id here.</summary>
    public static bool IsFast => System.Runtime.Intrinsics.X86.Aes.IsSupported && Pclmulqdq.IsSupported;

    public ChunkCheck Of(ReadOnlySpan<byte> content)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Span<byte> tag = stackalloc byte[ChunkCheck.Size];
        nonce.Clear();
        mac.Encrypt(nonce, [], [], tag, content);
        ChunkId hidden = hider.Of(tag);
        return new ChunkCheck(hidden.W0, hidden.W1);
    }

    public void Dispose() => mac.Dispose();
}
