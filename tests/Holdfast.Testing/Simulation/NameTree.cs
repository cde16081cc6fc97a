using Holdfast.Log;

namespace Holdfast.Testing.Simulation;

/// <summary>What a name stands for in a simulated directory.</summary>
internal abstract class Node
{
    public DateTimeOffset Modified { get; set; }
}

internal sealed class FileNode : Node
{
    public FileContent Content { get; init; } = new();

    /// <summary>Below which offset space is reserved, beyond the end too. Not kept by a power cut.</summary>
    public long ReservedBytes { get; set; }

    /// <summary>What the file takes of the disk.</summary>
    public long SpaceBytes => Math.Max(ReservedBytes, Content.Length);

    /// <summary>The lock that somebody has of it; null when nobody has.</summary>
    public SimulatedDiskLock? Lock { get; set; }

    /// <summary>The file as it is where nothing arrived that was not synced.</summary>
    public FileNode WithSyncedContent() => new() { Content = Content.Synced(), Modified = Modified };
}

internal sealed class DirectoryNode : Node
{
    /// <summary>As programs see it.</summary>
    public Dictionary<string, Node> Current { get; init; } = new(StringComparer.Ordinal);

    /// <summary>As the medium surely holds it.</summary>
    public Dictionary<string, Node> Durable { get; init; } = new(StringComparer.Ordinal);
}

/// <summary>The names of a simulated disk: as seen, as durable, and the changes between.</summary>
/// <remarks>
/// Each change is one step (a rename changes two names). After a crash each change since the last sync of its
/// directory has survived or not, independently, but: of changes to one name a later one survives only with the
/// earlier ones; a rename never loses both names, though it may leave both where they lie in two directories and only
/// the new one was synced; a directory that is renamed has one of both names, whichever directory is synced; a
/// directory's removal survives only with what emptied it.
/// </remarks>
internal sealed class NameTree
{
    private readonly List<Change> pending = [];

    public DirectoryNode Root { get; private init; } = new();

    /// <summary>The directory that a path lies in, and the name there.</summary>
    /// <exception cref="DiskException">The directory is missing (ENOENT) or no directory (ENOTDIR).</exception>
    public (DirectoryNode Directory, string Name) ResolveParent(string call, string path)
    {
        string[] names = Split(path);
        if (names.Length == 0) throw new ArgumentException("the root has no name", nameof(path));
        DirectoryNode directory = Root;
        foreach (string name in names[..^1])
        {
            directory = directory.Current.GetValueOrDefault(name) switch
            {
                DirectoryNode next => next,
                null => throw new DiskException(call, path, SimulatedErrno.NoEntry),
                _ => throw new DiskException(call, path, SimulatedErrno.NotDirectory),
            };
        }

        return (directory, names[^1]);
    }

    /// <summary>What a path names; null when there is nothing.</summary>
    public Node? Find(string path)
    {
        Node? node = Root;
        foreach (string name in Split(path)) node = (node as DirectoryNode)?.Current.GetValueOrDefault(name);
        return node;
    }

    /// <summary>A directory.</summary>
    /// <exception cref="DiskException">It is missing (ENOENT) or no directory (ENOTDIR).</exception>
    public DirectoryNode FindDirectory(string call, string path)
    {
        if (Split(path).Length == 0) return Root;
        (DirectoryNode parent, string name) = ResolveParent(call, path);
        return parent.Current.GetValueOrDefault(name) switch
        {
            DirectoryNode directory => directory,
            null => throw new DiskException(call, path, SimulatedErrno.NoEntry),
            _ => throw new DiskException(call, path, SimulatedErrno.NotDirectory),
        };
    }

    public void Add(DirectoryNode directory, string name, Node node) =>
        Do(new Change([new Part(directory, name, node)], Removed: null));

    public void Remove(DirectoryNode directory, string name) =>
        Do(new Change([new Part(directory, name, null)], directory.Current[name] as DirectoryNode));

