using System.Text;
using Holdfast.Files;
using Holdfast.Vault.Trees;
using TreeEntry = Holdfast.Vault.Trees.TreeEntry;

namespace Holdfast.Vault.Tests.Pruning;

/// <summary>What a restore point holds, read chunk by chunk.</summary>
internal static class PointContents
{
    /// <summary>Every file by its path, each chunk of it verified.</summary>
    public static async Task<SortedDictionary<string, byte[]>> ReadAsync(OpenVault vault, RestorePoint point)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        TreeEntry root = Assert.Single(await vault.Trees.ReadDirectoryAsync(point.Tree, isPointRoot: true, stop));
        await foreach (TreeItem item in TreeWalk.BelowAsync(vault.Trees, root, [], stop))
        {
            if (item.Entry.Attributes.Kind != NodeKind.Regular) continue;
            var content = new MemoryStream();
            await foreach (ContentItem piece in vault.Trees.FlattenAsync(item.Entry.Content!, stop))
            {
                ReadOnlyMemory<byte> chunk = piece.Kind == ContentItemKind.Hole ? new byte[piece.Length] : await vault.DataChunks.FetchAsync(piece.Id, stop);
                for (long i = 0; i < (piece.Kind == ContentItemKind.Hole ? 1 : piece.Repeats); i++) content.Write(chunk.Span);
            }

            files[Encoding.UTF8.GetString(item.Path)] = content.ToArray();
        }

        return files;
    }
}
