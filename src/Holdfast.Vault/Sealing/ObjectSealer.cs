using System.Security.Cryptography;
using Holdfast.Log;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault.Sealing;

/// <summary>Seals, signs, opens and verifies objects with the keys of one ring. May be used from any thread.</summary>
internal sealed class ObjectSealer(KeyRing ring, IEntropy entropy)
{
    private const int LeastBytes = ObjectHeader.Size + Aead.TagBytes + Libsodium.SignatureBytes;

    private volatile WriterBook writers = WriterBook.Of(ring);
    private uint lackedEpoch;

    public KeyRing Ring { get; } = ring;

    public IEntropy Entropy { get; } = entropy;

    public ulong WriterId { get; } = KeyEpoch.KeyId("writer", Libsodium.SignPublicKey(ring.WriterSeed));

    public ulong AdminId { get; } = KeyEpoch.KeyId("writer", ring.AdminPublicKey);

    /// <summary>Who is known; replaced when the vault is looked at anew.</summary>
    public WriterBook Writers
    {
        get => writers;
        set => writers = value;
    }

    /// <summary>
    /// The newest key epoch that somebody whom <see cref="Trusts"/> covers began or used, and that the ring does not have; 0 for none.
    /// What is sealed with this ring then, a key that was removed may be able to read.
    /// </summary>
    public uint LackedEpoch => Volatile.Read(ref lackedEpoch);

    /// <summary>
    /// Whether what a writer says of a chunk is believed without reading the chunk, so that it is reused: our own word, and that
    /// of admins who are not revoked. Others are known, and so can be read: every chunk read is verified by its id.
    /// </summary>
    public bool Trusts(ulong writerId) => writerId == WriterId || writerId == AdminId || IsAdmin(writerId);

    /// <summary>
    /// Whether a writer's word is taken for where chunks lie that a writer made whom <see cref="Trusts"/> covers: of a pack that holds
    /// moved groups, the pack's writer must be trusted so, and each group's origin wholly.
    /// </summary>
    public bool TrustsToMove(ulong writerId) => Trusts(writerId) || writers.Find(writerId) is { Role: KeyRole.Prune, IsRevoked: false };

    /// <summary>Whether a writer is an admin who is not revoked.</summary>
    public bool IsAdmin(ulong writerId) => writers.Find(writerId) is { Role: KeyRole.Admin, IsRevoked: false };

    /// <summary>A header for a new object, with a salt of its own.</summary>
    public ObjectHeader NewHeader(ObjectKind kind) => NewHeader(kind, Ring.Current);

    private ObjectHeader NewHeader(ObjectKind kind, KeyEpoch epoch)
    {
        byte[] salt = new byte[ObjectHeader.SaltBytes];
        Entropy.Fill(salt);
        return new ObjectHeader(kind, Aead.Preferred, epoch.Number, epoch.KeyIdFor(kind), WriterId, salt);
    }

    /// <summary>The cipher of what an object seals under <i>b</i>.</summary>
    public Aead IndexCipher(ObjectHeader header, string name) => new(header.Cipher, IndexKey(header, name));

    /// <summary>The key of that cipher.</summary>
    public byte[] IndexKey(ObjectHeader header, string name)
    {
        if (!Ring.Has(header.Epoch)) throw Lacks(header, name);
        return Ring.Epoch(header.Epoch, name).ObjectKey(header.Kind, header.Salt.Span);
    }

    /// <summary>Notes that an epoch exists, as somebody says whom <see cref="Trusts"/> covers.</summary>
    public void NoteEpoch(uint number)
    {
        for (uint known = LackedEpoch; number > known && number > Ring.Current.Number; known = LackedEpoch)
        {
            if (Interlocked.CompareExchange(ref lackedEpoch, number, known) == known) return;
        }
    }

    /// <summary>Throws unless an object's signature fits: all that can be said of one that is sealed in an epoch which the ring lacks.</summary>
    public void Verify(ObjectKind kind, string name, ReadOnlySpan<byte> content, WriterBook? known = null)
    {
        ObjectHeader header = ObjectHeader.Decode(content, kind, name);
        if (content.Length < LeastBytes) throw new DamageException(name, $"{content.Length} bytes, at least {LeastBytes} expected");
        VerifySignature(
            header, name, content[..ObjectHeader.Size], [], content[ObjectHeader.Size..^Libsodium.SignatureBytes], content[^Libsodium.SignatureBytes..],
            known ?? writers);
    }

