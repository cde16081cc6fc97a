using Holdfast.Log;

namespace Holdfast.Testing;

/// <summary>
/// A disk that says "durable" where it is not, or does things in another order than it is asked: tests of tests.
/// </summary>
public sealed class LyingDisk(IDisk inner) : IDisk
{
    private readonly HashSet<string> postponed = new(StringComparer.Ordinal);

    /// <summary>
    /// Of which files a sync of the content is left out, and of a durable write what makes it durable; by their path
    /// (unnamed: that of their directory).
    /// </summary>
    public Func<string, bool> SkipsSync { get; init; } = _ => false;

    /// <summary>Of which directories a sync is left out.</summary>
    public Func<string, bool> SkipsDirectorySync { get; init; } = _ => false;

    /// <summary>Which directories are synced only before a file is made in any other.</summary>
    /// <remarks>
    /// No lie where nobody relies on the one before: so packs look that are put side by side, all at their last step.
    /// </remarks>
    public Func<string, bool> PostponesDirectorySync { get; init; } = _ => false;

    /// <summary>Whether a file is synced only once it has its name.</summary>
    public bool PublishesFirst { get; init; }

    /// <summary>Called before each call but Dispose, outside of all locks: may use the disk, and wait.</summary>
    public Action? BeforeCall { get; init; }

    /// <inheritdoc/>
    public IDiskFile? TryOpen(string path, DiskAccess access) =>
        Called.TryOpen(path, access) is { } file ? new LyingFile(this, file, path) : null;

    /// <inheritdoc/>
    public IDiskFile CreateUnnamed(string directory)
    {
        if (!PostponesDirectorySync(directory)) SyncPostponed();
        return new LyingFile(this, Called.CreateUnnamed(directory), directory);
    }

    /// <inheritdoc/>
    public bool TryPublish(IDiskFile file, string path)
    {
        var own = (LyingFile)file;
        BeforeCall?.Invoke();
        if (!inner.TryPublish(own.Inner, path)) return false;
        if (PublishesFirst) own.Inner.Sync();
        return true;
    }

    /// <inheritdoc/>
    public bool TryLink(string existing, string path) => Called.TryLink(existing, path);

    /// <inheritdoc/>
    public bool TryClone(IDiskFile source, IDiskFile target) =>
        Called.TryClone(((LyingFile)source).Inner, ((LyingFile)target).Inner);

    /// <inheritdoc/>
    public void Rename(string from, string to) => Called.Rename(from, to);

    /// <inheritdoc/>
    public bool TryExchange(string first, string second) => Called.TryExchange(first, second);

    /// <inheritdoc/>
    public bool TryDelete(string path) => Called.TryDelete(path);

    /// <inheritdoc/>
    public bool TryCreateDirectory(string path) => Called.TryCreateDirectory(path);

    /// <inheritdoc/>
    public bool TryDeleteDirectory(string path) => Called.TryDeleteDirectory(path);

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        if (SkipsDirectorySync(path)) return;
        if (!PostponesDirectorySync(path))
        {
            Called.SyncDirectory(path);
            return;
        }

        lock (postponed) postponed.Add(path);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DiskEntry>? TryList(string path) => Called.TryList(path);

    /// <inheritdoc/>
    public DiskStat? TryStat(string path) => Called.TryStat(path);

    /// <inheritdoc/>
    public long FreeBytes(string path) => Called.FreeBytes(path);

    /// <inheritdoc/>
    public IDiskLock? TryLock(string path, string note, out string holder) => Called.TryLock(path, note, out holder);

    private void SyncPostponed()
    {
        lock (postponed)
        {
            // A directory's name before the names in it.
            foreach (string path in postponed.Order(StringComparer.Ordinal)) inner.SyncDirectory(path);
            postponed.Clear();
        }
    }

    private IDisk Called
    {
        get
        {
            BeforeCall?.Invoke();
            return inner;
        }
    }

    private sealed class LyingFile(LyingDisk disk, IDiskFile inner, string path) : IDiskFile
    {
        public IDiskFile Inner => inner;

        public long Length => Called.Length;

        private bool Syncs => !disk.PublishesFirst && !disk.SkipsSync(path);

        private IDiskFile Called
        {
            get
            {
                disk.BeforeCall?.Invoke();
                return inner;
            }
        }

        public int Read(long offset, Span<byte> target) => Called.Read(offset, target);

        public void Write(long offset, ReadOnlySpan<byte> source) => Called.Write(offset, source);

        public void WriteDurably(long offset, ReadOnlySpan<byte> source)
        {
            if (Syncs) Called.WriteDurably(offset, source);
            else Called.Write(offset, source);
        }

        public void SetLength(long length) => Called.SetLength(length);

        public void Allocate(long length) => Called.Allocate(length);

        public void Sync()
        {
            if (Syncs) Called.Sync();
        }

        public void StartWriteback(long offset, long length) => inner.StartWriteback(offset, length);

        public DiskMapping? TryMap(long length) => inner.TryMap(length);

        public void Dispose() => inner.Dispose();
    }
}
