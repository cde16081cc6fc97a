using Holdfast.Log;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>A disk that passes each call on, for others that do more.</summary>
internal abstract class PassingDisk(IDisk inner) : IDisk
{
    public virtual IDiskFile? TryOpen(string path, DiskAccess access) => inner.TryOpen(path, access);

    public virtual IDiskFile CreateUnnamed(string directory) => inner.CreateUnnamed(directory);

    public virtual bool TryPublish(IDiskFile file, string path) => inner.TryPublish(file, path);

    public virtual bool TryLink(string existing, string path) => inner.TryLink(existing, path);

    public virtual bool TryClone(IDiskFile source, IDiskFile target) => inner.TryClone(source, target);

    public virtual void Rename(string from, string to) => inner.Rename(from, to);

    public virtual bool TryExchange(string first, string second) => inner.TryExchange(first, second);

    public virtual bool TryDelete(string path) => inner.TryDelete(path);

    public virtual bool TryCreateDirectory(string path) => inner.TryCreateDirectory(path);

    public virtual bool TryDeleteDirectory(string path) => inner.TryDeleteDirectory(path);

    public virtual void SyncDirectory(string path) => inner.SyncDirectory(path);

    public virtual IReadOnlyList<DiskEntry>? TryList(string path) => inner.TryList(path);

    public virtual DiskStat? TryStat(string path) => inner.TryStat(path);

    public virtual long FreeBytes(string path) => inner.FreeBytes(path);

    public virtual IDiskLock? TryLock(string path, string note, out string holder) => inner.TryLock(path, note, out holder);
}
