using System.Buffers.Binary;
using Holdfast.Log;
using Holdfast.Vault.Bytes;
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
internal readonly record struct PackGroup(int Offset, int SealedBytes, int RawBytes, int FirstChunk, int ChunkCount, GroupCoding Coding);

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

    public const int GroupBytes = 11;
    public const int ChunkBytes = ChunkId.Size + 4;

    public required PackId Pack { get; init; }

    public required ulong WriterId { get; init; }

    public required uint Epoch { get; init; }

    public required CipherKind Cipher { get; init; }

    /// <summary>The pack's key in its sealed box.</summary>
    public required byte[] SealedKey { get; init; }

    /// <summary>Bytes of the whole pack object.</summary>
    public required int PackBytes { get; init; }

    /// <summary>Bytes of the sealed footer.</summary>
    public required int FooterBytes { get; init; }

    public required PackGroup[] Groups { get; init; }

    public required PackChunk[] Chunks { get; init; }

    public static ReadOnlySpan<byte> EndMagic => "HFPACKED"u8;

    /// <summary>Whether a client may take the footer's word for a chunk, without reading it.</summary>
    public bool MayReuse(int ordinal, ObjectSealer reuser)
    {
        _ = ordinal;
        return reuser.Trusts(WriterId);
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

    /// <summary>Reads the opened footer and checks that groups and chunks fill the pack's body exactly.</summary>
    public static (PackGroup[] Groups, PackChunk[] Chunks) DecodeBody(ReadOnlySpan<byte> body, int bodyBytes, string name)
    {
        var reader = new ByteReader(body, name);
        uint groupCount = reader.U32();
        if (groupCount > reader.Remaining / GroupBytes) throw reader.Damage($"{groupCount} groups");
        var groups = new PackGroup[groupCount];
        int offset = BodyOffset;
        int chunkCount = 0;
        for (int i = 0; i < groups.Length; i++)
        {
            uint sealedBytes = reader.U32(), rawBytes = reader.U32();
            ushort count = reader.U16();
            var coding = (GroupCoding)reader.U8();
            if (sealedBytes > bodyBytes - (offset - BodyOffset) || rawBytes > MaxGroupBytes || sealedBytes < Aead.TagBytes
                || coding is not (GroupCoding.Raw or GroupCoding.Zstd)
                || (coding == GroupCoding.Raw && rawBytes + Aead.TagBytes != sealedBytes))
            {
                throw reader.Damage($"group {i}: {sealedBytes} bytes for {rawBytes}, coding {(byte)coding}");
            }

            groups[i] = new PackGroup(offset, (int)sealedBytes, (int)rawBytes, chunkCount, count, coding);
            offset += (int)sealedBytes;
            chunkCount += count;
        }

        if (offset - BodyOffset != bodyBytes) throw reader.Damage($"groups end at {offset}, {BodyOffset + bodyBytes} expected");
        if (chunkCount > MaxChunks || chunkCount != reader.Remaining / ChunkBytes) throw reader.Damage($"{chunkCount} chunks");
        var chunks = new PackChunk[chunkCount];
        for (int g = 0; g < groups.Length; g++)
        {
            int inGroup = 0;
            for (int i = groups[g].FirstChunk; i < groups[g].FirstChunk + groups[g].ChunkCount; i++)
            {
                var id = ChunkId.Decode(reader.Bytes(ChunkId.Size));
                uint length = reader.U32();
                if (length > groups[g].RawBytes - inGroup) throw reader.Damage($"chunk {i}: {length} bytes");
                chunks[i] = new PackChunk(id, g, inGroup, (int)length);
                inGroup += (int)length;
            }

            if (inGroup != groups[g].RawBytes) throw reader.Damage($"group {g}: chunks of {inGroup} bytes, {groups[g].RawBytes} expected");
        }

        reader.ExpectEnd();
        return (groups, chunks);
    }
}
