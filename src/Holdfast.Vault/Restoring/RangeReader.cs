using System.Buffers;
using Holdfast.Files;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>Reads ranges of open files in the target and compares them with what an entry says.</summary>
internal static class RangeReader
{
    private const int ZeroPieceBytes = 256 << 10;

    /// <summary>Whether a file holds an item's content at an offset.</summary>
    public static async ValueTask<bool> HasItemAsync(RestoreContext context, OpenId file, long offset, ContentItem item)
    {
        bool isHole = item.Kind == ContentItemKind.Hole;
        int bufferBytes = isHole ? ZeroPieceBytes : (int)Math.Min(item.Length, PackFooter.MaxChunkBytes);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(bufferBytes);
        try
        {
            for (long left = item.TotalBytes; left > 0;)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                int wanted = (int)Math.Min(left, bufferBytes);
                Result<int> read = await context.Target.ReadAsync(context.Caller, file, offset, buffer.AsMemory(0, wanted)).ConfigureAwait(false);
                if (!read.Ok || read.Value != wanted) return false;
                ReadOnlySpan<byte> content = buffer.AsSpan(0, wanted);
                if (isHole ? content.ContainsAnyExcept((byte)0) : !context.Vault.DataProof.Fits(content, item.Id)) return false;
                offset += wanted;
                left -= wanted;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }
}
