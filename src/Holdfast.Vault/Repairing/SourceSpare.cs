using System.Runtime.CompilerServices;
using Holdfast.Files;
using Holdfast.Vault.Checking;

namespace Holdfast.Vault.Repairing;

/// <summary>The files that were backed up, where they still lie at their paths with the same content there.</summary>
internal sealed class SourceSpare : ChunkSpare
{
    public override string Name => "the source";

    public override async IAsyncEnumerable<ReadOnlyMemory<byte>> CandidatesAsync(
        LostChunk chunk, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var caller = new Caller { Uid = 0, Gid = 0, ProcessId = Environment.ProcessId, Cancellation = cancellationToken };
        foreach (LostPlace place in chunk.Places)
        {
            if (await TryReadAsync(caller, place).ConfigureAwait(false) is { } content) yield return content;
        }
    }

    private static async Task<ReadOnlyMemory<byte>?> TryReadAsync(Caller caller, LostPlace place)
    {
        int slash = place.Path.AsSpan().LastIndexOf(BytePath.Separator);
        if (slash < 0 || slash == place.Path.Length - 1) return null;
        Result<DirectoryTree> opened = DirectoryTree.TryOpen(place.Path.AsSpan(0, Math.Max(1, slash)));
        if (!opened.Ok) return null;
        using DirectoryTree directory = opened.Value;
        Result<Node> found = await directory.LookupAsync(caller, directory.Root, place.Path.AsMemory(slash + 1)).ConfigureAwait(false);
        if (!found.Ok || found.Value.Attributes.Kind != NodeKind.Regular) return null;
        Result<OpenId> file = await directory.OpenAsync(caller, found.Value.Id, OpenAccess.Read).ConfigureAwait(false);
        if (!file.Ok) return null;
        byte[] content = new byte[place.Range.Length];
        Result<int> read = await directory.ReadAsync(caller, file.Value, place.Range.Offset, content).ConfigureAwait(false);
        directory.Close(file.Value);
        return read.Ok && read.Value == content.Length ? content : null;
    }
}
