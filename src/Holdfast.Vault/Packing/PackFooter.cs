using System.Buffers.Binary;
using Holdfast.Log;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>How a group's bytes were coded before they were sealed. The value is on disk.</summary>
internal enum GroupCoding : byte
{
    Invalid = 0,
    Raw = 1,
    Zstd = 2,
}

/// <summary>A group of a pack: the unit that is fetched, opened and verified.</summary>
/// <param name="Offset">First byte of the sealed group in the pack.</param>
/// <param name="SealedBytes">Its sealed size, tag included.</param>
/// <param name="RawBytes">Its size when opened.</param>
/// <param name="FirstChunk">Ordinal of its first chunk.</param>
/// <param name="ChunkCount">How many chunks it holds.</param>
/// <param name="Coding">How it is coded.</param>
/// <param name="Key">Number of the key it is sealed under: 0 for the pack's own.</param>
/// <param name="Nonce">Under which nonce: its place in the pack that it was written to first.</param>
internal readonly record struct PackGroup(
    int Offset, int SealedBytes, int RawBytes, int FirstChunk, int ChunkCount, GroupCoding Coding, ushort Key, int Nonce);

/// <summary>A chunk of a pack.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Group">Index of its group.</param>
/// <param name="Offset">First byte in the opened group.</param>
/// <param name="Length">Its size.</param>
internal readonly record struct PackChunk(ChunkId Id, int Group, int Offset, int Length);

/// <summary>The list of what a pack holds. Layout: docs/formats/vault.md, "Packs".</summary>
internal sealed class PackFooter
{
    public const int MaxPackBytes = 32 << 20;
    public const int MaxGroupBytes = 8 << 20;
    public const int MaxChunkBytes = 4 << 20;
    public const int MaxChunks = 65_535;
    public const int BodyOffset = ObjectHeader.Size + SealedKeyBytes;
    public const int SealedKeyBytes = Aead.KeyBytes + Libsodium.SealOverheadBytes;

    /// <summary>Bytes at the very end of a pack or index object: length of the sealed part before it, its CRC, a magic.</summary>
    public const int EndBytes = 16;

    public required PackId Pack { get; init; }

    public required ulong WriterId { get; init; }

    public required uint Epoch { get; init; }

    public required CipherKind Cipher { get; init; }

    /// <summary>Id of the key that <see cref="SealedKey"/> is sealed to.</summary>
    public required ulong KeyId { get; init; }

    /// <summary>The pack's key in its sealed box; of zeros where no group is under it.</summary>
    public required byte[] SealedKey { get; init; }

    /// <summary>Bytes of the whole pack object.</summary>
    public required int PackBytes { get; init; }

    /// <summary>Bytes of the sealed footer.</summary>
    public required int FooterBytes { get; init; }

    /// <summary>Keys of groups that were copied from other packs; the first has number 1.</summary>
    public PackKey[] FurtherKeys { get; init; } = [];

    public required PackGroup[] Groups { get; init; }

    public required PackChunk[] Chunks { get; init; }

    public static ReadOnlySpan<byte> EndMagic => "HFPACKED"u8;

    /// <summary>
    /// Whether a client may take the footer's word for a chunk, without reading it: its group was sealed by somebody trusted, and whoever
    /// says so, having moved it, is trusted as far as that. So nobody launders chunks of a stolen key by moving them.
    /// </summary>
    /// <param name="ordinal">Which chunk.</param>
    /// <param name="reuser">Says whom it trusts.</param>
    /// <param name="alsoOf">An origin that is good enough beside these; <see cref="PackKey.NoOrigin"/> for none.</param>
    public bool IsReusable(int ordinal, ObjectSealer reuser, ulong alsoOf = PackKey.NoOrigin)
    {
        if (!reuser.TrustsToMove(WriterId)) return false;
        ulong origin = OriginOf(Groups[Chunks[ordinal].Group]);
        return reuser.Trusts(origin) || (origin == alsoOf && origin != PackKey.NoOrigin);
    }

    public static void EncodeEnd(Span<byte> target, uint length, ReadOnlySpan<byte> magic)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], Crc32C.Compute(target[..4]));
        magic.CopyTo(target[8..]);
    }

    /// <summary>Length of the sealed part before the end mark.</summary>
    public static int DecodeEnd(ReadOnlySpan<byte> end, ReadOnlySpan<byte> magic, int maxLength, string name)
    {
        if (end.Length != EndBytes || !end[8..].SequenceEqual(magic)) throw new DamageException(name, "has no end mark: cut off or overwritten");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (Crc32C.Compute(end[..4]) != BinaryPrimitives.ReadUInt32LittleEndian(end[4..]) || length > maxLength)
        {
            throw new DamageException(name, $"end mark: length {length}, at most {maxLength} expected");
        }

        return (int)length;
    }

    /// <summary>The key that a group is sealed under.</summary>
    public PackKey KeyOf(in PackGroup group) =>
        group.Key == 0 ? new PackKey(Cipher, Epoch, KeyId, WriterId, SealedKey) : FurtherKeys[group.Key - 1];

    /// <summary>Who sealed a group, as the pack's writer says: the writer itself, or whose group it copied.</summary>
    public ulong OriginOf(in PackGroup group) => group.Key == 0 ? WriterId : FurtherKeys[group.Key - 1].OriginId;
}
