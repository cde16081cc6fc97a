using System.Security.Cryptography;
using Holdfast.Log;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault.Sealing;

/// <summary>Seals, signs, opens and verifies objects with the keys of one ring. May be used from any thread.</summary>
internal sealed class ObjectSealer(KeyRing ring, IEntropy entropy)
{
    private readonly byte[] writerPublicKey = Libsodium.SignPublicKey(ring.WriterSeed);

    private readonly (ulong Own, ulong Admin) trustedIds =
        (KeyEpoch.KeyId("writer", Libsodium.SignPublicKey(ring.WriterSeed)), KeyEpoch.KeyId("writer", ring.AdminPublicKey));

    public KeyRing Ring { get; } = ring;

    public IEntropy Entropy { get; } = entropy;

    public ulong WriterId => KeyEpoch.KeyId("writer", writerPublicKey);

    public ulong AdminId => KeyEpoch.KeyId("writer", Ring.AdminPublicKey);

    /// <summary>Whether a new point may rely on what a writer sealed.</summary>
    public bool Trusts(ulong writerId) => writerId == trustedIds.Own || writerId == trustedIds.Admin;

    /// <summary>A header for a new object, with a salt of its own.</summary>
    public ObjectHeader NewHeader(ObjectKind kind)
    {
        byte[] salt = new byte[ObjectHeader.SaltBytes];
        Entropy.Fill(salt);
        return new ObjectHeader(kind, Aead.Preferred, Ring.Current.Number, Ring.Current.KeyIdFor(kind), WriterId, salt);
    }

    /// <summary>The cipher of what an object seals under <i>b</i>.</summary>
    public Aead IndexCipher(ObjectHeader header, string name) => new(header.Cipher, IndexKey(header, name));

    /// <summary>The key of that cipher.</summary>
    public byte[] IndexKey(ObjectHeader header, string name) => Ring.Epoch(header.Epoch, name).ObjectKey(header.Kind, header.Salt.Span);

    /// <summary>A whole small object: header, sealed body, signature.</summary>
    public byte[] Seal(ObjectKind kind, string name, ReadOnlySpan<byte> body)
    {
        ObjectHeader header = NewHeader(kind);
        byte[] result = new byte[ObjectHeader.Size + body.Length + Aead.TagBytes + Libsodium.SignatureBytes];
        header.Encode(result);
        Span<byte> sealedBody = result.AsSpan(ObjectHeader.Size, body.Length + Aead.TagBytes);
        using Aead cipher = IndexCipher(header, name);
        cipher.Seal(0, body, sealedBody, Associated(result.AsSpan(0, ObjectHeader.Size), name));
        Sign(name, result.AsSpan(0, ObjectHeader.Size), [], sealedBody, result.AsSpan(result.Length - Libsodium.SignatureBytes));
        return result;
    }

    /// <summary>Checks and opens a whole small object.</summary>
    public (ObjectHeader Header, byte[] Body) Open(ObjectKind kind, string name, ReadOnlySpan<byte> content)
    {
        ObjectHeader header = ObjectHeader.Decode(content, kind, name);
        const int least = ObjectHeader.Size + Aead.TagBytes + Libsodium.SignatureBytes;
        if (content.Length < least) throw new DamageException(name, $"{content.Length} bytes, at least {least} expected");
        ReadOnlySpan<byte> encodedHeader = content[..ObjectHeader.Size];
        ReadOnlySpan<byte> sealedBody = content[ObjectHeader.Size..^Libsodium.SignatureBytes];
        VerifySignature(header, name, encodedHeader, [], sealedBody, content[^Libsodium.SignatureBytes..]);
        byte[] body = new byte[sealedBody.Length - Aead.TagBytes];
        using Aead cipher = IndexCipher(header, name);
        if (!cipher.TryOpen(0, sealedBody, body, Associated(encodedHeader, name)))
        {
            throw new DamageException(name, "its seal is broken");
        }

        return (header, body);
    }

    public void Sign(string name, ReadOnlySpan<byte> header, ReadOnlySpan<byte> sealedKey, ReadOnlySpan<byte> sealedPart, Span<byte> signature)
    {
        Span<byte> digest = stackalloc byte[32];
        Digest(name, header, sealedKey, sealedPart, digest);
        Libsodium.Sign(digest, Ring.WriterSeed, signature);
    }

    /// <summary>Throws unless the signature is that of ourselves or the admin: the writers that are trusted.</summary>
    public void VerifySignature(
        ObjectHeader header, string name, ReadOnlySpan<byte> encodedHeader, ReadOnlySpan<byte> sealedKey, ReadOnlySpan<byte> sealedPart,
        ReadOnlySpan<byte> signature)
    {
        byte[]? key = header.WriterId == WriterId ? writerPublicKey : header.WriterId == AdminId ? Ring.AdminPublicKey : null;
        if (key is null) throw new DamageException(name, $"written by {header.WriterId:x16}, whom this key does not trust");
        Span<byte> digest = stackalloc byte[32];
        Digest(name, encodedHeader, sealedKey, sealedPart, digest);
        if (!Libsodium.Verify(digest, key, signature)) throw new DamageException(name, "its signature does not fit its content");
    }

    public static byte[] Associated(ReadOnlySpan<byte> header, string name) =>
        [.. header, .. System.Text.Encoding.ASCII.GetBytes(name)];

    private static void Digest(
        string name, ReadOnlySpan<byte> header, ReadOnlySpan<byte> sealedKey, ReadOnlySpan<byte> sealedPart, Span<byte> digest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("holdfast object"u8);
        hash.AppendData(System.Text.Encoding.ASCII.GetBytes(name));
        hash.AppendData(header);
        hash.AppendData(sealedKey);
        hash.AppendData(sealedPart);
        hash.GetHashAndReset(digest);
    }
}
