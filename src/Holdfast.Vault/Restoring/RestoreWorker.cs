using System.Security.Cryptography;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Restoring;

/// <summary>
/// Restores what is wanted of one stretch of a pack after the other: opens its groups in order, verifies the chunks, writes
/// them; the next stretch is read meanwhile. For one thread at a time.
/// </summary>
internal sealed class RestoreWorker : IDisposable
{
    private readonly RestoreContext context;
    private readonly FileFinisher files;
    private readonly Decompressor decompressor = new();
    private PackWindow window;
    private PackWindow nextWindow;
    private byte[] raw = [];
    private RestoreBatch batch = new();
    private PackCiphers? ciphers;

    // The file that is open; of one that is written whole in one visit and was made here, the length so far.
    private RestoreFile? current;
    private OpenedNode opened;
    private long? writtenBytes;

    public RestoreWorker(RestoreContext context, FileFinisher files)
    {
        this.context = context;
        this.files = files;
        window = new PackWindow(context);
        nextWindow = new PackWindow(context);
    }

    /// <summary>Takes reads of a batch until none is left.</summary>
    public async Task RunAsync(RestoreBatch taken)
    {
        batch = taken;
        try
        {
            bool hasNext = TryBeginNext();
            while (hasNext)
            {
                (window, nextWindow) = (nextWindow, window);
                await window.WhenReadAsync().ConfigureAwait(false);
                hasNext = TryBeginNext();
                await RestoreAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            Close();
            await nextWindow.WhenStoppedAsync().ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        decompressor.Dispose();
        ciphers?.Dispose();
        window.Clear();
        nextWindow.Clear();
        CryptographicOperations.ZeroMemory(raw);
    }

    private bool TryBeginNext()
    {
        if (batch.TryTake() is not { } read) return false;
        nextWindow.Begin(read);
        return true;
    }

    private async ValueTask RestoreAsync()
    {
        PackRead read = window.Read;
        if (window.Footer is not { } footer)
        {
            await FetchElsewhereAsync(read.First, read.End, window.Damage).ConfigureAwait(false);
            return;
        }

        if (ciphers?.Pack != footer.Pack)
        {
            ciphers?.Dispose();
            ciphers = new PackCiphers(context.Vault.Index.Packs, footer);
        }

        for (int first = read.First; first < read.End;)
        {
            int end = first + 1;
            while (end < read.End && batch.At(end).GroupStart == batch.At(first).GroupStart) end++;
            await RestoreGroupAsync(footer, first, end).ConfigureAwait(false);
            first = end;
        }
    }

    /// <summary>Restores chunks of one group. Those that follow each other in the file, too, are written in one go.</summary>
    private async ValueTask RestoreGroupAsync(PackFooter footer, int first, int end)
    {
        int groupIndex = footer.Chunks[batch.At(first).Ordinal].Group;
        if (!TryOpenGroup(footer, groupIndex, out string damage))
        {
            await FetchElsewhereAsync(first, end, damage).ConfigureAwait(false);
            return;
        }

        for (int place = first; place < end;)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (!IsWhole(footer, place))
            {
                await FetchElsewhereAsync(place, place + 1, $"{footer.Pack}: chunk {batch.At(place).Ordinal} is not what its id says").ConfigureAwait(false);
                place++;
                continue;
            }

            int behind = place + 1;
            while (behind < end && Follows(footer, behind) && IsWhole(footer, behind)) behind++;
            PackChunk chunk = footer.Chunks[batch.At(place).Ordinal], last = footer.Chunks[batch.At(behind - 1).Ordinal];
            ReadOnlyMemory<byte> content = raw.AsMemory(chunk.Offset, last.Offset + last.Length - chunk.Offset);
            await WriteAsync(place, content).ConfigureAwait(false);
            await EndPiecesAsync(batch.WantedAt(place).File, behind - place).ConfigureAwait(false);
            place = behind;
        }
    }

    private bool TryOpenGroup(PackFooter footer, int groupIndex, out string damage)
    {
        PackGroup group = footer.Groups[groupIndex];
        damage = "";
        if (group.RawBytes > raw.Length) raw = GC.AllocateUninitializedArray<byte>(Math.Max(group.RawBytes, 2 * PackBuilder.GroupTargetBytes), pinned: true);
        Aead? cipher = ciphers!.TryGet(group, out DamageException? lost);
        if (cipher is not null && PackReader.TryOpenGroup(cipher, decompressor, group, window.Sealed(group), raw.AsSpan(0, group.RawBytes))) return true;
        damage = lost?.Message ?? $"{footer.Pack}: the seal of group {groupIndex} is broken";
        return false;
    }

    private bool IsWhole(PackFooter footer, int place)
    {
        WantedChunk wanted = batch.WantedAt(place);
        PackChunk chunk = footer.Chunks[batch.At(place).Ordinal];
        return chunk.Length == wanted.Length && context.Vault.DataIdentity.Of(raw.AsSpan(chunk.Offset, chunk.Length)) == wanted.Id;
    }

    /// <summary>Whether a chunk stands right behind the one before it, in the group and in the same file.</summary>
    private bool Follows(PackFooter footer, int place)
    {
        WantedChunk before = batch.WantedAt(place - 1), wanted = batch.WantedAt(place);
        return batch.At(place).Ordinal == batch.At(place - 1).Ordinal + 1
            && wanted.File == before.File && wanted.Offset == before.Offset + before.Length
            && before.Repeats == 1 && wanted.Repeats == 1
            && footer.Chunks[batch.At(place - 1).Ordinal].Length == before.Length;
    }

    /// <summary>Writes content, as often as it is wanted, where a chunk is wanted.</summary>
    private async ValueTask WriteAsync(int place, ReadOnlyMemory<byte> content)
    {
        WantedChunk wanted = batch.WantedAt(place);
        RestoreFile file = wanted.File;
        if (file.Failed || (current != file && !await OpenAsync(place).ConfigureAwait(false))) return;
        long offset = wanted.Offset;
        for (long i = 0; i < wanted.Repeats; i++)
        {
            for (int written = 0; written < content.Length;)
            {
                Result<WriteOutcome> outcome = await context.Target.WriteAsync(
                    context.Caller, opened.File, offset + written, content[written..], Stability.Unstable).ConfigureAwait(false);
                if (!outcome.Ok)
                {
                    files.Fail(file, outcome.Error);
                    return;
                }

                written += outcome.Value.Written;
                file.AddShown(outcome.Value.Written);
                context.Request.Progress.AddDone(0, outcome.Value.Written);
            }

            offset += content.Length;
        }

        if (writtenBytes is { } before) writtenBytes = Math.Max(before, offset);
        context.CountWritten(content.Length * wanted.Repeats);
    }

    private async ValueTask<bool> OpenAsync(int place)
    {
        Close();
        RestoreFile file = batch.WantedAt(place).File;
        bool isWhole = file.IsNew && file.Remaining == PiecesFrom(place);
        if (await files.OpenAsync(file, isWhole).ConfigureAwait(false) is not { } result) return false;
        context.Request.Progress.Show(file.Path);
        opened = result;
        current = file;
        writtenBytes = isWhole && result.Created ? 0 : null;
        return true;
    }

    /// <summary>How many pieces of a file follow each other in this read.</summary>
    private int PiecesFrom(int place)
    {
        RestoreFile file = batch.WantedAt(place).File;
        int end = place + 1;
        while (end < window.Read.End && batch.WantedAt(end).File == file) end++;
        return end - place;
    }

    private async ValueTask EndPiecesAsync(RestoreFile file, int count)
    {
        if (!file.EndPieces(count)) return;
        if (current == file && !file.Failed)
        {
            await files.FinishOpenAsync(file, opened, writtenBytes).ConfigureAwait(false);
            Close();
            return;
        }

        if (current == file) Close();
        await files.FinishAsync(file).ConfigureAwait(false);
    }

    private void Close()
    {
        if (current is null) return;
        context.Target.Forget(opened.Node.Id, 1);
        context.Target.Close(opened.File);
        current = null;
    }

    /// <summary>These chunks cannot be read where they were found: another pack may hold them whole.</summary>
    private async ValueTask FetchElsewhereAsync(int first, int end, string message)
    {
        for (int place = first; place < end; place++)
        {
            WantedChunk wanted = batch.WantedAt(place);
            try
            {
                ReadOnlyMemory<byte> content = await context.Vault.DataChunks.FetchAsync(wanted.Id, context.Cancellation).ConfigureAwait(false);
                if (content.Length != wanted.Length) throw new DamageException($"chunk {wanted.Id}", $"{content.Length} bytes, {wanted.Length} expected");
                await WriteAsync(place, content).ConfigureAwait(false);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                files.FailDamaged(wanted.File, $"{wanted.Range} are damaged in the vault: {message}");
            }

            await EndPiecesAsync(wanted.File, 1).ConfigureAwait(false);
        }
    }
}
