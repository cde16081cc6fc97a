using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Log;

/// <summary>The real disk. New files are readable by their owner only, new directories too.</summary>
/// <remarks>
/// An unnamed file is one of O_TMPFILE. Where the file system has none (NFS, some FUSE file systems), it is a file
/// named <see cref="IDisk.StagingPrefix"/> and 16 random hex digits, which a crash may leave behind.
/// </remarks>
public sealed class HostDisk : IDisk
{
    private const string NotOfThisDisk = "not a file of this disk";
    private const uint FileMode = 0x180; // 0600
    private const uint DirectoryMode = 0x1C0; // 0700

    // An O_TMPFILE gets its name through /proc; a chroot may lack it.
    private readonly bool unnamedFilesCanBeLinked;

    /// <summary>The disk of this machine.</summary>
    public HostDisk()
        : this(stageByName: false)
    {
    }

    /// <summary>A disk that, for a test, does as on file systems without O_TMPFILE.</summary>
    internal HostDisk(bool stageByName) =>
        unnamedFilesCanBeLinked = !stageByName && Directory.Exists("/proc/self/fd");

    /// <inheritdoc/>
    public IDiskFile? TryOpen(string path, DiskAccess access)
    {
        // Not blocking: a pipe that lies where a file should would wait for its other end for ever.
        int flags = LibC.OpenNonBlocking | (access == DiskAccess.Read ? LibC.OpenReadOnly : LibC.OpenReadWrite);
        SafeFileHandle? handle = Open(path, flags, out int errno);
        if (handle is null)
        {
            return errno is LibC.ENOENT or LibC.ENOTDIR or LibC.EISDIR
                ? null
                : throw new DiskException("open", path, errno);
        }

        if (IsRegular(handle, path)) return new HostDiskFile(handle, path, isNamed: true, stagingPath: null);
        handle.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public IDiskFile CreateUnnamed(string directory)
    {
        if (unnamedFilesCanBeLinked)
        {
            SafeFileHandle? handle = Open(directory, LibC.OpenTemporary | LibC.OpenReadWrite, out int errno);
            if (handle is not null)
            {
                return new HostDiskFile(handle, $"{directory}/(unnamed)", isNamed: false, stagingPath: null);
            }

            // EISDIR and EINVAL: the file system or kernel took O_TMPFILE for an attempt to write to a directory.
            if (errno is not (LibC.EOPNOTSUPP or LibC.EISDIR or LibC.EINVAL or LibC.ENOSYS))
            {
                throw new DiskException("open", directory, errno);
            }
        }

        return CreateStaged(directory);
    }

    /// <inheritdoc/>
    public bool TryPublish(IDiskFile file, string path)
    {
        if (file is not HostDiskFile { IsPublished: false } own)
        {
            throw new ArgumentException("not an unnamed file of this disk", nameof(file));
        }

        own.ThrowIfSyncFailed();
        bool published = own.StagingPath is null
            ? TryLink(own.ProcPath, path, LibC.AtSymlinkFollow)
            : TryPublishStaged(own.StagingPath, path);
        if (published) own.MarkPublished(path);
        return published;
    }

    /// <inheritdoc/>
    public bool TryLink(string existing, string path) => TryLink(existing, path, flags: 0);

    /// <inheritdoc/>
    public bool TryClone(IDiskFile source, IDiskFile target)
    {
        if (source is not HostDiskFile ownSource) throw new ArgumentException(NotOfThisDisk, nameof(source));
        if (target is not HostDiskFile ownTarget) throw new ArgumentException(NotOfThisDisk, nameof(target));
        return ownTarget.TryClone(ownSource);
    }

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        if (LibC.Rename(from, to) != 0) throw Failure("rename", from);
    }

    /// <inheritdoc/>
    public bool TryExchange(string first, string second)
    {
        if (LibC.RenameAt2(LibC.AtFdCwd, first, LibC.AtFdCwd, second, LibC.RenameExchange) == 0) return true;
        int errno = Marshal.GetLastPInvokeError();
        // renameat2(2): EINVAL where the file system does not know the flag.
        return errno is LibC.EINVAL or LibC.ENOSYS ? false : throw new DiskException("renameat2", first, errno);
    }

    /// <inheritdoc/>
    public bool TryDelete(string path)
    {
        if (LibC.Unlink(path) == 0) return true;
        int errno = Marshal.GetLastPInvokeError();
        return errno is LibC.ENOENT or LibC.ENOTDIR or LibC.EISDIR
            ? false
            : throw new DiskException("unlink", path, errno);
    }

    /// <inheritdoc/>
    public bool TryCreateDirectory(string path)
    {
        if (LibC.MakeDirectory(path, DirectoryMode) == 0) return true;
        int errno = Marshal.GetLastPInvokeError();
        return errno == LibC.EEXIST ? false : throw new DiskException("mkdir", path, errno);
    }

