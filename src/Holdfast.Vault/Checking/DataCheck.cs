using System.Collections.Concurrent;
using Holdfast.Log;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Checking;

/// <summary>Reads packs from the store and verifies the seal of every group and the id of every chunk.</summary>
/// <remarks>
/// Each worker has a buffer for what it checks, one for what is read meanwhile, and one for an opened group: memory follows
/// workers, not packs.
/// </remarks>
internal sealed class DataCheck(OpenVault vault, CheckRequest request, ChunkTable table, Findings findings, VerificationLog? log)
{
    /// <summary>Bytes of one read: groups that follow each other, so many as fit, at least one.</summary>
    private const int PieceBytes = 4 << 20;

    private readonly PackReader reader = new(vault.Store.Uncached, vault.Sealer);
    private readonly ConcurrentDictionary<PackId, bool> isWhole = new();
    private long chunksRead;
    private long bytesRead;

    public int PacksRead => isWhole.Count;

    /// <summary>Whether a pack was read, whole or not.</summary>
    public bool HasRead(PackId pack) => isWhole.ContainsKey(pack);

    public long ChunksRead => chunksRead;

    public long BytesRead => bytesRead;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        CheckedPack[] chosen = new DataChoice(vault.Host.Entropy, request, table, log).Choose();
        long started = vault.Host.Clock.GetTimestamp();
        request.Progress.Expect(request.Progress.ItemsDone + chosen.Length, chosen.Sum(pack => (long)pack.PackBytes));
        int next = -1;
        Task[] workers = [.. Enumerable.Range(0, Math.Max(1, request.Workers)).Select(_ => Task.Run(async () =>
        {
            using var worker = new Worker();
            for (int i = Interlocked.Increment(ref next); i < chosen.Length; i = Interlocked.Increment(ref next))
            {
                if (request.MaxTime is { } max && vault.Host.Clock.GetElapsedTime(started) >= max) return;
                await CheckPackAsync(worker, chosen[i], cancellationToken).ConfigureAwait(false);
                if (log is not null && isWhole[chosen[i].Id]) await log.AddAsync(chosen[i].Id, cancellationToken).ConfigureAwait(false);
            }
        }, cancellationToken))];
        try
        {
            await Task.WhenAll(workers).ConfigureAwait(false);
        }
        finally
        {
            // Also of a check that is cancelled: the next goes on where this one stopped.
            if (log is not null) await log.PutAsync(CancellationToken.None).ConfigureAwait(false);
        }

        if (log is not null) await log.ThinAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task CheckPackAsync(Worker worker, CheckedPack pack, CancellationToken cancellationToken)
    {
        request.Progress.Show(System.Text.Encoding.ASCII.GetBytes(pack.Id.ObjectName));
        int firstUnread = 0;
        try
        {
            PackFooter footer = await reader.TryReadFooterAsync(pack.Id, cancellationToken).ConfigureAwait(false)
                ?? throw DamageException.Missing(pack.Id.ObjectName);
            using var ciphers = new PackCiphers(reader, footer);
            if (footer.Groups.Length > 0) worker.BeginRead(reader, footer, 0, PieceEnd(footer, 0), cancellationToken);
            for (int group = 0; group < footer.Groups.Length;)
            {
                firstUnread = footer.Groups[group].FirstChunk;
                int end = PieceEnd(footer, group);
                int offset = footer.Groups[group].Offset;
                Memory<byte> piece = default;
                try
                {
                    piece = await worker.TakeReadAsync().ConfigureAwait(false);
                }
                catch (HoldfastException error) when (error is not DamageException && DamageException.IsLoss(error))
                {
                    // One bad sector: what lies beside it may be read alone.
                    for (; group < end; group++) await CheckAloneAsync(worker, ciphers, pack, footer, group, cancellationToken).ConfigureAwait(false);
                }

                if (end < footer.Groups.Length) worker.BeginRead(reader, footer, end, PieceEnd(footer, end), cancellationToken);
                for (; group < end; group++) CheckGroup(worker, ciphers, pack, footer, group, piece.Span[(footer.Groups[group].Offset - offset)..]);
                Interlocked.Add(ref bytesRead, piece.Length);
                request.Progress.AddDone(0, piece.Length);
            }
        }
        catch (DamageException error) when (error.IsMissing)
        {
            if ((await vault.ReadRemovedAsync(cancellationToken).ConfigureAwait(false)).Contains(pack.Id))
            {
                isWhole[pack.Id] = false;
                findings.Tell(pack.Id.ObjectName, "a prune removed it before it was read; the packs that took its place are read by the next check");
            }
            else
            {
                NoteRest(pack, error, firstUnread);
            }
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            NoteRest(pack, error, firstUnread);
        }

        isWhole.TryAdd(pack.Id, true);
        request.Progress.AddDone(1, 0);
    }