    /// <param name="path">The directories on the way to the new name.</param>
    public void Rename(
        DirectoryNode from, string fromName, DirectoryNode to, string toName, IReadOnlyList<DirectoryNode> path)
    {
        Node node = from.Current[fromName];
        // The new name first: it is what must be durable before the old one may be gone.
        var change = new Change(
            [new Part(to, toName, node), new Part(from, fromName, null)],
            Removed: to.Current.GetValueOrDefault(toName) as DirectoryNode)
        {
            Path = path,
            MovesDirectory = node is DirectoryNode,
        };
        Do(change);
    }

    /// <param name="path">The directories on the way to both names.</param>
    public void Exchange(
        DirectoryNode first, string firstName, DirectoryNode second, string secondName, IReadOnlyList<DirectoryNode> path) =>
        Do(new Change([new Part(first, firstName, second.Current[secondName]), new Part(second, secondName, first.Current[firstName])], Removed: null)
        {
            Path = path,
            // Whatever moves: a file system writes both names at once.
            MovesDirectory = true,
        });

    /// <summary>Makes the names in a directory durable.</summary>
    public void Sync(DirectoryNode directory)
    {
        foreach (Change change in pending.Where(c => c.Touches(directory)).ToArray())
        {
            if (!pending.Contains(change)) continue;
            // Of a rename to here from elsewhere the old name's removal stays pending; of one from here to elsewhere
            // the new name becomes durable too.
            MakeDurable(change, change.MovesDirectory
                ? change.Parts.Count
                : change.Parts.FindLastIndex(p => p.Directory == directory) + 1);
        }
    }

    /// <summary>The names as a crash may leave them, with the files as it may leave those: all of it durable.</summary>
    public NameTree AfterCrash(CrashChoices choices)
    {
        var survived = new Dictionary<DirectoryNode, Dictionary<string, Node>>();
        foreach (Part part in ChooseSurvivors(choices))
        {
            if (!survived.TryGetValue(part.Directory, out Dictionary<string, Node>? names))
            {
                names = new Dictionary<string, Node>(part.Directory.Durable, StringComparer.Ordinal);
                survived.Add(part.Directory, names);
            }

            Set(names, part);
        }

        var copies = new Dictionary<Node, Node>();
        return new NameTree { Root = (DirectoryNode)CopyOf(Root) };

        Node CopyOf(Node node)
        {
            if (copies.TryGetValue(node, out Node? known)) return known;
            if (node is FileNode file)
            {
                var copy = new FileNode { Content = file.Content.AfterCrash(choices), Modified = file.Modified };
                copies.Add(node, copy);
                return copy;
            }

            var source = (DirectoryNode)node;
            var directory = new DirectoryNode { Modified = source.Modified };
            copies.Add(node, directory);
            // In order of names, so that the same choices give the same crash; staging names last: a file that has no
            // other has content that nobody looks at.
            foreach ((string name, Node child) in (survived.GetValueOrDefault(source) ?? source.Durable)
                .OrderBy(e => IsStaging(e.Key)).ThenBy(e => e.Key, StringComparer.Ordinal))
            {
                if (IsStaging(name) && child is FileNode staged) copies.TryAdd(child, staged.WithSyncedContent());
                directory.Current[name] = directory.Durable[name] = CopyOf(child);
            }

            return directory;
        }
    }

    /// <summary>The directories on the way to a path that lies in one, from the root on.</summary>
    public IReadOnlyList<DirectoryNode> DirectoriesOn(string path)
    {
        var directories = new List<DirectoryNode> { Root };
        foreach (string name in Split(path)[..^1]) directories.Add((DirectoryNode)directories[^1].Current[name]);
        return directories;
    }

    /// <summary>How many names a file has.</summary>
    public uint CountNames(FileNode file) => (uint)All().Count(entry => entry.Node == file);

    /// <summary>Every path as programs see it, in no particular order.</summary>
    public IEnumerable<(string Path, Node Node)> All() => Below("", Root);

