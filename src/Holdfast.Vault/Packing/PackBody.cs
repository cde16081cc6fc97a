using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>What a pack's footer says when it is opened. Layout: docs/formats/vault.md, "Packs".</summary>
/// <param name="FurtherKeys">Keys of other packs, from which groups were copied; the first has number 1.</param>
/// <param name="Groups">In the order in which they lie in the pack.</param>
/// <param name="Chunks">By their ordinals.</param>
internal readonly record struct PackBody(PackKey[] FurtherKeys, PackGroup[] Groups, PackChunk[] Chunks)
{
    public const int KeyBytes = 1 + 4 + 8 + 8 + PackFooter.SealedKeyBytes;
    public const int GroupBytes = 17;
    public const int ChunkBytes = ChunkId.Size + 4;

    // No pack holds more groups than it has room for tags.
    private const int MaxNonce = PackFooter.MaxPackBytes / Aead.TagBytes;

    public static int EncodedBytes(int keys, int groups, int chunks) => 2 + (keys * KeyBytes) + 4 + (groups * GroupBytes) + (chunks * ChunkBytes);

    public static void Encode(Span<byte> target, List<PackKey> furtherKeys, List<PackGroup> groups, List<PackChunk> chunks)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)furtherKeys.Count);
        target = target[2..];
        foreach (PackKey key in furtherKeys)
        {
            target[0] = (byte)key.Cipher;
            BinaryPrimitives.WriteUInt32LittleEndian(target[1..], key.Epoch);
            BinaryPrimitives.WriteUInt64BigEndian(target[5..], key.KeyId);
            BinaryPrimitives.WriteUInt64BigEndian(target[13..], key.OriginId);
            key.SealedKey.CopyTo(target[21..]);
            target = target[KeyBytes..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)groups.Count);
        target = target[4..];
        foreach (ref readonly PackGroup group in CollectionsMarshal.AsSpan(groups))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)group.SealedBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(target[4..], (uint)group.RawBytes);
            BinaryPrimitives.WriteUInt16LittleEndian(target[8..], (ushort)group.ChunkCount);
            target[10] = (byte)group.Coding;
            BinaryPrimitives.WriteUInt16LittleEndian(target[11..], group.Key);
            BinaryPrimitives.WriteUInt32LittleEndian(target[13..], (uint)group.Nonce);
            target = target[GroupBytes..];
        }

        foreach (ref readonly PackChunk chunk in CollectionsMarshal.AsSpan(chunks))
        {
            chunk.Id.Encode(target);
            BinaryPrimitives.WriteUInt32LittleEndian(target[ChunkId.Size..], (uint)chunk.Length);
            target = target[ChunkBytes..];
        }
    }

    /// <summary>Reads the opened footer and checks that groups and chunks fill the pack exactly.</summary>
    /// <param name="body">The opened footer.</param>
    /// <param name="groupsBytes">Bytes of the pack between its own sealed key and its footer.</param>
    /// <param name="name">The pack's name, for what is damaged.</param>
    public static PackBody Decode(ReadOnlySpan<byte> body, int groupsBytes, string name)
    {
        var reader = new ByteReader(body, name);
        PackKey[] keys = DecodeKeys(ref reader);
        PackGroup[] groups = DecodeGroups(ref reader, keys.Length, groupsBytes);
        PackChunk[] chunks = DecodeChunks(ref reader, groups);
        reader.ExpectEnd();
        return new PackBody(keys, groups, chunks);
    }

    private static PackKey[] DecodeKeys(ref ByteReader reader)
    {
        int count = reader.U16();
        if (count > reader.Remaining / KeyBytes) throw reader.Damage($"{count} further keys");
        var keys = new PackKey[count];
        for (int i = 0; i < keys.Length; i++)
        {
            var cipher = (CipherKind)reader.U8();
            if (cipher is not (CipherKind.AesGcm or CipherKind.ChaCha20Poly1305)) throw reader.Damage($"key {i + 1}: unknown cipher {(byte)cipher}");
            keys[i] = new PackKey(
                cipher,
                reader.U32(),
                BinaryPrimitives.ReadUInt64BigEndian(reader.Bytes(8)),
                BinaryPrimitives.ReadUInt64BigEndian(reader.Bytes(8)),
                reader.Bytes(PackFooter.SealedKeyBytes).ToArray());
        }

        return keys;
    }

    private static PackGroup[] DecodeGroups(ref ByteReader reader, int keyCount, int groupsBytes)
    {
        uint groupCount = reader.U32();
        if (groupCount > reader.Remaining / GroupBytes) throw reader.Damage($"{groupCount} groups");
        var groups = new PackGroup[groupCount];
        int offset = PackFooter.BodyOffset, end = PackFooter.BodyOffset + groupsBytes;
        int chunkCount = 0;
        for (int i = 0; i < groups.Length; i++)
        {
            uint sealedBytes = reader.U32(), rawBytes = reader.U32();
            ushort count = reader.U16();
            var coding = (GroupCoding)reader.U8();
            ushort key = reader.U16();
            uint nonce = reader.U32();
            if (sealedBytes > end - offset || rawBytes > PackFooter.MaxGroupBytes || sealedBytes < Aead.TagBytes
                || coding is not (GroupCoding.Raw or GroupCoding.Zstd)
                || (coding == GroupCoding.Raw && rawBytes + Aead.TagBytes != sealedBytes))
            {
                throw reader.Damage($"group {i}: {sealedBytes} bytes for {rawBytes}, coding {(byte)coding}");
            }

            // Under the pack's own key, a nonce is a place in the pack: there is one that is right.
            if (key > keyCount || (key == 0 ? nonce != i : nonce > MaxNonce)) throw reader.Damage($"group {i}: key {key} of {keyCount}, nonce {nonce}");
            groups[i] = new PackGroup(offset, (int)sealedBytes, (int)rawBytes, chunkCount, count, coding, key, (int)nonce);
            offset += (int)sealedBytes;
            chunkCount += count;
        }

        if (offset != end) throw reader.Damage($"groups end at {offset}, {end} expected");
        if (chunkCount > PackFooter.MaxChunks || chunkCount != reader.Remaining / ChunkBytes) throw reader.Damage($"{chunkCount} chunks");
        return groups;
    }

    private static PackChunk[] DecodeChunks(ref ByteReader reader, PackGroup[] groups)
    {
        var chunks = new PackChunk[groups.Length == 0 ? 0 : groups[^1].FirstChunk + groups[^1].ChunkCount];
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

        return chunks;
    }
}
