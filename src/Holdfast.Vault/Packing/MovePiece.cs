using System.Buffers;
using Holdfast.Log;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>
/// Groups of one pack that are read in one go; those that are to be rebuilt or proved are opened and verified at once, so that
/// this is done for several pieces beside each other.
/// </summary>
internal sealed class MovePiece(MoveSource source, int first, int end, GroupFate[] fates) : IDisposable
{
    private byte[] sealedBytes = [];
    private byte[] raw = [];

    public MoveSource Source => source;

    public int First => first;

    /// <summary>Behind its last group.</summary>
    public int End => end;

    /// <summary>Whether it is the last of its pack.</summary>
    public required bool IsLast { get; init; }

    /// <summary>Why it cannot be had.</summary>
    public DamageException? Damage { get; private set; }

    public int Bytes => first == end ? 0 : source.Footer.Groups[end - 1].Offset + source.Footer.Groups[end - 1].SealedBytes - source.Footer.Groups[first].Offset;

    public GroupFate FateOf(int group) => fates[group];

    public ReadOnlySpan<byte> Sealed(in PackGroup group) => sealedBytes.AsSpan(group.Offset - source.Footer.Groups[first].Offset, group.SealedBytes);

    /// <summary>The content of a chunk of a group that is rebuilt.</summary>
    /// <param name="rawOffset">Where the opened group begins: the sizes of those before it that are rebuilt, too.</param>
    /// <param name="chunk">The chunk.</param>
    public ReadOnlySpan<byte> Raw(int rawOffset, in PackChunk chunk) => raw.AsSpan(rawOffset + chunk.Offset, chunk.Length);

    /// <summary>Reads the groups and opens those that are to be rebuilt.</summary>
    /// <param name="reader">Where from.</param>
    /// <param name="proof">Of the chunks; needed where a group is to be rebuilt or proved.</param>
    /// <param name="cancellationToken">Stops the wait for the store.</param>
    public async Task<MovePiece> ReadAsync(PackReader reader, ChunkProof? proof, CancellationToken cancellationToken)
    {
        try
        {
            if (Bytes == 0) return this;
            sealedBytes = ArrayPool<byte>.Shared.Rent(Bytes);
            await reader.ReadSealedAsync(source.Footer, source.Footer.Groups[first].Offset, sealedBytes.AsMemory(0, Bytes), cancellationToken).ConfigureAwait(false);
            OpenRebuilt(reader, proof);
            Prove(reader, proof);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            Damage = error as DamageException ?? new DamageException(source.Footer.Pack.ObjectName, error.Message);
        }

        return this;
    }

    public void Dispose()
    {
        if (sealedBytes.Length > 0) ArrayPool<byte>.Shared.Return(sealedBytes, clearArray: raw.Length > 0);
        if (raw.Length > 0) ArrayPool<byte>.Shared.Return(raw, clearArray: true);
        sealedBytes = raw = [];
    }

    private void OpenRebuilt(PackReader reader, ChunkProof? proof)
    {
        PackFooter footer = source.Footer;
        int rawBytes = 0;
        for (int g = first; g < end; g++) rawBytes += fates[g] == GroupFate.Rebuilt ? footer.Groups[g].RawBytes : 0;
        if (rawBytes == 0) return;
        raw = ArrayPool<byte>.Shared.Rent(rawBytes);
        using var ciphers = new PackCiphers(reader, footer);
        using var decompressor = new Decompressor();
        int at = 0;
        for (int g = first; g < end; g++)
        {
            if (fates[g] != GroupFate.Rebuilt) continue;
            PackGroup group = footer.Groups[g];
            Aead? cipher = ciphers.TryGet(group, out DamageException? damage);
            Span<byte> ciphertext = sealedBytes.AsSpan(group.Offset - footer.Groups[first].Offset, group.SealedBytes), content = raw.AsSpan(at, group.RawBytes);
            if (cipher is null || !PackReader.TryOpenGroup(cipher, decompressor, group, ciphertext, content)) throw damage ?? PackReader.BrokenGroup(footer, g);
            for (int i = group.FirstChunk; i < group.FirstChunk + group.ChunkCount; i++)
            {
                PackChunk chunk = footer.Chunks[i];
                // Sealed anew they are this writer's: it must not vouch for what is not what its id says.
                if (source.IsLive(i) && !proof!.Fits(content.Slice(chunk.Offset, chunk.Length), chunk.Id)) throw PackReader.BrokenChunk(footer, i);
            }

            at += group.RawBytes;
        }
    }

    private void Prove(PackReader reader, ChunkProof? proof)
    {
        PackFooter footer = source.Footer;
        if (!fates.AsSpan(first, end - first).Contains(GroupFate.Proved)) return;
        using var ciphers = new PackCiphers(reader, footer);
        using var decompressor = new Decompressor();
        for (int g = first; g < end; g++)
        {
            if (fates[g] != GroupFate.Proved) continue;
            PackGroup group = footer.Groups[g];
            Aead cipher = ciphers.TryGet(group, out DamageException? damage) ?? throw damage!;
            // Opening overwrites: what goes on is the sealed bytes.
            byte[] scratch = ArrayPool<byte>.Shared.Rent(group.SealedBytes + group.RawBytes);
            try
            {
                Span<byte> ciphertext = scratch.AsSpan(0, group.SealedBytes), content = scratch.AsSpan(group.SealedBytes, group.RawBytes);
                Sealed(group).CopyTo(ciphertext);
                if (!PackReader.TryOpenGroup(cipher, decompressor, group, ciphertext, content)) throw PackReader.BrokenGroup(footer, g);
                for (int i = group.FirstChunk; i < group.FirstChunk + group.ChunkCount; i++)
                {
                    PackChunk chunk = footer.Chunks[i];
                    if (!proof!.Fits(content.Slice(chunk.Offset, chunk.Length), chunk.Id)) throw PackReader.BrokenChunk(footer, i);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(scratch, clearArray: true);
            }
        }
    }
}
