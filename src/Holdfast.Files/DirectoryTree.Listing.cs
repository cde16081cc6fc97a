using System.Runtime.InteropServices;
using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>Entries of directories.</summary>
public sealed unsafe partial class DirectoryTree
{
    /// <inheritdoc/>
    /// <remarks>Cookies are the kernel's. They survive changes of the directory on ext4, xfs, btrfs and, since Linux
    /// 6.6, tmpfs.</remarks>
    public ValueTask<Result<bool>> ListAsync(
        Caller caller, NodeId directory, ulong after, ICollection<DirectoryEntry> page, int maxEntries)
    {
        ArgumentNullException.ThrowIfNull(page);
        return new(List(caller, directory, after, page, maxEntries));
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> ScanAsync(Caller caller, NodeId directory, DirectoryScan scan)
    {
        ArgumentNullException.ThrowIfNull(scan);
        return new(Scan(caller, directory, scan));
    }

    /// <inheritdoc/>
    public ValueTask<Result<NodeAttributes>> CommitDirectoryAsync(Caller caller, NodeId directory) =>
        new(CommitDirectory(directory));

    /// <inheritdoc/>
    public ValueTask<Result<bool>> CommitAllAsync(Caller caller) => new(CommitAll());

    private Result<bool> List(
        Caller caller, NodeId directory, ulong after, ICollection<DirectoryEntry> page, int maxEntries)
    {
        if (maxEntries < 1) return Errno.Invalid;
        Result<Descriptor> opened = OpenEntries(directory);
        if (!opened.TryGetValue(out Descriptor? entries)) return opened.Error;
        using (entries)
        {
            const int fromStart = 0;
            if (after != 0 && LibC.Seek(entries.Number, (long)after, fromStart) < 0) return LibC.LastError;
            using NativeBuffers.Rented buffer = buffers.Rent();

            // What is read beyond the page is read again: take little when little is wanted.
            const int usualRecordBytes = 48, leastBytes = 4096;
            nuint wanted = (nuint)Math.Clamp((long)maxEntries * usualRecordBytes, leastBytes, NativeBuffers.Bytes);
            while (true)
            {
                if (caller.Cancellation.IsCancellationRequested) return Errno.Interrupted;
                nint bytes = LibC.GetDents64(entries.Number, buffer.Pointer, wanted);
                if (bytes < 0) return LibC.LastError;
                if (bytes == 0) return false;
                for (byte* at = buffer.Pointer; at < buffer.Pointer + bytes; at += ((DirectoryRecord*)at)->Length)
                {
                    var record = (DirectoryRecord*)at;
                    ReadOnlySpan<byte> name = NameOf(at);
                    if (EntryName.IsDots(name)) continue;
                    if (maxEntries == 0) return true;
                    NodeKind kind = ModeBits.KindOfEntry(record->Type);
                    page.Add(new DirectoryEntry(name.ToArray(), record->Next, record->Inode, kind));
                    maxEntries--;
                }
            }
        }
    }

    private Result<int> Scan(Caller caller, NodeId directory, DirectoryScan scan)
    {
        scan.Clear();
        Result<Descriptor> opened = OpenEntries(directory);
        if (!opened.TryGetValue(out Descriptor? entries)) return opened.Error;
        using (entries)
        {
            using NativeBuffers.Rented buffer = buffers.Rent();
            while (true)
            {
                if (caller.Cancellation.IsCancellationRequested) return Errno.Interrupted;
                nint bytes = LibC.GetDents64(entries.Number, buffer.Pointer, NativeBuffers.Bytes);
                if (bytes < 0) return LibC.LastError;
                if (bytes == 0) return scan.Count;
                for (byte* at = buffer.Pointer; at < buffer.Pointer + bytes; at += ((DirectoryRecord*)at)->Length)
                {
                    ScanEntry(entries.Number, at, scan);
                }
            }
        }
    }

    private static void ScanEntry(int directory, byte* record, DirectoryScan scan)
    {
        ReadOnlySpan<byte> name = NameOf(record);
        if (EntryName.IsDots(name)) return;
        Statx status;
        byte* path = record + DirectoryRecord.NameOffset;
        if (LibC.Statx(directory, path, At.NoFollow | At.NoAutomount, Statx.BasicStats, &status) == 0)
        {
            scan.Add(name, status.ToAttributes());
            return;
        }

        Errno error = LibC.LastError;
        if (error == Errno.NoEntry) return;
        var kindOnly = new NodeAttributes { Kind = ModeBits.KindOfEntry(((DirectoryRecord*)record)->Type) };
        scan.Add(name, kindOnly, error);
    }

    private static ReadOnlySpan<byte> NameOf(byte* record) =>
        MemoryMarshal.CreateReadOnlySpanFromNullTerminated(record + DirectoryRecord.NameOffset);

    private Result<bool> CommitAll()
    {
        // syncfs refuses descriptors that were opened with O_PATH, as nodes are held.
        Result<Descriptor> opened = OpenEntries(Root);
        if (!opened.TryGetValue(out Descriptor? entries)) return opened.Error;
        using (entries) return LibC.SyncFileSystem(entries.Number) == 0 ? true : LibC.LastError;
    }

    private Result<NodeAttributes> CommitDirectory(NodeId directory)
    {
        Result<Descriptor> opened = OpenEntries(directory);
        if (!opened.TryGetValue(out Descriptor? entries)) return opened.Error;
        using (entries)
        {
            Errno error = SyncDescriptor(entries, Stability.All);
            if (error != Errno.None) return error;
            error = entries.ReadStatus(out Statx status);
            return error == Errno.None ? status.ToAttributes() : error;
        }
    }

    /// <summary>Opens a directory for reading its entries, if possible without moving its access time.</summary>
    private Result<Descriptor> OpenEntries(NodeId directory)
    {
        Errno error = nodes.Acquire(directory, out _, out Descriptor node);
        if (error != Errno.None) return error;
        using (node)
        {
            byte* dot = stackalloc byte[2] { (byte)'.', 0 };
            int number = LibC.OpenAt(node.Number, dot, OpenFlags.Entries | OpenFlags.NoAccessTime, 0);
            if (number < 0 && LibC.LastError == Errno.NotPermitted)
            {
                number = LibC.OpenAt(node.Number, dot, OpenFlags.Entries, 0);
            }

            return number < 0 ? LibC.LastError : new Descriptor(number, isPath: false);
        }
    }
}
