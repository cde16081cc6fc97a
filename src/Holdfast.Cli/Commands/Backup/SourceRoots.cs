using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Backup;

/// <summary>Makes roots of a backup from the paths that the user named, and holds their trees open.</summary>
/// <param name="vaultPlace">Where the vault lies; null when it is no directory.</param>
/// <param name="tell">Is told of paths that are missing, and of what may surprise.</param>
internal sealed class SourceRoots(VaultPlace? vaultPlace, Action<ItemNotice> tell) : IDisposable
{
    private static readonly Caller Caller = new() { Uid = 0, Gid = 0, ProcessId = Environment.ProcessId };

    private readonly List<DirectoryTree> opened = [];
    private readonly List<BackupRoot> roots = [];

    // Trees of directories that hold roots which are files: a list may name thousands in one directory.
    private readonly Dictionary<string, DirectoryTree> parents = new(StringComparer.Ordinal);

    /// <summary>In the order of their paths' bytes, none inside another.</summary>
    public IReadOnlyList<BackupRoot> Roots => roots;

    /// <summary>Finds what the paths name.</summary>
    /// <param name="named">Named on the command line: a symbolic link to a directory is followed.</param>
    /// <param name="listed">Named in a list: a symbolic link is backed up itself.</param>
    /// <exception cref="HoldfastException">None of them exists, or one lies in the vault.</exception>
    public async Task AddAsync(IEnumerable<byte[]> named, IEnumerable<byte[]> listed)
    {
        var wanted = new SortedDictionary<byte[], bool>(Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b)));
        foreach (byte[] path in named) wanted[UserPath.ToAbsolute(path)] = true;
        foreach (byte[] path in listed) wanted.TryAdd(UserPath.ToAbsolute(path), false);
        if (wanted.Count == 0) throw new HoldfastException(ErrorKind.Failed, "nothing to back up: the list names no path");

        var missing = new List<ItemNotice>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach ((byte[] path, bool follow) in wanted)
        {
            if (IsBelowTaken(path, taken))
            {
                await TellIfLinkAsync(path, follow).ConfigureAwait(false);
                continue;
            }

            Errno error = await AddAsync(path, follow).ConfigureAwait(false);
            if (error != Errno.None) missing.Add(new ItemNotice(IsError: true, path, error.Describe()));
            else if (roots[^1].Only.IsEmpty) taken.Add(KeyOf(path));
        }

        if (roots.Count == 0 && missing.Count == 1)
        {
            throw new HoldfastException(ErrorKind.Failed, $"{SurrogateEscape.Decode(missing[0].Path.Span)}: {missing[0].Message}", "check the path");
        }

        missing.ForEach(tell);
        if (roots.Count == 0) throw new HoldfastException(ErrorKind.Failed, "nothing to back up: none of the paths can be found", "check the paths");
    }

    public void Dispose()
    {
        foreach (DirectoryTree tree in opened) tree.Dispose();
    }

    private async Task<Errno> AddAsync(byte[] path, bool follow)
    {
        if (path.Length == 1) return await AddDirectoryAsync(path).ConfigureAwait(false);
        if (follow)
        {
            Errno error = await AddDirectoryAsync(path).ConfigureAwait(false);
            if (error is not (Errno.NotDirectory or Errno.NoEntry or Errno.Loop)) return error;
        }

        (Result<Node> found, DirectoryTree? parent) = await FindAsync(path).ConfigureAwait(false);
        if (!found.Ok) return found.Error;
        if (found.Value.Attributes.IsDirectory) return await AddDirectoryAsync(path).ConfigureAwait(false);
        roots.Add(new BackupRoot(path, parent!, BytePath.FileName(path).ToArray()));
        return Errno.None;
    }

    private async Task<Errno> AddDirectoryAsync(byte[] path)
    {
        Result<DirectoryTree> tree = DirectoryTree.TryOpen(path);
        if (!tree.Ok) return tree.Error;
        opened.Add(tree.Value);
        if (vaultPlace is not null && await vaultPlace.HoldsAsync(path).ConfigureAwait(false))
        {
            throw new HoldfastException(
                ErrorKind.Usage, $"{SurrogateEscape.Decode(path)}: lies in the vault {vaultPlace.Address}", "a vault does not back up itself: name other paths");
        }

        roots.Add(new BackupRoot(path, tree.Value, default));
        return Errno.None;
    }

    private async Task<(Result<Node> Node, DirectoryTree? Parent)> FindAsync(byte[] path)
    {
        byte[] directory = path[..Math.Max(1, path.AsSpan().LastIndexOf(BytePath.Separator))];
        if (!parents.TryGetValue(KeyOf(directory), out DirectoryTree? parent))
        {
            Result<DirectoryTree> tree = DirectoryTree.TryOpen(directory);
            if (!tree.Ok) return (tree.Error, null);
            parent = tree.Value;
            opened.Add(parent);
            parents.Add(KeyOf(directory), parent);
        }

        Result<Node> node = await parent.LookupAsync(Caller, parent.Root, BytePath.FileName(path).ToArray()).ConfigureAwait(false);
        if (node.Ok) parent.Forget(node.Value.Id, 1);
        return (node, parent);
    }

    // Inside another root a link is a link, as all others there: who named it may have expected otherwise.
    private async Task TellIfLinkAsync(byte[] path, bool follow)
    {
        if (!follow) return;
        (Result<Node> node, _) = await FindAsync(path).ConfigureAwait(false);
        if (!node.Ok) tell(new ItemNotice(IsError: true, path, node.Error.Describe()));
        else if (node.Value.Attributes.Kind == NodeKind.Symlink) tell(new ItemNotice(IsError: false, path, "lies in another path named, where it is kept as a link"));
    }

    private static bool IsBelowTaken(byte[] path, HashSet<string> taken)
    {
        if (taken.Count == 0) return false;
        if (taken.Contains("/")) return true;
        for (int end = path.Length; end > 0; end = path.AsSpan(0, end).LastIndexOf(BytePath.Separator))
        {
            if (taken.Contains(KeyOf(path.AsSpan(0, end)))) return true;
        }

        return false;
    }

    private static string KeyOf(ReadOnlySpan<byte> path) => System.Text.Encoding.Latin1.GetString(path);
}
