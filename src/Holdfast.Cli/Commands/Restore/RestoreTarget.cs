using System.Runtime.InteropServices;
using Holdfast.Cli.Terminals;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Log;

namespace Holdfast.Cli.Commands.Restore;

/// <summary>The directory that is restored into: made when it is missing, and open.</summary>
internal sealed class RestoreTarget : IDisposable
{
    private readonly string? temporary;

    private RestoreTarget(DirectoryTree tree, string? temporary)
    {
        Tree = tree;
        this.temporary = temporary;
    }

    /// <summary>What receives the content.</summary>
    public DirectoryTree Tree { get; }

    /// <summary>Opens it.</summary>
    /// <param name="name">As the user wrote it.</param>
    /// <param name="isDryRun">Nothing is made: an empty directory elsewhere stands in for one that is missing.</param>
    /// <exception cref="HoldfastException">It cannot be made, opened or written to.</exception>
    public static RestoreTarget Open(string name, bool isDryRun)
    {
        byte[] path = UserPath.ToAbsolute(name);
        Result<DirectoryTree> tree = DirectoryTree.TryOpen(path);
        if (tree.Error == Errno.NoEntry)
        {
            if (isDryRun) return StandIn();
            Errno made = MakeDirectories(path);
            if (made != Errno.None) throw Failure(name, "cannot be made: ", made);
            tree = DirectoryTree.TryOpen(path);
        }

        if (!tree.Ok) throw Failure(name, "", tree.Error);
        Errno refused = isDryRun ? Errno.None : ErrorOfWriting(path);
        if (refused == Errno.None) return new RestoreTarget(tree.Value, null);
        tree.Value.Dispose();
        throw Failure(name, "cannot be written to: ", refused);
    }

    public void Dispose()
    {
        Tree.Dispose();
        if (temporary is not null) Directory.Delete(temporary);
    }

    private static RestoreTarget StandIn()
    {
        string directory = Directory.CreateTempSubdirectory("holdfast-").FullName;
        Result<DirectoryTree> tree = DirectoryTree.TryOpen(SurrogateEscape.Encode(directory));
        return tree.Ok ? new RestoreTarget(tree.Value, directory) : throw Failure(directory, "", tree.Error);
    }

    // As mkdir -p: with the mode that the umask leaves. What is restored has its own.
    private static unsafe Errno MakeDirectories(byte[] path)
    {
        byte[] ended = [.. path, 0];
        for (int end = 1; end < ended.Length; end++)
        {
            if (ended[end] is not ((byte)'/' or 0)) continue;
            byte[] part = [.. ended.AsSpan(0, end), 0];
            const uint mode = 0x1FF;
            fixed (byte* start = part)
            {
                if (LibC.MakeDirectory(start, mode) == 0) continue;
            }

            var error = (Errno)Marshal.GetLastPInvokeError();
            if (error is not (Errno.Exists or Errno.IsDirectory) && !DirectoryIsThere(path.AsSpan(0, end))) return error;
        }

        return Errno.None;
    }

    // On a read-only file system mkdir answers so for directories that exist, too.
    private static bool DirectoryIsThere(ReadOnlySpan<byte> path)
    {
        Result<DirectoryTree> tree = DirectoryTree.TryOpen(path);
        if (tree.Ok) tree.Value.Dispose();
        return tree.Ok;
    }

    // Asked once, so that not every single item fails.
    private static unsafe Errno ErrorOfWriting(byte[] path)
    {
        byte[] ended = [.. path, 0];
        fixed (byte* start = ended)
        {
            return LibC.Access(LibC.CurrentDirectory, start, LibC.MayWriteAndSearch, LibC.EffectiveAccess) == 0
                ? Errno.None
                : (Errno)Marshal.GetLastPInvokeError() is var error and not Errno.NameTooLong ? error : Errno.None;
        }
    }

    private static HoldfastException Failure(string name, string what, Errno error) =>
        new(ErrorKind.Failed, $"{name}: {what}{error.Describe()}", error switch
        {
            Errno.NotDirectory => "name a directory, or a name that is not taken",
            Errno.AccessDenied or Errno.NotPermitted or Errno.ReadOnly => "choose a directory that you may write to",
            _ => null,
        });
}
