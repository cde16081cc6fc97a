using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Backup;

/// <summary>A source directory with its entries, as the scanner hands it on.</summary>
internal sealed class ScannedDirectory
{
    public required SourceDirectory Directory { get; init; }

    /// <summary>Its own attributes, as the directory above listed them.</summary>
    public required NodeAttributes Attributes { get; init; }

    /// <summary>Its entries in the order of their names.</summary>
    public required DirectoryScan Scan { get; init; }

    /// <summary>Of each entry, whether it was chosen to be left out.</summary>
    public required bool[] LeftOut { get; init; }

    /// <summary>Before any of the attributes was read: what changes later has a later ctime (<see cref="SourceContext.NextChangeTime"/>).</summary>
    public required UnixTime NextChange { get; init; }
}

/// <summary>
/// Lists the directories of a source ahead of everything else, in the order of names, and says what is left out. It needs
/// no vault, so it begins while the password is still being worked on.
/// </summary>
/// <remarks>
/// Sends each root and, below each directory that it sent, for each entry that is a directory and not left out, in order:
/// the directory, or null where it could not be entered.
/// </remarks>
internal sealed class SourceScanner(SourceContext context) : IDisposable
{
    /// <summary>So many directories and entries may lie listed and not yet taken: about 170 bytes an entry.</summary>
    private const int EntriesAhead = 32 << 10;

    private readonly BackupRequest request = context.Request;
    private readonly Channel<ScannedDirectory?> found = Channel.CreateUnbounded<ScannedDirectory?>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly DirectoryScan listing = new();
    private readonly SemaphoreSlim room = new(0);
    private readonly Stack<Level> levels = new();
    private byte[] path = new byte[4096];
    private int ahead;

    private CancellationToken Cancellation => context.Caller.Cancellation;

    /// <summary>What was found next.</summary>
    public async ValueTask<ScannedDirectory?> TakeAsync()
    {
        try
        {
            ScannedDirectory? next = await found.Reader.ReadAsync(Cancellation).ConfigureAwait(false);
            int count = 1 + (next?.Scan.Count ?? 0);
            if (Interlocked.Add(ref ahead, -count) + count > EntriesAhead) room.Release();
            return next;
        }
        catch (ChannelClosedException closed) when (closed.InnerException is { } reason)
        {
            ExceptionDispatchInfo.Throw(reason);
            throw;
        }
    }

    /// <summary>Lists all roots that are directories.</summary>
    public async Task RunAsync()
    {
        try
        {
            foreach (BackupRoot root in request.Roots)
            {
                if (root.Only.IsEmpty) await ScanRootAsync(root).ConfigureAwait(false);
            }

            found.Writer.Complete();
        }
        catch (Exception error)
        {
            found.Writer.Complete(error);
            throw;
        }
    }

    public void Dispose() => room.Dispose();

    private async Task ScanRootAsync(BackupRoot root)
    {
        byte[] name = root.Path.ToArray();
        UnixTime nextChange = context.NextChangeTime();
        Result<NodeAttributes> attributes = await root.Tree.GetAttributesAsync(context.Caller, root.Tree.Root).ConfigureAwait(false);
        if (!attributes.Ok)
        {
            context.Fail(name, attributes.Error.Describe());
            SendNone();
            return;
        }

        var directory = new SourceDirectory(root.Tree, root.Tree.Root, name, owned: false);
        int relativeStart = name.Length == 1 ? 1 : name.Length + 1;
        name.CopyTo(Room(name.Length));
        await EnterAsync(directory, attributes.Value, nextChange, relativeStart, name.Length, attributes.Value.Device).ConfigureAwait(false);
        while (levels.TryPeek(out Level? level))
        {
            Cancellation.ThrowIfCancellationRequested();
            if (level.Next == level.Names.Count)
            {
                levels.Pop();
                continue;
            }

            (byte[] child, NodeAttributes listed) = level.Names[level.Next++];
            await TryEnterAsync(level, child, listed).ConfigureAwait(false);
        }
    }

