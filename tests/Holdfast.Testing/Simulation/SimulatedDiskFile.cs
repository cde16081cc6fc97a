using Holdfast.Log;

namespace Holdfast.Testing.Simulation;

/// <summary>An open file of a <see cref="SimulatedDisk"/>. Closing it is not a call: it works without power.</summary>
internal sealed class SimulatedDiskFile(SimulatedDisk disk, FileNode node, string path, bool writable) : IDiskFile
{
    private int syncErrno;
    private bool disposed;

    public SimulatedDisk Disk => disk;

    public FileNode Node => node;

    public string Path { get; set; } = path;

    /// <summary>Only of files that were made unnamed.</summary>
    public bool IsPublished { get; set; }

    /// <summary>Whether the file was made by CreateUnnamed.</summary>
    public bool WasUnnamed { get; init; }

    /// <summary>The name that it has until it is published, on a disk without O_TMPFILE; null otherwise.</summary>
    public string? StagingPath { get; init; }

    public long Length => disk.Call(Describe(DiskCallKind.Length), () =>
    {
        ThrowIfUnusable();
        return node.Content.Length;
    });

    public int Read(long offset, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        int count = target.Length;
        byte[] read = disk.Call(Describe(DiskCallKind.Read, offset, count), () =>
        {
            ThrowIfUnusable();
            return node.Content.Read(offset, count);
        });
        read.CopyTo(target);
        return read.Length;
    }

    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        byte[] data = source.ToArray();
        disk.Call(
            Describe(DiskCallKind.Write, offset, data.Length),
            () => Write(offset, data),
            // A full disk takes what fits.
            whenFailing: (_, random) => Write(offset, data[..random.Next(data.Length + 1)]));
    }

    public void WriteDurably(long offset, ReadOnlySpan<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        byte[] data = source.ToArray();
        DiskCall call = Describe(DiskCallKind.WriteDurably, offset, data.Length);
        disk.Call(
            call,
            () =>
            {
                Write(offset, data);
                if (disk.GoesOn(call)) node.Content.Settle(offset, data.Length);
            },
            whenFailing: (errno, random) =>
            {
                bool isFull = errno is DiskException.NoSpace or DiskException.QuotaExceeded or SimulatedErrno.TooLarge;
                bool isOfTheWrite = isFull && node.Content.Length <= offset;
                Write(offset, data[..random.Next(data.Length + 1)]);
                if (!isOfTheWrite) LoseUnsynced(errno, random);
            });
    }

    public void SetLength(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        disk.Call(Describe(DiskCallKind.SetLength, length), () =>
        {
            ThrowIfUnusable();
            if (!writable) throw new DiskException("ftruncate", Path, SimulatedErrno.InvalidArgument);
            node.Content.SetLength(length);
            node.ReservedBytes = 0;
            node.Modified = disk.Clock.GetUtcNow();
        });
    }

    public void Allocate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        disk.Call(Describe(DiskCallKind.Allocate, length), () =>
        {
            ThrowIfUnusable();
            if (length == 0) return;
            if (!writable) throw new DiskException("fallocate", Path, SimulatedErrno.BadDescriptor);
            long room = disk.Room(node, 0, length);
            node.ReservedBytes = Math.Max(node.ReservedBytes, room);
            if (room < length) throw new DiskException("fallocate", Path, DiskException.NoSpace);
        });
    }

    public void Sync()
    {
        disk.Call(
            Describe(DiskCallKind.Sync),
            () =>
            {
                ThrowIfUnusable();
                node.Content.Sync();
            },
            whenFailing: LoseUnsynced);
    }

    public void StartWriteback(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        disk.Hint(ThrowIfUnusable);
    }

    /// <summary>Always null: there is nothing that could be mapped.</summary>
    public DiskMapping? TryMap(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        disk.Hint(ThrowIfUnusable);
        return null;
    }

    /// <summary>Makes the file share the content of another, if the disk can; under the disk's lock.</summary>
    public bool TryClone(SimulatedDiskFile source, bool canClone)
    {
        source.ThrowIfUnusable();
        ThrowIfUnusable();
        if (!canClone) return false;
        long length = source.Node.Content.Length;
        Write(0, source.Node.Content.Read(0, (int)length));
        return true;
    }

    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        if (WasUnnamed && !IsPublished) disk.Forget(this);
    }

    public void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (syncErrno != 0) throw new DiskException("fdatasync (earlier)", Path, syncErrno);
    }

    private void LoseUnsynced(int errno, Random random)
    {
        node.Content.LoseUnsynced(random);
        syncErrno = errno;
    }

    private void Write(long offset, byte[] data)
    {
        ThrowIfUnusable();
        if (!writable) throw new DiskException("pwrite", Path, SimulatedErrno.BadDescriptor);
        int room = (int)disk.Room(node, offset, data.Length);
        node.Content.Write(offset, data[..room]);
        node.Modified = disk.Clock.GetUtcNow();
        if (room < data.Length) throw new DiskException("pwrite", Path, DiskException.NoSpace);
    }

    private DiskCall Describe(DiskCallKind kind, long offset = 0, int length = 0) => new(0, kind, Path, offset, length);
}