    private static IEnumerable<(string Path, Node Node)> Below(string path, DirectoryNode directory)
    {
        foreach ((string name, Node node) in directory.Current)
        {
            yield return ($"{path}/{name}", node);
            if (node is not DirectoryNode inner) continue;
            foreach ((string, Node) found in Below($"{path}/{name}", inner)) yield return found;
        }
    }

    private static bool IsStaging(string name) => name.StartsWith(IDisk.StagingPrefix, StringComparison.Ordinal);

    private List<Part> ChooseSurvivors(CrashChoices choices)
    {
        var survived = new List<Part>();
        var lost = new List<Change>();
        choices.BeginGroup();
        foreach (Change change in pending)
        {
            if (!lost.Any(l => l.MustPrecede(change, change.Parts.Count)) && choices.Survives())
            {
                survived.AddRange(change.Parts);
            }
            else
            {
                lost.Add(change);
            }
        }

        return survived;
    }

    private void Do(Change change)
    {
        pending.Add(change);
        foreach (Part part in change.Parts) Set(part.Directory.Current, part);
    }

    private void MakeDurable(Change change, int partCount)
    {
        int index = pending.IndexOf(change);
        foreach (Change earlier in pending[..index])
        {
            if (pending.Contains(earlier) && earlier.MustPrecede(change, partCount))
            {
                MakeDurable(earlier, earlier.Parts.Count);
            }
        }

        foreach (Part part in change.Parts.Take(partCount)) Set(part.Directory.Durable, part);
        change.Parts.RemoveRange(0, partCount);
        if (change.Parts.Count == 0) pending.Remove(change);
    }

    private static void Set(Dictionary<string, Node> names, Part part)
    {
        if (part.Node is null) names.Remove(part.Name);
        else names[part.Name] = part.Node;
    }

    private static string[] Split(string path)
    {
        if (!path.StartsWith('/')) throw new ArgumentException($"not an absolute path: '{path}'", nameof(path));
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (names.Contains(".") || names.Contains("..")) throw new ArgumentException($"'{path}'", nameof(path));
        return names;
    }

    /// <summary>A name's new meaning; null: none.</summary>
    private readonly record struct Part(DirectoryNode Directory, string Name, Node? Node)
    {
        public bool IsSameName(Part other) =>
            Directory == other.Directory && string.Equals(Name, other.Name, StringComparison.Ordinal);
    }

    /// <summary>One operation.</summary>
    /// <param name="Parts">What it changes; a part becomes durable only with those before it.</param>
    /// <param name="Removed">The directory that it removes or replaces, if any.</param>
    private sealed record Change(List<Part> Parts, DirectoryNode? Removed)
    {
        /// <summary>Of a rename, the directories on the way to the new name.</summary>
        public IReadOnlyList<DirectoryNode> Path { get; init; } = [];

        /// <summary>Whether it renames a directory.</summary>
        public bool MovesDirectory { get; init; }

        public bool Touches(DirectoryNode directory) => Parts.Any(p => p.Directory == directory);

        /// <summary>Whether this earlier change is there wherever the first parts of a later one are.</summary>
        public bool MustPrecede(Change later, int partCount) =>
            later.Parts.Take(partCount).Any(p => Parts.Any(e => e.IsSameName(p)))
            || (later.Removed is not null && Touches(later.Removed))
            || PlacesDirectoryFor(later, partCount);

        // Where the old name is gone, the new one must lie in a directory that can be reached: one that was made. Of a
        // directory's move, also each that was moved: else two directories could come to lie in each other.
        private bool PlacesDirectoryFor(Change rename, int partCount) =>
            partCount == rename.Parts.Count
            && (!MovesDirectory || rename.MovesDirectory)
            && Parts.Any(p => p.Node is DirectoryNode placed && rename.Path.Contains(placed));

        public bool Equals(Change? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => Parts.GetHashCode();
    }
}
