using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Log;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Exporting;

/// <summary>The first bytes of an export, and the key that a password makes of them. Layout: docs/formats/export.md, "Header".</summary>
internal static class ExportHeader
{
    /// <summary>Encoded size in bytes.</summary>
    public const int Size = 64;

    private const uint Version = 1;
    private const int VersionOffset = 8;
    private const int DerivationOffset = 12;
    private const int CipherOffset = 48;
    private const int CheckOffset = 52;
    private const int CheckBytes = 8;
    private const int CrcOffset = 60;

    private static ReadOnlySpan<byte> Magic => "HFEXPORT"u8;

    /// <summary>Makes a new header and its cipher.</summary>
    public static (byte[] Header, Aead Cipher) Create(VaultSecret secret, Host host)
    {
        byte[] header = new byte[Size];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(VersionOffset), Version);
        PasswordKey.Encode(header.AsSpan(DerivationOffset, PasswordKey.Size), PasswordKey.CalibratePasses(host.Clock), host.Entropy);
        header[CipherOffset] = (byte)Aead.Preferred;
        byte[] key = PasswordKey.Derive(secret, header.AsSpan(DerivationOffset, PasswordKey.Size), "export");
        try
        {
            Derive(key, "export check", header.AsSpan(CheckOffset, CheckBytes));
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(CrcOffset), Crc32C.Compute(header.AsSpan(0, CrcOffset)));
            return (header, CipherOf(key, Aead.Preferred));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The cipher of a header that was read.</summary>
    /// <exception cref="HoldfastException">It is no export, one of a later version, broken, or of another password.</exception>
    public static Aead Open(ReadOnlySpan<byte> header, VaultSecret secret, string name)
    {
        if (header.Length < Size || !header[..Magic.Length].SequenceEqual(Magic))
        {
            throw new HoldfastException(ErrorKind.Usage, $"{name}: is no export", "give a file that \"holdfast export\" wrote");
        }

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(header[VersionOffset..]);
        if (version != Version)
        {
            throw new HoldfastException(ErrorKind.Failed, $"{name}: format version {version}, this program reads {Version}", "use a newer holdfast");
        }

        var cipher = (CipherKind)header[CipherOffset];
        bool isWhole = BinaryPrimitives.ReadUInt32LittleEndian(header[CrcOffset..]) == Crc32C.Compute(header[..CrcOffset]);
        if (!isWhole || cipher is not (CipherKind.AesGcm or CipherKind.ChaCha20Poly1305)) throw FrameReader.Damage(name, "its header is broken");
        byte[] key = PasswordKey.Derive(secret, header.Slice(DerivationOffset, PasswordKey.Size), name);
        try
        {
            Span<byte> check = stackalloc byte[CheckBytes];
            Derive(key, "export check", check);
            if (CryptographicOperations.FixedTimeEquals(check, header.Slice(CheckOffset, CheckBytes))) return CipherOf(key, cipher);
            throw new HoldfastException(ErrorKind.WrongKey, $"{name}: wrong password", "give the password that it was exported with");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static Aead CipherOf(byte[] key, CipherKind cipher)
    {
        Span<byte> derived = stackalloc byte[Aead.KeyBytes];
        Derive(key, "export frames", derived);
        var aead = new Aead(cipher, derived);
        CryptographicOperations.ZeroMemory(derived);
        return aead;
    }

    private static void Derive(byte[] key, string info, Span<byte> target) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, target, [], Encoding.ASCII.GetBytes(info));
}
