using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Log;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>A key ring sealed under a password: the object <c>keys/KEY</c>. Layout: docs/formats/vault.md, "Keys".</summary>
internal static class KeySlot
{
    public const int MaxBytes = 64 << 10;

    private const uint Version = 1;
    private const int VersionOffset = 8;
    private const int KdfOffset = 12;
    private const int NonceOffset = 48;
    private const int NonceBytes = 12;
    private const int HeaderBytes = 60;

    private static ReadOnlySpan<byte> Magic => "HFKEYSLT"u8;

    public static byte[] Seal(
        KeyRing ring, VaultSecret secret, ReadOnlySpan<byte> vaultId, string slotId, ulong passes, IEntropy entropy)
    {
        byte[] content = ring.Encode();
        byte[] slot = new byte[HeaderBytes + content.Length + Aead.TagBytes];
        Span<byte> header = slot.AsSpan(0, HeaderBytes);
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[VersionOffset..], Version);
        PasswordKey.Encode(header[KdfOffset..], passes, entropy);
        entropy.Fill(header.Slice(NonceOffset, NonceBytes));
        byte[] key = PasswordKey.Derive(secret, header[KdfOffset..], "keys/" + slotId);
        using var aes = new AesGcm(key, Aead.TagBytes);
        aes.Encrypt(
            header.Slice(NonceOffset, NonceBytes), content, slot.AsSpan(HeaderBytes, content.Length), slot.AsSpan(HeaderBytes + content.Length),
            Associated(header, vaultId, slotId));
        CryptographicOperations.ZeroMemory(content);
        CryptographicOperations.ZeroMemory(key);
        return slot;
    }

    /// <summary>The key ring within; null when the password is not this slot's.</summary>
    public static KeyRing? TryOpen(ReadOnlySpan<byte> slot, VaultSecret secret, ReadOnlySpan<byte> vaultId, string slotId)
    {
        string name = "keys/" + slotId;
        ThrowIfMalformed(slot, slotId);
        byte[] key = PasswordKey.Derive(secret, slot[KdfOffset..HeaderBytes], name);
        byte[] content = new byte[slot.Length - HeaderBytes - Aead.TagBytes];
        try
        {
            using var aes = new AesGcm(key, Aead.TagBytes);
            aes.Decrypt(
                slot.Slice(NonceOffset, NonceBytes), slot.Slice(HeaderBytes, content.Length), slot[(HeaderBytes + content.Length)..], content,
                Associated(slot[..HeaderBytes], vaultId, slotId));
            return KeyRing.Decode(content, name);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Throws unless the slot looks like one: all that can be said without its password.</summary>
    /// <returns>What it costs to try a password: bytes of memory times passes.</returns>
    public static ulong ThrowIfMalformed(ReadOnlySpan<byte> slot, string slotId)
    {
        string name = "keys/" + slotId;
        if (slot.Length < HeaderBytes + Aead.TagBytes || !slot[..8].SequenceEqual(Magic)) throw new DamageException(name, "is no key slot");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(slot[VersionOffset..]);
        if (version != Version)
        {
            throw new HoldfastException(ErrorKind.Failed, $"{name}: key slot version {version}, this program reads {Version}", "use a newer holdfast");
        }

        (ulong passes, ulong memoryBytes) = PasswordKey.ThrowIfAbsurd(slot[KdfOffset..HeaderBytes], name);
        return passes * memoryBytes;
    }

    private static byte[] Associated(ReadOnlySpan<byte> header, ReadOnlySpan<byte> vaultId, string slotId) =>
        [.. header, .. vaultId, .. Encoding.ASCII.GetBytes(slotId)];
}
