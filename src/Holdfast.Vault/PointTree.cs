using System.Runtime.CompilerServices;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault;

/// <summary>Reads the tree of one restore point.</summary>
/// <remarks>
/// Paths are relative to the root of a point that has one root, absolute where it has several; a root that is no directory
/// is addressed by its file name. Where the only root has no such path, one that begins with '/' is taken as absolute. Empty
/// or "/" is the top. Slashes in front and at the end do not matter; <c>.</c> and
/// <c>..</c> are resolved by their letters. May be used from any thread.
/// </remarks>
public static class PointTree
{
    /// <summary>The entry of a path.</summary>
    /// <exception cref="HoldfastException">Usage: the point does not have the path.</exception>
    /// <exception cref="DamageException">A directory on the way is missing or broken.</exception>
    public static async Task<PointEntry> GetAsync(
        OpenVault vault, RestorePoint point, ReadOnlyMemory<byte> path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(point);
        PointTop top = await PointTop.ReadAsync(vault, point, cancellationToken).ConfigureAwait(false);
        PointPlace place = await FindAsync(vault, point, top, path, cancellationToken).ConfigureAwait(false);
        return place.Entry is null ? PointEntry.Implied(place.Path) : PointEntry.Of(place.Path, place.Entry);
    }

    /// <summary>What lies in a directory; of another entry itself.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="point">The restore point.</param>
    /// <param name="path">The directory.</param>
    /// <param name="recursive">With everything below: each directory before what it holds, in the order of names.</param>
    /// <param name="cancellationToken">Stops the walk.</param>
    /// <exception cref="HoldfastException">Usage: the point does not have the path.</exception>
    /// <exception cref="DamageException">A directory is missing or broken.</exception>
    public static async IAsyncEnumerable<PointEntry> ListAsync(
        OpenVault vault, RestorePoint point, ReadOnlyMemory<byte> path, bool recursive, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(point);
        PointTop top = await PointTop.ReadAsync(vault, point, cancellationToken).ConfigureAwait(false);
        PointPlace place = await FindAsync(vault, point, top, path, cancellationToken).ConfigureAwait(false);
        if (place.Entry is { IsDirectory: false })
        {
            yield return PointEntry.Of(place.Path, place.Entry);
            yield break;
        }

        TreeReader trees = vault.Trees.Within(point);
        // The names of roots are whole paths already.
        bool namesArePaths = place.Entry is null || place.Path.Length == 0;
        List<TreeEntry> entries = place.Entry is null
            ? top.RootsWithin(place.Path)
            : await trees.ReadDirectoryAsync(place.Entry.Content!, isPointRoot: false, cancellationToken).ConfigureAwait(false);
        foreach (TreeEntry entry in entries)
        {
            byte[] entryPath = namesArePaths ? entry.Name : BytePath.Join(place.Path, entry.Name);
            yield return PointEntry.Of(entryPath, entry);
            if (!recursive || !entry.IsDirectory) continue;
            await foreach (TreeItem item in TreeWalk.BelowAsync(trees, entry, entryPath, cancellationToken).ConfigureAwait(false))
            {
                yield return PointEntry.Of(item.Path, item.Entry);
            }
        }
    }

    /// <summary>Writes the content of a regular file to a stream, every byte verified before it is passed on; holes as zeros.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="point">The restore point.</param>
    /// <param name="path">The file.</param>
    /// <param name="target">Receives the content; neither flushed nor closed.</param>
    /// <param name="cancellationToken">Stops the work; what was written until then stays.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="HoldfastException">Usage: the point does not have the path, or it is no regular file.</exception>
    /// <exception cref="DamageException">Some of it is missing or broken; what came before is written.</exception>
    public static async Task<long> CopyContentAsync(
        OpenVault vault, RestorePoint point, ReadOnlyMemory<byte> path, Stream target, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(target);
        PointTop top = await PointTop.ReadAsync(vault, point, cancellationToken).ConfigureAwait(false);
        PointPlace place = await FindAsync(vault, point, top, path, cancellationToken).ConfigureAwait(false);
        if (place.Entry is not { Attributes.Kind: NodeKind.Regular } file) throw NoContent(place);
        await ContentPieces.CopyAsync(vault, file.Content!, target, cancellationToken).ConfigureAwait(false);
        return file.Attributes.Size;
    }

    private static async Task<PointPlace> FindAsync(
        OpenVault vault, RestorePoint point, PointTop top, ReadOnlyMemory<byte> path, CancellationToken cancellationToken) =>
        await top.FindAsync(vault.Trees.Within(point), path, cancellationToken).ConfigureAwait(false)
        ?? throw new HoldfastException(
            ErrorKind.Usage, $"{BytePath.Display(path.Span)}: not in restore point {point.Id.ToShortString()}",
            $"see \"holdfast ls {point.Id.ToShortString()}\"; a path is {(top.IsSingle ? "relative to the point's root" : "absolute")}");

    private static HoldfastException NoContent(PointPlace place)
    {
        string name = place.Path.Length == 0 ? "/" : BytePath.Display(place.Path);
        return place.Entry?.Attributes.Kind switch
        {
            NodeKind.Symlink => new HoldfastException(
                ErrorKind.Usage, $"{name}: is a symlink to {BytePath.Display(place.Entry.Target)}", "name the file that it points to"),
            NodeKind.Fifo => new HoldfastException(ErrorKind.Usage, $"{name}: is a named pipe, which has no content"),
            NodeKind.CharacterDevice or NodeKind.BlockDevice => new HoldfastException(ErrorKind.Usage, $"{name}: is a device, which has no content"),
            _ => new HoldfastException(ErrorKind.Usage, $"{name}: is a directory", "name a file, or restore the directory"),
        };
    }
}