    /// <summary>What was not reached any more is as good as lost.</summary>
    private void NoteRest(CheckedPack pack, HoldfastException error, int firstUnread)
    {
        isWhole[pack.Id] = false;
        findings.AddChunks(findings.Add(pack.Id.ObjectName, error), Enumerable.Range(pack.First + firstUnread, pack.Count - firstUnread));
    }

    private async Task CheckAloneAsync(
        Worker worker, PackCiphers ciphers, CheckedPack pack, PackFooter footer, int group, CancellationToken cancellationToken)
    {
        PackGroup place = footer.Groups[group];
        byte[] sealedBytes = new byte[place.SealedBytes];
        try
        {
            await reader.ReadSealedAsync(footer, place.Offset, sealedBytes, cancellationToken).ConfigureAwait(false);
            CheckGroup(worker, ciphers, pack, footer, group, sealedBytes);
        }
        catch (HoldfastException error) when (error is not DamageException && DamageException.IsLoss(error))
        {
            isWhole[pack.Id] = false;
            findings.AddChunks(findings.Add(pack.Id.ObjectName, error), Enumerable.Range(pack.First + place.FirstChunk, place.ChunkCount));
        }
    }

    private void CheckGroup(Worker worker, PackCiphers ciphers, CheckedPack pack, PackFooter footer, int groupIndex, Span<byte> sealedBytes)
    {
        PackGroup group = footer.Groups[groupIndex];
        Span<byte> raw = worker.Raw(group.RawBytes);
        Aead? cipher = ciphers.TryGet(group, out DamageException? damage);
        if (cipher is null || !PackReader.TryOpenGroup(cipher, worker.Decompressor, group, sealedBytes[..group.SealedBytes], raw))
        {
            Note(pack, damage ?? PackReader.BrokenGroup(footer, groupIndex), Enumerable.Range(pack.First + group.FirstChunk, group.ChunkCount));
            return;
        }

        Chunking.ChunkProof proof = pack.Id.Kind == ObjectKind.DataPack ? vault.DataProof : vault.TreeProof;
        for (int i = group.FirstChunk; i < group.FirstChunk + group.ChunkCount; i++)
        {
            PackChunk chunk = footer.Chunks[i];
            if (!proof.Fits(raw.Slice(chunk.Offset, chunk.Length), chunk.Id)) Note(pack, PackReader.BrokenChunk(footer, i), [pack.First + i]);
        }

        Interlocked.Add(ref chunksRead, group.ChunkCount);
    }

    private void Note(CheckedPack pack, DamageException damage, IEnumerable<int> numbers)
    {
        isWhole[pack.Id] = false;
        findings.AddChunks(findings.Add(damage.Thing, damage), numbers);
    }

    private static int PieceEnd(PackFooter footer, int first)
    {
        int end = first + 1;
        int offset = footer.Groups[first].Offset;
        while (end < footer.Groups.Length && footer.Groups[end].Offset + footer.Groups[end].SealedBytes - offset <= PieceBytes) end++;
        return end;
    }

    private sealed class Worker : IDisposable
    {
        private byte[] sealedBytes = [];
        private byte[] nextSealedBytes = [];
        private int nextBytes;
        private Task reading = Task.CompletedTask;
        private byte[] raw = new byte[2 * PackBuilder.GroupTargetBytes];

        public Decompressor Decompressor { get; } = new();

        /// <summary>Begins to read groups. Stores that answer in the call itself are called elsewhere, so that the work goes on.</summary>
        public void BeginRead(PackReader reader, PackFooter footer, int first, int end, CancellationToken cancellationToken)
        {
            int offset = footer.Groups[first].Offset;
            nextBytes = footer.Groups[end - 1].Offset + footer.Groups[end - 1].SealedBytes - offset;
            if (nextBytes > nextSealedBytes.Length) nextSealedBytes = GC.AllocateUninitializedArray<byte>(Math.Max(nextBytes, PieceBytes));
            Memory<byte> target = nextSealedBytes.AsMemory(0, nextBytes);
            reading = Task.Run(() => reader.ReadSealedAsync(footer, offset, target, cancellationToken), cancellationToken);
        }

        /// <summary>What was read; valid until it is called again.</summary>
        public async Task<Memory<byte>> TakeReadAsync()
        {
            await reading.ConfigureAwait(false);
            (sealedBytes, nextSealedBytes) = (nextSealedBytes, sealedBytes);
            return sealedBytes.AsMemory(0, nextBytes);
        }

        public Span<byte> Raw(int bytes)
        {
            if (bytes > raw.Length) raw = new byte[bytes];
            return raw.AsSpan(0, bytes);
        }

        public void Dispose()
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(raw);
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(sealedBytes);
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(nextSealedBytes);
            Decompressor.Dispose();
        }
    }
}
