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

    /// <summary>Without a checksum.</summary>
    private const uint OldVersion = 1;

    // 2 and 3 name nothing: a golden vault has 2 as a version that is not known, and one flipped bit makes 3 of 1.
    private const uint Version = 4;
    private const int ChecksumBytes = 4;
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
        byte[] slot = new byte[HeaderBytes + content.Length + Aead.TagBytes + ChecksumBytes];
        Span<byte> header = slot.AsSpan(0, HeaderBytes);
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[VersionOffset..], Version);
        PasswordKey.Encode(header[KdfOffset..], passes, entropy);
        entropy.Fill(header.Slice(NonceOffset, NonceBytes));
        byte[] key = PasswordKey.Derive(secret, header[KdfOffset..], "keys/" + slotId);
        using var aes = new AesGcm(key, Aead.TagBytes);
        aes.Encrypt(
            header.Slice(NonceOffset, NonceBytes), content, slot.AsSpan(HeaderBytes, content.Length), slot.AsSpan(HeaderBytes + content.Length, Aead.TagBytes),
            Associated(header, vaultId, slotId));
        BinaryPrimitives.WriteUInt32LittleEndian(slot.AsSpan(slot.Length - ChecksumBytes), Crc32C.Compute(slot.AsSpan(0, slot.Length - ChecksumBytes)));
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
        if (HasChecksum(slot)) slot = slot[..^ChecksumBytes];
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

    /// <summary>Whether each changed byte of a well-formed slot is seen without its password: not of slots of the first version.</summary>
    public static bool HasChecksum(ReadOnlySpan<byte> slot) => BinaryPrimitives.ReadUInt32LittleEndian(slot[VersionOffset..]) != OldVersion;

    /// <summary>Throws unless the slot looks like one: all that can be said without its password.</summary>
    /// <returns>What it costs to try a password: bytes of memory times passes.</returns>
    public static ulong ThrowIfMalformed(ReadOnlySpan<byte> slot, string slotId)
    {
        string name = "keys/" + slotId;
        if (slot.Length < HeaderBytes + Aead.TagBytes || !slot[..8].SequenceEqual(Magic)) throw new DamageException(name, "is no key slot");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(slot[VersionOffset..]);
        if (version is not (OldVersion or Version))
        {
            throw new HoldfastException(ErrorKind.Failed, $"{name}: key slot version {version}, this program reads {Version}", "use a newer holdfast");
        }

        bool fits = version == OldVersion || (slot.Length >= HeaderBytes + Aead.TagBytes + ChecksumBytes
            && BinaryPrimitives.ReadUInt32LittleEndian(slot[^ChecksumBytes..]) == Crc32C.Compute(slot[..^ChecksumBytes]));
        if (!fits) throw new DamageException(name, "does not fit its checksum");

        (ulong passes, ulong memoryBytes) = PasswordKey.ThrowIfAbsurd(slot[KdfOffset..HeaderBytes], name);
        return passes * memoryBytes;
    }

    private static byte[] Associated(ReadOnlySpan<byte> header, ReadOnlySpan<byte> vaultId, string slotId) =>
        [.. header, .. vaultId, .. Encoding.ASCII.GetBytes(slotId)];
}