    // Only of objects whose signature fits: else the epoch in a header says nothing.
    private DamageException Lacks(ObjectHeader header, string name)
    {
        bool isNewer = header.Epoch > Ring.Current.Number && writers.Find(header.WriterId) is { IsRevoked: false };
        if (isNewer && Trusts(header.WriterId)) NoteEpoch(header.Epoch);
        return new DamageException(name, $"sealed in key epoch {header.Epoch}, which this key does not have") { DependsOnKey = true, LacksEpoch = isNewer };
    }

    /// <summary>A whole small object: header, sealed body, signature.</summary>
    public byte[] Seal(ObjectKind kind, string name, ReadOnlySpan<byte> body) => Seal(kind, name, body, Ring.Current);

    /// <summary>The same under an epoch that need not be the current one.</summary>
    public byte[] Seal(ObjectKind kind, string name, ReadOnlySpan<byte> body, KeyEpoch epoch)
    {
        ObjectHeader header = NewHeader(kind, epoch);
        byte[] result = new byte[ObjectHeader.Size + body.Length + Aead.TagBytes + Libsodium.SignatureBytes];
        header.Encode(result);
        Span<byte> sealedBody = result.AsSpan(ObjectHeader.Size, body.Length + Aead.TagBytes);
        using Aead cipher = IndexCipher(header, name);
        cipher.Seal(0, body, sealedBody, Associated(result.AsSpan(0, ObjectHeader.Size), name));
        Sign(name, result.AsSpan(0, ObjectHeader.Size), [], sealedBody, result.AsSpan(result.Length - Libsodium.SignatureBytes));
        return result;
    }

    /// <summary>Checks and opens a whole small object.</summary>
    /// <param name="kind">What its name promises.</param>
    /// <param name="name">Its name.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="known">Whose signatures are known; by default <see cref="Writers"/>.</param>
    public (ObjectHeader Header, byte[] Body) Open(ObjectKind kind, string name, ReadOnlySpan<byte> content, WriterBook? known = null)
    {
        Verify(kind, name, content, known);
        ObjectHeader header = ObjectHeader.Decode(content, kind, name);
        ReadOnlySpan<byte> encodedHeader = content[..ObjectHeader.Size];
        ReadOnlySpan<byte> sealedBody = content[ObjectHeader.Size..^Libsodium.SignatureBytes];
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

    /// <summary>
    /// Throws unless the signature is that of a known writer whose role writes such objects. Whether what it wrote is reused, and of a
    /// revoked writer whether it stands, is another matter.
    /// </summary>
    public void VerifySignature(
        ObjectHeader header, string name, ReadOnlySpan<byte> encodedHeader, ReadOnlySpan<byte> sealedKey, ReadOnlySpan<byte> sealedPart,
        ReadOnlySpan<byte> signature) => VerifySignature(header, name, encodedHeader, sealedKey, sealedPart, signature, writers);

    private static void VerifySignature(
        ObjectHeader header, string name, ReadOnlySpan<byte> encodedHeader, ReadOnlySpan<byte> sealedKey, ReadOnlySpan<byte> sealedPart,
        ReadOnlySpan<byte> signature, WriterBook known)
    {
        if (known.Find(header.WriterId) is not { } writer)
        {
            throw new DamageException(name, $"written by {WriterStatement.IdText(header.WriterId)}, whom no certificate of this vault names")
            {
                DependsOnKey = true,
                UnknownWriter = header.WriterId,
            };
        }

        Span<byte> digest = stackalloc byte[32];
        Digest(name, encodedHeader, sealedKey, sealedPart, digest);
        if (!Libsodium.Verify(digest, writer.PublicKey, signature)) throw new DamageException(name, "its signature does not fit its content");
        if (RoleRules.MayWrite(writer.Role, header.Kind)) return;
        string reason = $"written by {WriterStatement.IdText(header.WriterId)}, a key of the role {RoleRules.NameOf(writer.Role)}, which may not";
        throw new DamageException(name, reason);
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
