using Holdfast.Log;

namespace Holdfast.Storage;

/// <summary>An object store on a directory: each object is a file. Layout: docs/formats/directory-store.md.</summary>
/// <remarks>
/// Several instances and processes may use one directory at once. An object can be seen, by others too, shortly before
/// the put that makes it durable has returned. Reads are system calls and complete before they return, so a caller that
/// wants several at once uses several tasks; the other methods run on the thread pool.
/// </remarks>
public sealed partial class DirectoryStore : IObjectStore
{
    private const int CompareBytes = 64 << 10;
    private const int WriteBytes = 4 << 20;
    private const int MaxPublishAttempts = 16;

    private readonly IDisk disk;
    private readonly TimeProvider clock;
    private readonly string root;
    private readonly DurableDirectories directories;
    private bool dropsCache;

    /// <summary>Makes a store of a directory, which need not exist: it is made by the first put.</summary>
    /// <param name="disk">Where the directory lies.</param>
    /// <param name="clock">Tells which leftovers are old.</param>
    /// <param name="root">Absolute path of the directory.</param>
    /// <param name="address">The directory as the user wrote it; null when that is <paramref name="root"/>.</param>
    public DirectoryStore(IDisk disk, TimeProvider clock, string root, string? address = null)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(root);
        if (!root.StartsWith('/')) throw new ArgumentException($"not an absolute path: '{root}'", nameof(root));
        this.disk = disk;
        this.clock = clock;
        this.root = root.TrimEnd('/');
        Address = address ?? root;
        directories = new DurableDirectories(disk);
    }

    /// <inheritdoc/>
    public string Address { get; }

    /// <inheritdoc/>
    public StoreCapabilities Capabilities { get; } =
        new(CreateOnce: true, Staleness: TimeSpan.Zero, RetentionLocks: false);

    /// <inheritdoc/>
    public Task<PutOutcome> PutIfAbsentAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ObjectName.ThrowIfTooLong(name, content);
        return Task.Run(() => Guard("write", name, () => Put(name, content, cancellationToken)), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<int?> ReadAsync(
        string name, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<int?>(cancellationToken);
        try
        {
            // Opened anew each time: a file kept open would go on answering after another process deleted the object,
            // and staleness is declared to be zero. The cost is in the format document, "Limits and cost".
            using IDiskFile? file = disk.TryOpen(PathOf(name), DiskAccess.Read);
            if (dropsCache) file?.DropCached(offset, target.Length);
            return ValueTask.FromResult(file?.Read(offset, target.Span));
        }
        catch (DiskException failure)
        {
            return ValueTask.FromException<int?>(Failure("read", name, failure));
        }
    }

    /// <inheritdoc/>
    public Task<ObjectEntry?> StatAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<ObjectEntry?>(cancellationToken);
        try
        {
            return Task.FromResult(TryStat(name));
        }
        catch (DiskException failure)
        {
            return Task.FromException<ObjectEntry?>(Failure("look at", name, failure));
        }
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        return Task.Run(() => Guard("delete", name, () => Delete(name)), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ObjectPage> ListPageAsync(string prefix, string? after, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        return Task.Run(
            () => Guard("list", prefix, () => ListPage(prefix, after, cancellationToken)), cancellationToken);
    }

    /// <inheritdoc/>
    public IObjectStore Uncached => new DirectoryStore(disk, clock, root, Address) { dropsCache = true };

    private PutOutcome Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string path = PathOf(name);
        string directory = ParentOf(path);
        // Before writing up to 64 MiB for nothing: in a vault most puts that find a name find their own content.
        if (TryCompare(path, content.Span) is { } existing) return existing;

        using IDiskFile file = CreateUnnamed(directory);
        for (int done = 0; done < content.Length; done += WriteBytes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            file.Write(done, content.Span[done..Math.Min(done + WriteBytes, content.Length)]);
        }

        cancellationToken.ThrowIfCancellationRequested();
        file.Sync();
        cancellationToken.ThrowIfCancellationRequested();

        for (int attempt = 0; attempt < MaxPublishAttempts; attempt++)
        {
            if (disk.TryPublish(file, path))
            {
                disk.SyncDirectory(directory);
                return PutOutcome.Written;
            }

            // Null when the object that was in the way has just been deleted.
            if (TryCompare(path, content.Span) is { } outcome) return outcome;
            cancellationToken.ThrowIfCancellationRequested();
        }

        throw disk.TryStat(path) is { IsDirectory: true }
            ? new ObjectStoreException($"{Address}: {name}: other objects lie below this name", isRetriable: false)
            : new ObjectStoreException($"{Address}: {name}: others keep writing and deleting it", isRetriable: true);
    }

    private IDiskFile CreateUnnamed(string directory)
    {
        directories.Ensure(directory);
        try
        {
            return disk.CreateUnnamed(directory);
        }
        catch (DiskException failure) when (failure.Errno == DiskErrno.NoEntry)
        {
            // Somebody removed the directory since this instance made sure of it.
            directories.Forget();
            directories.Ensure(directory);
            return disk.CreateUnnamed(directory);
        }
    }

    /// <summary>Compares an object, if there is one, with content that is to be put under its name.</summary>
    /// <remarks>
    /// The answer tells the caller to rely on what is there, so it is made durable: its writer may be about to.
    /// </remarks>
    private PutOutcome? TryCompare(string path, ReadOnlySpan<byte> content)
    {
        using IDiskFile? file = disk.TryOpen(path, DiskAccess.Read);
        if (file is null) return null;
        bool same = HasContent(file, content);
        file.Sync();
        directories.Ensure(ParentOf(path));
        disk.SyncDirectory(ParentOf(path));
        return same ? PutOutcome.SameContent : PutOutcome.Taken;
    }

    private static bool HasContent(IDiskFile file, ReadOnlySpan<byte> content)
    {
        if (file.Length != content.Length) return false;
        byte[] piece = new byte[Math.Min(CompareBytes, content.Length)];
        for (int done = 0; done < content.Length; done += piece.Length)
        {
            ReadOnlySpan<byte> expected = content[done..Math.Min(done + piece.Length, content.Length)];
            int read = file.Read(done, piece.AsSpan(0, expected.Length));
            if (!piece.AsSpan(0, read).SequenceEqual(expected)) return false;
        }

        return true;
    }

    private ObjectEntry? TryStat(string name) =>
        disk.TryStat(PathOf(name)) is { IsDirectory: false } stat
            ? new ObjectEntry(name, stat.Length, stat.Modified)
            : null;

    private bool Delete(string name)
    {
        string path = PathOf(name);
        bool existed = disk.TryDelete(path);
        // Also when it was absent: another may have removed it just now, and the answer says that it will stay away.
        string directory = ParentOf(path);
        if (existed || disk.TryStat(directory) is { IsDirectory: true }) disk.SyncDirectory(directory);
        return existed;
    }

    private string PathOf(string name) => $"{root}/{name}";

    private static string ParentOf(string path) => path[..path.LastIndexOf('/')];

    private T Guard<T>(string action, string name, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (DiskException failure)
        {
            throw Failure(action, name, failure);
        }
    }

    private ObjectStoreException Failure(string action, string name, DiskException failure) => new(
        $"{Address}: cannot {action} {(name.Length == 0 ? "objects" : name)}: {failure.Reason}",
        DiskErrno.IsPassing(failure.Errno),
        failure.Hint,
        failure);
}
