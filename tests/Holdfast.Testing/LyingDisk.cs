using Holdfast.Log;

namespace Holdfast.Testing;

/// <summary>A disk that says "durable" where it is not, or does things in another order than it is asked: tests of tests.</summary>
public sealed class LyingDisk(IDisk inner) : IDisk
{
    /// <summary>Of which files a sync of the content is left out, by their path (unnamed: that of their directory).</summary>
    public Func<string, bool> SkipsSync { get; init; } = _ => false;

    /// <summary>Of which directories a sync is left out.</summary>
    public Func<string, bool> SkipsDirectorySync { get; init; } = _ => false;

    /// <summary>Whether a file is synced only once it has its name.</summary>
    public bool PublishesFirst { get; init; }

    /// <inheritdoc/>
    public IDiskFile? TryOpen(string path, DiskAccess access) => inner.TryOpen(path, access) is { } file ? new LyingFile(this, file, path) : null;

    /// <inheritdoc/>
    public IDiskFile CreateUnnamed(string directory) => new LyingFile(this, inner.CreateUnnamed(directory), directory);

    /// <inheritdoc/>
    public bool TryPublish(IDiskFile file, string path)
    {
        var own = (LyingFile)file;
        if (!inner.TryPublish(own.Inner, path)) return false;
        if (PublishesFirst) own.Inner.Sync();
        return true;
    }

    /// <inheritdoc/>
    public void Rename(string from, string to) => inner.Rename(from, to);

    /// <inheritdoc/>
    public bool TryDelete(string path) => inner.TryDelete(path);

    /// <inheritdoc/>
    public bool TryCreateDirectory(string path) => inner.TryCreateDirectory(path);

    /// <inheritdoc/>
    public bool TryDeleteDirectory(string path) => inner.TryDeleteDirectory(path);

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        if (!SkipsDirectorySync(path)) inner.SyncDirectory(path);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DiskEntry>? TryList(string path) => inner.TryList(path);

    /// <inheritdoc/>
    public DiskStat? TryStat(string path) => inner.TryStat(path);

    private sealed class LyingFile(LyingDisk disk, IDiskFile inner, string path) : IDiskFile
    {
        public IDiskFile Inner => inner;

        public long Length => inner.Length;

        public int Read(long offset, Span<byte> target) => inner.Read(offset, target);

        public void Write(long offset, ReadOnlySpan<byte> source) => inner.Write(offset, source);

        public void SetLength(long length) => inner.SetLength(length);

        public void Sync()
        {
            if (!disk.PublishesFirst && !disk.SkipsSync(path)) inner.Sync();
        }

        public void Dispose() => inner.Dispose();
    }
}
