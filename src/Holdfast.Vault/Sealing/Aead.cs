using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Holdfast.Vault.Sealing;

/// <summary>Ciphers of sealed objects. The value is what the object's header says.</summary>
internal enum CipherKind : byte
{
    Invalid = 0,
    AesGcm = 1,
    ChaCha20Poly1305 = 2,
}

/// <summary>Authenticated encryption under one key with counter nonces. May be used by one thread at a time.</summary>
internal sealed class Aead : IDisposable
{
    public const int KeyBytes = 32;
    public const int TagBytes = 16;
    private const int NonceBytes = 12;
    private readonly AesGcm? aes;
    private readonly ChaCha20Poly1305? chacha;

    public Aead(CipherKind cipher, ReadOnlySpan<byte> key)
    {
        if (cipher == CipherKind.AesGcm) aes = new AesGcm(key, TagBytes);
        else chacha = new ChaCha20Poly1305(key);
    }

    /// <summary>What new objects are sealed with: AES where the processor has instructions for it.</summary>
    public static CipherKind Preferred =>
        System.Runtime.Intrinsics.X86.Aes.IsSupported || System.Runtime.Intrinsics.Arm.Aes.IsSupported
            ? CipherKind.AesGcm
            : CipherKind.ChaCha20Poly1305;

    /// <summary>Seals into <paramref name="target"/>: ciphertext, then tag. A counter is used once in a key's life.</summary>
    public void Seal(uint counter, ReadOnlySpan<byte> plaintext, Span<byte> target, ReadOnlySpan<byte> associated = default)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(nonce, counter);
        Span<byte> ciphertext = target[..plaintext.Length];
        Span<byte> tag = target.Slice(plaintext.Length, TagBytes);
        if (aes is not null) aes.Encrypt(nonce, plaintext, ciphertext, tag, associated);
        else chacha!.Encrypt(nonce, plaintext, ciphertext, tag, associated);
    }

    /// <summary>Opens what <see cref="Seal"/> made; false when a bit of it, the key or what is associated differs.</summary>
    public bool TryOpen(uint counter, ReadOnlySpan<byte> sealedBytes, Span<byte> plaintext, ReadOnlySpan<byte> associated = default)
    {
        if (sealedBytes.Length != plaintext.Length + TagBytes) return false;
        Span<byte> nonce = stackalloc byte[NonceBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(nonce, counter);
        try
        {
            ReadOnlySpan<byte> ciphertext = sealedBytes[..plaintext.Length];
            ReadOnlySpan<byte> tag = sealedBytes[plaintext.Length..];
            if (aes is not null) aes.Decrypt(nonce, ciphertext, tag, plaintext, associated);
            else chacha!.Decrypt(nonce, ciphertext, tag, plaintext, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        aes?.Dispose();
        chacha?.Dispose();
    }
}
