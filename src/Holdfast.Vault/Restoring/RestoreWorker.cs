using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Restoring;

/// <summary>Restores what is wanted of one pack after the other: reads its groups in order, opens them, writes the chunks. For one thread at a time.</summary>
internal sealed class RestoreWorker(RestoreContext context, RestoreBatch batch) : IDisposable
{
    private const int MaxReadBytes = 4 << 20;

    // Reading on over a gap costs less than another request.
    private const int MaxGapBytes = 128 << 10;

    private readonly Decompressor decompressor = new();
    private byte[] sealedBytes = GC.AllocateUninitializedArray<byte>(MaxReadBytes, pinned: true);
    private byte[] raw = GC.AllocateUninitializedArray<byte>(512 << 10, pinned: true);
    private RestoreFile? current;
    private OpenedNode opened;

    /// <summary>Restores chunks of one pack, sorted by their ordinals.</summary>
    public async Task RunAsync(List<LocatedChunk> chunks)
    {
        PackFooter footer = chunks[0].Footer;
        Aead cipher;
        try
        {
            cipher = new Aead(footer.Cipher, context.Vault.Index.Packs.OpenKey(footer));
        }
        catch (DamageException damage)
        {
            await FailAsync(chunks, damage.Message).ConfigureAwait(false);
            Close();
            return;
        }

        using (cipher)
        {
            for (int first = 0; first < chunks.Count;)
            {
                int end = EndOfRead(chunks, first);
                await RunReadAsync(cipher, chunks.GetRange(first, end - first)).ConfigureAwait(false);
                first = end;
            }
        }

        Close();
    }

    public void Dispose() => decompressor.Dispose();

    /// <summary>How far chunks can be served by one request to the store.</summary>
    private static int EndOfRead(List<LocatedChunk> chunks, int first)
    {
        PackGroup[] groups = chunks[first].Footer.Groups;
        PackGroup group = groups[GroupOf(chunks[first])];
        int start = group.Offset, reach = group.Offset + group.SealedBytes;
        int end = first + 1;
        for (; end < chunks.Count; end++)
        {
            group = groups[GroupOf(chunks[end])];
            int groupEnd = group.Offset + group.SealedBytes;
            if (group.Offset - reach > MaxGapBytes || groupEnd - start > MaxReadBytes) break;
            reach = Math.Max(reach, groupEnd);
        }

        return end;
    }

    private static int GroupOf(in LocatedChunk chunk) => chunk.Footer.Chunks[chunk.Ordinal].Group;

    private async ValueTask RunReadAsync(Aead cipher, List<LocatedChunk> chunks)
    {
        PackFooter footer = chunks[0].Footer;
        PackGroup firstGroup = footer.Groups[GroupOf(chunks[0])], lastGroup = footer.Groups[GroupOf(chunks[^1])];
        int start = firstGroup.Offset, length = lastGroup.Offset + lastGroup.SealedBytes - start;
        if (length > sealedBytes.Length) sealedBytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        try
        {
            await context.Vault.Index.Packs.ReadSealedAsync(footer, start, sealedBytes.AsMemory(0, length), context.Cancellation).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            await FailAsync(chunks, error.Message).ConfigureAwait(false);
            return;
        }

        for (int first = 0; first < chunks.Count;)
        {
            int groupIndex = GroupOf(chunks[first]), end = first + 1;
            while (end < chunks.Count && GroupOf(chunks[end]) == groupIndex) end++;
            List<LocatedChunk> inGroup = chunks.GetRange(first, end - first);
            if (TryOpen(cipher, footer, groupIndex, start)) await WriteAsync(footer, inGroup).ConfigureAwait(false);
            else await FailAsync(inGroup, $"{footer.Pack}: the seal of group {groupIndex} is broken").ConfigureAwait(false);
            first = end;
        }
    }

    private bool TryOpen(Aead cipher, PackFooter footer, int groupIndex, int start)
    {
        PackGroup group = footer.Groups[groupIndex];
        if (group.RawBytes > raw.Length) raw = GC.AllocateUninitializedArray<byte>(group.RawBytes, pinned: true);
        return PackReader.TryOpenGroup(
            cipher, decompressor, group, groupIndex, sealedBytes.AsSpan(group.Offset - start, group.SealedBytes), raw.AsSpan(0, group.RawBytes));
    }