    private async ValueTask TryEnterAsync(Level level, byte[] name, NodeAttributes listed)
    {
        IFileTree tree = level.Directory.Tree;
        Result<Node> node = await tree.LookupAsync(context.Caller, level.Directory.Node, name).ConfigureAwait(false);
        bool isThere = node.Ok && node.Value.Attributes.IsDirectory;
        // Asked of the directory itself: the listing tells the number of a mount point, not of what is mounted there.
        string? leftOut = isThere ? await LeavesOutAsync(name, new DirectoryIdentity(node.Value.Attributes.Device, node.Value.Attributes.Inode)).ConfigureAwait(false) : null;
        if (!isThere || leftOut is not null)
        {
            if (node.Ok) tree.Forget(node.Value.Id, 1);
            byte[] itemPath = level.Directory.PathOf(name);
            if (leftOut is not null) context.Note(itemPath, leftOut);
            else context.Fail(itemPath, node.Ok ? "was replaced while it was listed" : node.Error.Describe());
            SendNone();
            return;
        }

        int pathLength = PathTo(level.PathLength, name).Length;
        var directory = new SourceDirectory(tree, node.Value.Id, level.Directory.PathOf(name), owned: true);
        await EnterAsync(directory, listed, level.NextChange, level.RelativeStart, pathLength, level.RootDevice).ConfigureAwait(false);
    }

    /// <summary>Why a directory of Holdfast's own is left out; null for any other.</summary>
    private async ValueTask<string?> LeavesOutAsync(byte[] name, DirectoryIdentity directory)
    {
        if (directory == request.LeftOut) return "is the vault itself, which is left out";
        bool isState = request.IsStatePlace is { } isStatePlace && await isStatePlace(name, directory).ConfigureAwait(false);
        return isState ? "is what Holdfast itself keeps on this machine, which is left out" : null;
    }

    /// <summary>In the place of a directory that could not be entered.</summary>
    private void SendNone()
    {
        Interlocked.Increment(ref ahead);
        found.Writer.TryWrite(null);
    }

    private async ValueTask EnterAsync(
        SourceDirectory directory, NodeAttributes listed, UnixTime listedBefore, int relativeStart, int pathLength, ulong rootDevice)
    {
        UnixTime nextChange = context.NextChangeTime();
        bool isForeign = request.OneFileSystem && await DeviceOfAsync(directory).ConfigureAwait(false) != rootDevice;
        listing.Clear();
        if (!isForeign)
        {
            Result<int> scanned = await directory.Tree.ScanAsync(context.Caller, directory.Node, listing).ConfigureAwait(false);
            if (!scanned.Ok) context.Fail(directory.Path, scanned.Error.Describe());
            listing.SortByName();
        }

        DirectoryScan scan = listing.Copy();
        byte[]? onlyName = await FindMarkAsync(directory, scan).ConfigureAwait(false);
        bool[] leftOut = new bool[scan.Count];
        List<(byte[] Name, NodeAttributes Listed)> children = Choose(directory, scan, leftOut, onlyName, relativeStart, pathLength);
        context.Progress.Show(directory.Path);
        Interlocked.Add(ref ahead, 1 + scan.Count);
        found.Writer.TryWrite(new ScannedDirectory
        {
            Directory = directory,
            Attributes = listed,
            Scan = scan,
            LeftOut = leftOut,
            NextChange = listedBefore,
        });
        // From here on the entries are the taker's.
        while (Volatile.Read(ref ahead) > EntriesAhead) await room.WaitAsync(Cancellation).ConfigureAwait(false);
        levels.Push(new Level
        {
            Directory = directory,
            Names = children,
            NextChange = nextChange,
            RelativeStart = relativeStart,
            PathLength = pathLength,
            RootDevice = rootDevice,
        });
    }

    /// <summary>Says of each entry whether it is left out, and which are directories to go on with.</summary>
    private List<(byte[] Name, NodeAttributes Listed)> Choose(
        SourceDirectory directory, DirectoryScan scan, bool[] leftOut, byte[]? onlyName, int relativeStart, int pathLength)
    {
        var children = new List<(byte[], NodeAttributes)>();
        for (int i = 0; i < scan.Count; i++)
        {
            ReadOnlySpan<byte> name = scan.NameOf(i).Span;
            ref readonly NodeAttributes attributes = ref scan.AttributesOf(i);
            // Who lists a directory while names in it are changed may see one twice.
            leftOut[i] = (i > 0 && scan.NameOf(i - 1).Span.SequenceEqual(name))
                || (onlyName is not null && !name.SequenceEqual(onlyName))
                || (attributes.Kind == NodeKind.Regular && attributes.Size > request.MaxFileBytes)
                || (request.Rules.Patterns.Count > 0 && request.Rules.IsExcluded(PathTo(pathLength, name), relativeStart, attributes.IsDirectory));
            if (!leftOut[i] && attributes.IsDirectory && FindFault(directory, scan, i) is null) children.Add((name.ToArray(), attributes));
        }

        return children;
    }