    /// <inheritdoc/>
    public bool TryDeleteDirectory(string path)
    {
        if (LibC.RemoveDirectory(path) == 0) return true;
        int errno = Marshal.GetLastPInvokeError();
        return errno is LibC.ENOENT or LibC.ENOTEMPTY or LibC.EEXIST or LibC.ENOTDIR
            ? false
            : throw new DiskException("rmdir", path, errno);
    }

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        using SafeFileHandle handle = Open(path, LibC.OpenDirectory | LibC.OpenReadOnly, out int errno)
            ?? throw new DiskException("open", path, errno);
        while (LibC.Sync(handle) != 0)
        {
            errno = Marshal.GetLastPInvokeError();
            if (errno == LibC.EINTR) continue;
            // fsync(2): EINVAL where the file system knows no sync of directories; there, names are written at once.
            if (errno == LibC.EINVAL) return;
            throw new DiskException("fsync", path, errno);
        }
    }

    /// <inheritdoc/>
    public unsafe IReadOnlyList<DiskEntry>? TryList(string path)
    {
        nint stream = LibC.OpenDirectoryStream(path);
        if (stream == 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            return errno is LibC.ENOENT or LibC.ENOTDIR ? null : throw new DiskException("opendir", path, errno);
        }

        try
        {
            var entries = new List<DiskEntry>();
            while (true)
            {
                LibC.DirectoryRecord* record = LibC.ReadDirectory(stream);
                if (record is null) break;
                string name = Marshal.PtrToStringUTF8((nint)(&record->NameStart))!;
                if (name is "." or "..") continue;
                bool isDirectory = record->Type switch
                {
                    LibC.DirectoryRecord.TypeDirectory => true,
                    // A link counts as what it leads to: an administrator may have moved a directory to another disk.
                    LibC.DirectoryRecord.TypeUnknown or LibC.DirectoryRecord.TypeLink =>
                        TryStat($"{path}/{name}") is { IsDirectory: true },
                    _ => false,
                };
                entries.Add(new DiskEntry(name, isDirectory));
            }

            if (Marshal.GetLastPInvokeError() != 0) throw Failure("readdir", path);
            return entries;
        }
        finally
        {
            _ = LibC.CloseDirectory(stream);
        }
    }

    /// <inheritdoc/>
    public DiskStat? TryStat(string path)
    {
        if (LibC.StatX(LibC.AtFdCwd, path, 0, LibC.FileStatus.Wanted, out LibC.FileStatus status) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            return errno is LibC.ENOENT or LibC.ENOTDIR ? null : throw new DiskException("statx", path, errno);
        }

        DateTimeOffset modified = DateTimeOffset.FromUnixTimeSeconds(status.ModifiedSeconds)
            .AddTicks(status.ModifiedNanoseconds / TimeSpan.NanosecondsPerTick);
        ulong device = ((ulong)status.DeviceMajor << 32) | status.DeviceMinor;
        return new DiskStat((long)status.Size, modified, status.IsDirectory, status.LinkCount, device);
    }

    /// <inheritdoc/>
    public long FreeBytes(string path)
    {
        LibC.FileSystemStatus status;
        while (LibC.StatVfs(path, out status) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != LibC.EINTR) throw new DiskException("statvfs", path, errno);
        }

        return (long)UInt128.Min((ulong)long.MaxValue, (UInt128)status.FreeFragments * status.FragmentBytes);
    }

    /// <inheritdoc/>
    public IDiskLock? TryLock(string path, string note, out string holder)
    {
        SafeFileHandle handle =
            Open(path, LibC.OpenCreate | LibC.OpenNonBlocking | LibC.OpenReadWrite, out int errno)
            ?? throw new DiskException("open", path, errno);
        return HostDiskLock.TryTake(handle, path, note, out holder);
    }

    private static DiskException Failure(string call, string path) => new(call, path, Marshal.GetLastPInvokeError());

    private static SafeFileHandle? Open(string path, int flags, out int errno)
    {
        while (true)
        {
            SafeFileHandle handle = LibC.Open(path, flags | LibC.OpenCloseOnExec, FileMode);
            errno = Marshal.GetLastPInvokeError();
            if (!handle.IsInvalid) return handle;
            handle.Dispose();
            if (errno != LibC.EINTR) return null;
        }
    }

    private static bool IsRegular(SafeFileHandle handle, string path)
    {
        int result = LibC.StatX(handle, "", LibC.AtEmptyPath, LibC.FileStatus.Wanted, out LibC.FileStatus status);
        return result == 0 ? status.IsRegular : throw Failure("statx", path);
    }

    private static HostDiskFile CreateStaged(string directory)
    {
        string path = $"{directory}/{IDisk.StagingPrefix}{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        SafeFileHandle handle =
            Open(path, LibC.OpenCreate | LibC.OpenExclusive | LibC.OpenReadWrite, out int errno)
            ?? throw new DiskException("open", path, errno);
        return new HostDiskFile(handle, path, isNamed: false, stagingPath: path);
    }

    private static bool TryLink(string from, string path, int flags)
    {
        if (LibC.LinkAt(LibC.AtFdCwd, from, LibC.AtFdCwd, path, flags) == 0) return true;
        int errno = Marshal.GetLastPInvokeError();
        return errno == LibC.EEXIST ? false : throw new DiskException("linkat", path, errno);
    }

    private static bool TryPublishStaged(string stagingPath, string path)
    {
        if (LibC.LinkAt(LibC.AtFdCwd, stagingPath, LibC.AtFdCwd, path, 0) == 0)
        {
            // Should this fail, the second name stays and is removed as a leftover; the file is whole either way.
            _ = LibC.Unlink(stagingPath);
            return true;
        }

        int errno = Marshal.GetLastPInvokeError();
        if (errno == LibC.EEXIST) return false;
        if (errno is not (LibC.EPERM or LibC.EOPNOTSUPP or LibC.ENOSYS)) throw new DiskException("linkat", path, errno);

        // A file system without hard links (FAT, some FUSE file systems).
        if (LibC.RenameAt2(LibC.AtFdCwd, stagingPath, LibC.AtFdCwd, path, LibC.RenameNoReplace) == 0) return true;
        errno = Marshal.GetLastPInvokeError();
        return errno == LibC.EEXIST ? false : throw new DiskException("renameat2", path, errno);
    }
}
