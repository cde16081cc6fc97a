using System.Buffers.Binary;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Repairing;

/// <summary>
/// The groups of a pack whose footer is lost, opened one after the other from its beginning; chunks are found in them by
/// length and id, at either end of what nobody has claimed yet. For one thread at a time.
/// </summary>
internal sealed class HeadlessPack
{
    private const uint ZstdMagic = 0xFD2FB528;

    // What is left of each group: chunks lie one after the other.
    private readonly List<(byte[] Raw, int Start, int End)> gaps = [];

    // Mostly the neighbour of the one before.
    private int hand;

    private HeadlessPack()
    {
    }

    /// <summary>Opens what can be opened; null where not even the first group can.</summary>
    public static async Task<HeadlessPack?> TryOpenAsync(OpenVault vault, PackId id, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? content = await vault.Store.TryGetAsync(id.ObjectName, PackFooter.MaxPackBytes, cancellationToken).ConfigureAwait(false);
            if (content is null || content.Length <= PackFooter.BodyOffset) return null;
            var header = ObjectHeader.Decode(content, id.Kind, id.ObjectName);
            if (header.Cipher != CipherKind.AesGcm) return null;
            byte[] key = new PackReader(vault.Store, vault.Sealer).OpenKey(FooterOf(id, header, content), 0);
            var pack = new HeadlessPack();
            pack.OpenGroups(key, content.AsSpan(PackFooter.BodyOffset));
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(key);
            return pack.gaps.Count == 0 ? null : pack;
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            return null;
        }
    }

    /// <summary>A chunk's content, if it lies where nothing was claimed yet.</summary>
    public ReadOnlyMemory<byte>? TryTake(in ChunkId id, int length, ChunkProof proof)
    {
        for (int i = 0; i < gaps.Count; i++)
        {
            int at = (hand + i) % gaps.Count;
            (byte[] raw, int start, int end) = gaps[at];
            if (end - start < length) continue;
            if (proof.Fits(raw.AsSpan(start, length), id))
            {
                gaps[at] = (raw, start + length, end);
                hand = at;
                return raw.AsMemory(start, length);
            }

            if (!proof.Fits(raw.AsSpan(end - length, length), id)) continue;
            gaps[at] = (raw, start, end - length);
            hand = at;
            return raw.AsMemory(end - length, length);
        }

        return null;
    }

    /// <summary>A chunk list, whose length nobody says, but which ends by itself: where one begins what nobody has claimed yet.</summary>
    public ReadOnlyMemory<byte>? TryTakeList(in ChunkId id, ChunkProof proof)
    {
        for (int at = 0; at < gaps.Count; at++)
        {
            (byte[] raw, int start, int end) = gaps[at];
            if (start == end || raw[start] != (byte)TreeChunkKind.ChunkList || LengthOfList(raw.AsSpan(start..end)) is not { } length) continue;
            if (!proof.Fits(raw.AsSpan(start, length), id)) continue;
            gaps[at] = (raw, start + length, end);
            return raw.AsMemory(start, length);
        }

        return null;
    }

    private static int? LengthOfList(ReadOnlySpan<byte> source)
    {
        try
        {
            var reader = new ByteReader(source, "chunk list");
            reader.U8();
            _ = Content.Decode(ref reader);
            return source.Length - reader.Remaining;
        }
        catch (DamageException)
        {
            return null;
        }
    }

    private void OpenGroups(byte[] key, ReadOnlySpan<byte> body)
    {
        using var scan = new GroupScan(key);
        using var cipher = new Aead(CipherKind.AesGcm, key);
        using var decompressor = new Decompressor();
        // A group that does not open ends it: where the next one begins cannot be known.
        for (uint nonce = 0; ; nonce++)
        {
            int length = scan.FindLength(nonce, body, PackFooter.MaxGroupBytes);
            if (length < 0) return;
            byte[] coded = new byte[length];
            if (!cipher.TryOpen(nonce, body[..(length + Aead.TagBytes)], coded)) return;
            byte[] raw = Decode(decompressor, coded);
            gaps.Add((raw, 0, raw.Length));
            body = body[(length + Aead.TagBytes)..];
        }
    }

    /// <summary>The content of a group: decompressed where it is a frame that says how much it holds.</summary>
    private static byte[] Decode(Decompressor decompressor, byte[] coded)
    {
        if (coded.Length < sizeof(uint) || BinaryPrimitives.ReadUInt32LittleEndian(coded) != ZstdMagic) return coded;
        if (!decompressor.TryGetContentBytes(coded, out ulong bytes) || bytes > PackFooter.MaxGroupBytes) return coded;
        byte[] raw = new byte[bytes];
        return decompressor.TryDecompress(coded, raw) ? raw : coded;
    }

    private static PackFooter FooterOf(PackId id, ObjectHeader header, byte[] content) => new()
    {
        Pack = id,
        WriterId = header.WriterId,
        Epoch = header.Epoch,
        Cipher = header.Cipher,
        KeyId = header.KeyId,
        SealedKey = content.AsSpan(ObjectHeader.Size, PackFooter.SealedKeyBytes).ToArray(),
        PackBytes = content.Length,
        FooterBytes = 0,
        FurtherKeys = [],
        Groups = [],
        Chunks = [],
    };
}