    /// <summary>Why an entry cannot be kept at all; null for one that can.</summary>
    public static string? FindFault(SourceDirectory directory, DirectoryScan scan, int index)
    {
        if (scan.ErrorOf(index) != Errno.None) return scan.ErrorOf(index).Describe();
        ReadOnlySpan<byte> name = scan.NameOf(index).Span;
        if (!DirectoryCodec.IsValidName(name, isPointRoot: false) || !DirectoryCodec.IsValid(scan.AttributesOf(index)))
        {
            return "the file system tells of a name, mode or time that there cannot be";
        }

        return directory.Path.Length + 1 + name.Length > TreePath.MaxBytes ? $"its path is longer than {TreePath.MaxBytes} bytes" : null;
    }

    private async ValueTask<ulong> DeviceOfAsync(SourceDirectory directory)
    {
        Result<NodeAttributes> attributes = await directory.Tree.GetAttributesAsync(context.Caller, directory.Node).ConfigureAwait(false);
        return attributes.Ok ? attributes.Value.Device : 0;
    }

    /// <summary>The name of the file by which the directory asks to be left out; null when it does not.</summary>
    private async ValueTask<byte[]?> FindMarkAsync(SourceDirectory directory, DirectoryScan scan)
    {
        if (request.Marks.Count == 0) return null;
        for (int i = 0; i < scan.Count; i++)
        {
            foreach (ExclusionMark mark in request.Marks)
            {
                if (!scan.NameOf(i).Span.SequenceEqual(mark.Name.Span)) continue;
                if (mark.Header.IsEmpty || await BeginsWithAsync(directory, mark).ConfigureAwait(false)) return mark.Name.ToArray();
            }
        }

        return null;
    }

    private async ValueTask<bool> BeginsWithAsync(SourceDirectory directory, ExclusionMark mark)
    {
        IFileTree tree = directory.Tree;
        Result<OpenedNode> opened = await tree.OpenAtAsync(
            context.Caller, directory.Node, mark.Name, new OpenRequest(OpenAccess.Read | OpenAccess.KeepAccessTime)).ConfigureAwait(false);
        if (!opened.Ok) return false;
        byte[] head = new byte[mark.Header.Length];
        Result<int> read = await tree.ReadAsync(context.Caller, opened.Value.File, 0, head).ConfigureAwait(false);
        tree.Close(opened.Value.File);
        tree.Forget(opened.Value.Node.Id, 1);
        return read.Ok && read.Value == head.Length && head.AsSpan().SequenceEqual(mark.Header.Span);
    }

    private ReadOnlySpan<byte> PathTo(int directoryLength, ReadOnlySpan<byte> name)
    {
        int start = directoryLength == 1 ? 1 : directoryLength + 1;
        Span<byte> room = Room(start + name.Length);
        room[start - 1] = (byte)'/';
        name.CopyTo(room[start..]);
        return room[..(start + name.Length)];
    }

    private Span<byte> Room(int bytes)
    {
        if (bytes > path.Length) Array.Resize(ref path, Math.Max(bytes, path.Length * 2));
        return path;
    }

    /// <summary>A directory on the way down.</summary>
    private sealed class Level
    {
        public required SourceDirectory Directory { get; init; }

        /// <summary>The directories in it that are entered.</summary>
        public required List<(byte[] Name, NodeAttributes Listed)> Names { get; init; }

        public required UnixTime NextChange { get; init; }

        /// <summary>Where in a path below it the part relative to the root begins.</summary>
        public required int RelativeStart { get; init; }

        /// <summary>How much of the path buffer is this directory's.</summary>
        public required int PathLength { get; init; }

        public required ulong RootDevice { get; init; }

        public int Next { get; set; }
    }
}
