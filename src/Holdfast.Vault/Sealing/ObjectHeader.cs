using System.Buffers.Binary;

namespace Holdfast.Vault.Sealing;

/// <summary>What a sealed object is. The value is on disk.</summary>
internal enum ObjectKind : byte
{
    Invalid = 0,
    DataPack = 1,
    TreePack = 2,
    Index = 3,
    References = 4,
    Point = 5,
    Lease = 6,
    Mark = 7,
    Removal = 8,
    Settings = 9,
    Writer = 10,
    Epoch = 13,
}

/// <summary>The first bytes of every sealed object. Layout: docs/formats/vault.md, "Sealed objects".</summary>
internal sealed record ObjectHeader(
    ObjectKind Kind, CipherKind Cipher, uint Epoch, ulong KeyId, ulong WriterId, ReadOnlyMemory<byte> Salt)
{
    /// <summary>Encoded size in bytes.</summary>
    public const int Size = 64;

    public const int SaltBytes = 32;
    private const byte Version = 1;
    private const int VersionOffset = 8;
    private const int KindOffset = 9;
    private const int CipherOffset = 10;
    private const int EpochOffset = 12;
    private const int KeyIdOffset = 16;
    private const int WriterIdOffset = 24;
    private const int SaltOffset = 32;

    private static ReadOnlySpan<byte> Magic => "HFOBJECT"u8;

    public void Encode(Span<byte> target)
    {
        target[..Size].Clear();
        Magic.CopyTo(target);
        target[VersionOffset] = Version;
        target[KindOffset] = (byte)Kind;
        target[CipherOffset] = (byte)Cipher;
        BinaryPrimitives.WriteUInt32LittleEndian(target[EpochOffset..], Epoch);
        BinaryPrimitives.WriteUInt64BigEndian(target[KeyIdOffset..], KeyId);
        BinaryPrimitives.WriteUInt64BigEndian(target[WriterIdOffset..], WriterId);
        Salt.Span.CopyTo(target[SaltOffset..]);
    }

    /// <summary>Reads the header of an object of the kind that its name promises.</summary>
    public static ObjectHeader Decode(ReadOnlySpan<byte> source, ObjectKind expected, string name)
    {
        if (source.Length < Size) throw new DamageException(name, $"{source.Length} bytes, at least {Size} expected");
        if (!source[..8].SequenceEqual(Magic)) throw new DamageException(name, "does not begin as a vault object");
        if (source[VersionOffset] != Version)
        {
            // A newer format has a newer descriptor, without which no object is read: here it is damage, and got round as such.
            throw new DamageException(
                name, $"format version {source[VersionOffset]}, {Version} expected: damaged, or written by a newer holdfast");
        }

        var kind = (ObjectKind)source[KindOffset];
        if (kind != expected) throw new DamageException(name, $"is a {kind} object, {expected} expected");
        var cipher = (CipherKind)source[CipherOffset];
        if (cipher is not (CipherKind.AesGcm or CipherKind.ChaCha20Poly1305))
        {
            throw new DamageException(name, $"unknown cipher {(byte)cipher}");
        }

        return new ObjectHeader(
            kind,
            cipher,
            BinaryPrimitives.ReadUInt32LittleEndian(source[EpochOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[KeyIdOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[WriterIdOffset..]),
            source.Slice(SaltOffset, SaltBytes).ToArray());
    }
}
