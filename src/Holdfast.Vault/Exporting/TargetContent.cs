using Holdfast.Files;

namespace Holdfast.Vault.Exporting;

/// <summary>Computes the digest of files of the target. For one thread at a time.</summary>
internal sealed class TargetContent(IFileTree tree, Caller caller) : IDisposable
{
    private readonly ContentDigest digest = new();
    private readonly byte[] buffer = GC.AllocateUninitializedArray<byte>(1 << 20);
    private readonly Dictionary<(ulong Device, ulong Inode), byte[]> linked = [];

    /// <summary>The digest of the file of a path, holes not read.</summary>
    public async ValueTask<byte[]> DigestAsync(TargetFolders folders, byte[] path, NodeAttributes attributes)
    {
        (ulong, ulong) key = (attributes.Device, attributes.Inode);
        if (attributes.LinkCount > 1 && linked.TryGetValue(key, out byte[]? known)) return known;
        NodeId parent = TargetFolders.Need(await folders.ParentOfAsync(path).ConfigureAwait(false), path);
        var request = new OpenRequest(OpenAccess.Read | OpenAccess.KeepAccessTime);
        OpenedNode opened = TargetFolders.Need(
            await tree.OpenAtAsync(caller, parent, TargetFolders.NameOf(path), request).ConfigureAwait(false), path);
        try
        {
            await AppendAsync(opened, path).ConfigureAwait(false);
        }
        finally
        {
            tree.Close(opened.File);
            tree.Forget(opened.Node.Id, 1);
        }

        byte[] result = digest.Finish();
        if (attributes.LinkCount > 1) linked[key] = result;
        return result;
    }

    public void Dispose() => digest.Dispose();

    private async ValueTask AppendAsync(OpenedNode opened, byte[] path)
    {
        long size = opened.Node.Attributes.Size;
        for (long offset = 0; offset < size;)
        {
            caller.Cancellation.ThrowIfCancellationRequested();
            Result<FileExtent> extent = await tree.FindExtentAsync(caller, opened.File, offset).ConfigureAwait(false);
            // It was cut short meanwhile: then the digest of what is left fits nothing.
            if (extent.Error == Errno.NoDevice) return;
            long length = Math.Min(TargetFolders.Need(extent, path).Length, size - offset);
            if (extent.Value.IsHole)
            {
                digest.AppendZeros(length);
                offset += length;
                continue;
            }

            Memory<byte> wanted = buffer.AsMemory(0, (int)Math.Min(length, buffer.Length));
            int read = TargetFolders.Need(await tree.ReadAsync(caller, opened.File, offset, wanted).ConfigureAwait(false), path);
            if (read == 0) return;
            digest.Append(wanted.Span[..read]);
            offset += read;
        }
    }
}