    private async ValueTask WriteAsync(PackFooter footer, List<LocatedChunk> chunks)
    {
        foreach (LocatedChunk located in chunks)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            WantedChunk wanted = located.Wanted;
            PackChunk chunk = footer.Chunks[located.Ordinal];
            ReadOnlyMemory<byte> content = raw.AsMemory(chunk.Offset, chunk.Length);
            if (content.Length != wanted.Length || context.Vault.DataIdentity.Of(content.Span) != wanted.Id)
            {
                await FailAsync([located], $"{footer.Pack}: chunk {located.Ordinal} is not what its id says").ConfigureAwait(false);
                continue;
            }

            if (!wanted.File.Failed) await WriteAsync(wanted, content).ConfigureAwait(false);
            await EndPieceAsync(wanted.File).ConfigureAwait(false);
        }
    }

    private async ValueTask WriteAsync(WantedChunk wanted, ReadOnlyMemory<byte> content)
    {
        if (current != wanted.File)
        {
            Close();
            if (!await OpenAsync(wanted.File).ConfigureAwait(false)) return;
        }

        long offset = wanted.Offset;
        for (long i = 0; i < wanted.Repeats; i++)
        {
            for (int written = 0; written < content.Length;)
            {
                Result<WriteOutcome> outcome = await context.Target.WriteAsync(
                    context.Caller, opened.File, offset + written, content[written..], Stability.Unstable).ConfigureAwait(false);
                if (!outcome.Ok)
                {
                    batch.Fail(wanted.File, outcome.Error);
                    return;
                }

                written += outcome.Value.Written;
                wanted.File.AddShown(outcome.Value.Written);
                context.Request.Progress.AddDone(0, outcome.Value.Written);
            }

            offset += content.Length;
        }

        context.CountWritten(content.Length * wanted.Repeats);
    }

    private async ValueTask<bool> OpenAsync(RestoreFile file)
    {
        // Two workers may meet at a file that lies in two packs: whoever comes first makes it.
        batch.Begin(file);
        var request = new OpenRequest(OpenAccess.Write, file.IsNew ? CreateMode.OpenOrCreate : CreateMode.OpenExisting, 0x180);
        Result<OpenedNode> result = await context.Target.OpenAtAsync(context.Caller, file.Folder.Node, file.Name, request).ConfigureAwait(false);
        if (!result.Ok)
        {
            batch.Fail(file, result.Error);
            return false;
        }

        context.Request.Progress.Show(file.Path);
        opened = result.Value;
        current = file;
        return true;
    }

    private async ValueTask EndPieceAsync(RestoreFile file)
    {
        if (!file.EndPieces(1)) return;
        if (current == file && !file.Failed)
        {
            await batch.FinishOpenAsync(file, opened).ConfigureAwait(false);
            Close();
            return;
        }

        if (current == file) Close();
        await batch.FinishAsync(file).ConfigureAwait(false);
    }

    private void Close()
    {
        if (current is null) return;
        context.Target.Forget(opened.Node.Id, 1);
        context.Target.Close(opened.File);
        current = null;
    }

    /// <summary>These chunks cannot be read where they were found: another pack may hold them whole.</summary>
    private async ValueTask FailAsync(List<LocatedChunk> chunks, string message)
    {
        foreach (LocatedChunk chunk in chunks)
        {
            WantedChunk wanted = chunk.Wanted;
            try
            {
                ReadOnlyMemory<byte> content = await context.Vault.DataChunks.FetchAsync(wanted.Id, context.Cancellation).ConfigureAwait(false);
                if (content.Length != wanted.Length) throw new DamageException($"chunk {wanted.Id}", $"{content.Length} bytes, {wanted.Length} expected");
                if (!wanted.File.Failed) await WriteAsync(wanted, content).ConfigureAwait(false);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                batch.FailDamaged(wanted.File, $"bytes {wanted.Offset} to {wanted.Offset + (wanted.Length * wanted.Repeats)} are damaged in the vault: {message}");
            }

            await EndPieceAsync(wanted.File).ConfigureAwait(false);
        }
    }
}
