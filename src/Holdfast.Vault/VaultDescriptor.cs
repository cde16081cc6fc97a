using System.Buffers.Binary;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault;

/// <summary>The object <c>vault</c>: says that a vault is here, and which. Layout: docs/formats/vault.md, "Keys".</summary>
internal static class VaultDescriptor
{
    public const string Name = "vault";
    public const int Size = 32;
    public const uint Version = 1;
    public const int IdBytes = 16;
    private const int MaxBytes = 4096;
    private const int VersionOffset = 8;
    private const int IdOffset = 12;
    private const int CrcOffset = 28;

    private const string Remedy = "\"holdfast repair --from\" a copy of the vault writes it anew; or copy the object \"vault\" from there";

    private static ReadOnlySpan<byte> Magic => "HOLDFAST"u8;

    public static byte[] Encode(ReadOnlySpan<byte> vaultId)
    {
        byte[] descriptor = new byte[Size];
        Magic.CopyTo(descriptor);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor.AsSpan(VersionOffset), Version);
        vaultId.CopyTo(descriptor.AsSpan(IdOffset));
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor.AsSpan(CrcOffset), Crc32C.Compute(descriptor.AsSpan(0, CrcOffset)));
        return descriptor;
    }

    /// <summary>What a descriptor says that is damaged: whether it is so, a key slot tells, which opens with that id alone. Null where nothing is left of it.</summary>
    public static async Task<byte[]?> TryGuessIdAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? descriptor = await store.TryGetAsync(Name, MaxBytes, cancellationToken).ConfigureAwait(false);
            return descriptor is { Length: >= IdOffset + IdBytes } ? descriptor.AsSpan(IdOffset, IdBytes).ToArray() : null;
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            return null;
        }
    }

    /// <summary>Reads the vault's id; says what is wrong when there is no vault, or one that this program cannot read.</summary>
    public static async Task<byte[]> ReadIdAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        byte[]? descriptor = await store.TryGetAsync(Name, MaxBytes, cancellationToken).ConfigureAwait(false);
        if (descriptor is null)
        {
            ObjectPage keys = await store.ListPageAsync(KeyDirectory.Prefix, null, cancellationToken).ConfigureAwait(false);
            if (keys.Entries.Count > 0) throw new HoldfastException(ErrorKind.NotThere, $"{store.Address}: {Name} is missing, the object that says which vault this is; its keys are there", Remedy);
            throw new HoldfastException(ErrorKind.NotThere, $"{store.Address}: there is no vault", "make one with \"holdfast init\", or check the address");
        }

        if (descriptor.Length < IdOffset || !descriptor.AsSpan(0, 8).SequenceEqual(Magic))
        {
            throw new HoldfastException(ErrorKind.NotThere, $"{store.Address}: what lies there is no vault", $"check the address; of a vault whose object \"{Name}\" was damaged, {Remedy}");
        }

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(VersionOffset));
        if (version != Version)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{store.Address}: a vault of format {version}; this program reads format {Version}",
                $"use the holdfast that wrote it, or a newer one");
        }

        if (descriptor.Length != Size
            || BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(CrcOffset)) != Crc32C.Compute(descriptor.AsSpan(0, CrcOffset)))
        {
            throw new HoldfastException(ErrorKind.Damage, $"{store.Address}: {Name}: does not fit its checksum", Remedy);
        }

        return descriptor.AsSpan(IdOffset, IdBytes).ToArray();
    }
}
