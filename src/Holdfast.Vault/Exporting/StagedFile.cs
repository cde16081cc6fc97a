using Holdfast.Files;
using Holdfast.Log;

namespace Holdfast.Vault.Exporting;

/// <summary>Writes a new file beside the one that it replaces. For one thread at a time.</summary>
internal sealed class StagedFile(IFileTree tree, Caller caller, byte[] path, OpenedNode file, OpenedNode? before) : IDisposable
{
    private const int CopyBytes = 1 << 20;

    private readonly ContentDigest digest = new();
    private byte[] buffer = [];

    public NodeId Node => file.Node.Id;

    public OpenId File => file.File;

    public async ValueTask WriteAsync(DataRecord record)
    {
        for (long i = 0; i < record.Repeats; i++) await WriteAsync(record.Data).ConfigureAwait(false);
    }

    public async ValueTask CopyAsync(CopyRecord record)
    {
        if (before is not { } source) throw Changed("there is nothing to copy from");
        if (buffer.Length == 0) buffer = GC.AllocateUninitializedArray<byte>(CopyBytes);
        for (long i = 0; i < record.Repeats; i++)
        {
            for (long copied = 0; copied < record.Length;)
            {
                Memory<byte> wanted = buffer.AsMemory(0, (int)Math.Min(CopyBytes, record.Length - copied));
                int read = TargetFolders.Need(await tree.ReadAsync(caller, source.File, record.Offset + copied, wanted).ConfigureAwait(false), path);
                if (read < wanted.Length) throw Changed("it became shorter");
                await WriteAsync(wanted).ConfigureAwait(false);
                copied += read;
            }
        }
    }

    public void Skip(HoleRecord hole) => digest.AppendZeros(hole.Length);

    /// <summary>Gives the file its length, and throws unless its content is what was exported.</summary>
    public async ValueTask<NodeAttributes> FinishAsync(ContentEndRecord end, long size)
    {
        if (digest.Length != size || !digest.Finish().AsSpan().SequenceEqual(end.Digest)) throw Changed("its content is not as it was");
        Mutation sized = TargetFolders.Need(
            await tree.SetAttributesAsync(caller, file.Node.Id, new AttributeChanges { Size = size }).ConfigureAwait(false), path);
        return sized.After;
    }

    public void Dispose()
    {
        digest.Dispose();
        Close(file);
        if (before is { } source) Close(source);
    }

    private void Close(OpenedNode opened)
    {
        tree.Close(opened.File);
        tree.Forget(opened.Node.Id, 1);
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> data)
    {
        caller.Cancellation.ThrowIfCancellationRequested();
        long offset = digest.Length;
        for (int written = 0; written < data.Length;)
        {
            WriteOutcome outcome = TargetFolders.Need(
                await tree.WriteAsync(caller, file.File, offset + written, data[written..], Stability.Unstable).ConfigureAwait(false), path);
            written += outcome.Written;
        }

        digest.Append(data.Span);
    }

    private HoldfastException Changed(string what) => new(
        ErrorKind.Unverified, $"{BytePath.Display(path)}: changed while the export was applied: {what}",
        "let nothing else write there, restore the file as it was and apply again");
}
