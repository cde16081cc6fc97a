namespace Holdfast.Log;

/// <summary>The real disk.</summary>
public sealed class HostDisk : IDisk
{
    /// <inheritdoc/>
    public IDiskFile? TryOpen(string path, DiskAccess access) => throw new NotSupportedException();

    /// <inheritdoc/>
    public IDiskFile CreateUnnamed(string directory) => throw new NotSupportedException();

    /// <inheritdoc/>
    public bool TryPublish(IDiskFile file, string path) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Rename(string from, string to) => throw new NotSupportedException();

    /// <inheritdoc/>
    public bool TryDelete(string path) => throw new NotSupportedException();

    /// <inheritdoc/>
    public bool TryCreateDirectory(string path) => throw new NotSupportedException();

    /// <inheritdoc/>
    public bool TryDeleteDirectory(string path) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void SyncDirectory(string path) => throw new NotSupportedException();

    /// <inheritdoc/>
    public IReadOnlyList<DiskEntry>? TryList(string path) => throw new NotSupportedException();

    /// <inheritdoc/>
    public DiskStat? TryStat(string path) => throw new NotSupportedException();
}
