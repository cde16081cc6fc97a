using System.Buffers;
using Holdfast.Log;

namespace Holdfast.Bitcask.Checkpoints;

/// <summary>Brings immutable files into a checkpoint: by a link, by sharing blocks, or by a copy.</summary>
/// <param name="disk">Where all of it lies.</param>
/// <param name="links">Whether hard links to the store's own files are wanted.</param>
internal sealed class FileShipper(IDisk disk, bool links)
{
    private const int CopyBytes = 1 << 20;

    private bool canClone = true;

    public long LinkedBytes { get; private set; }

    public long ClonedBytes { get; private set; }

    public long CopiedBytes { get; private set; }

    /// <summary>Brings a file of the store.</summary>
    /// <param name="source">Its path; nobody changes it.</param>
    /// <param name="target">Its path in the checkpoint.</param>
    /// <param name="file">What it must be: a copy is compared as it is read.</param>
    public void Bring(string source, string target, ManifestFile file)
    {
        if (links && TryLink(source, target, file.Bytes)) return;
        Copy(source, target, file);
    }

    /// <summary>Links a file of an earlier backup; false when it is not there or cannot be linked.</summary>
    public bool TryLink(string source, string target, long bytes)
    {
        try
        {
            if (disk.TryStat(source) is not { IsDirectory: false } stat || stat.Length != bytes) return false;
            if (!disk.TryLink(source, target)) throw new InvalidOperationException($"{target} exists");
            LinkedBytes += bytes;
            return true;
        }
        catch (DiskException refused) when (refused.IsLinkRefused)
        {
            return false;
        }
    }

    private void Copy(string source, string target, ManifestFile file)
    {
        using IDiskFile from = disk.TryOpen(source, DiskAccess.Read)
            ?? throw new HoldfastException(ErrorKind.Failed, $"{source}: vanished", "another program removes files there");
        using IDiskFile to = disk.CreateUnnamed(Path.GetDirectoryName(target)!);
        if (canClone && disk.TryClone(from, to))
        {
            ClonedBytes += file.Bytes;
        }
        else
        {
            canClone = false;
            CopyContent(source, from, to, file);
            CopiedBytes += file.Bytes;
        }

        to.Sync();
        if (!disk.TryPublish(to, target)) throw new InvalidOperationException($"{target} exists");
    }

    private static void CopyContent(string source, IDiskFile from, IDiskFile to, ManifestFile file)
    {
        to.Allocate(file.Bytes);
        var hash = new ContentHash();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            while (hash.Length < file.Bytes)
            {
                int read = from.Read(hash.Length, buffer.AsSpan(0, (int)Math.Min(CopyBytes, file.Bytes - hash.Length)));
                if (read == 0) break;
                to.Write(hash.Length, buffer.AsSpan(0, read));
                hash.Append(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        string found = Convert.ToHexStringLower(hash.ToArray());
        if (found == file.Hash) return;
        throw new HoldfastException(
            ErrorKind.Damage, $"{source}: its content has the hash {found}, expected {file.Hash}",
            "verify the store: it says which records are affected");
    }
}
