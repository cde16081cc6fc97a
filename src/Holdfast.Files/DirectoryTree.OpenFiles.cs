using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>Reading and writing of open files.</summary>
public sealed unsafe partial class DirectoryTree
{
    private const int SeekData = 3;
    private const int SeekHole = 4;

    /// <inheritdoc/>
    public ValueTask<Result<int>> ReadAsync(Caller caller, OpenId file, long offset, Memory<byte> target) =>
        new(Read(caller, file, offset, target.Span));

    /// <inheritdoc/>
    public ValueTask<Result<WriteOutcome>> WriteAsync(
        Caller caller, OpenId file, long offset, ReadOnlyMemory<byte> source, Stability stability) =>
        new(Write(caller, file, offset, source.Span, stability));

    /// <inheritdoc/>
    /// <remarks>Once it has failed, it fails for this open file for ever: the kernel may have dropped the
    /// data.</remarks>
    public ValueTask<Result<NodeAttributes>> CommitAsync(Caller caller, OpenId file, Stability stability) =>
        new(Commit(file, stability));

    /// <inheritdoc/>
    public ValueTask<Result<FileExtent>> FindExtentAsync(Caller caller, OpenId file, long offset) =>
        new(FindExtent(file, offset));

    /// <inheritdoc/>
    public ValueTask<Result<NodeAttributes>> GetOpenAttributesAsync(Caller caller, OpenId file) =>
        new(GetOpenAttributes(file));

    /// <inheritdoc/>
    /// <remarks>A node that is forgotten before its file is closed costs nothing more; otherwise it is held
    /// on.</remarks>
    public void Close(OpenId file) => nodes.Close(file);

    private Result<int> Read(Caller caller, OpenId id, long offset, Span<byte> target)
    {
        if (offset < 0) return Errno.Invalid;
        if (caller.Cancellation.IsCancellationRequested) return Errno.Interrupted;
        Errno error = nodes.AcquireFile(id, out OpenFile? file);
        if (file == null) return error;
        using (file.Descriptor)
        {
            fixed (byte* start = target)
            {
                int done = 0;
                while (done < target.Length)
                {
                    nuint wanted = (nuint)(target.Length - done);
                    nint read = LibC.ReadAt(file.Descriptor.Number, start + done, wanted, offset + done);
                    if (read == 0) break;
                    if (read > 0) done += (int)read;
                    else if (LibC.LastError is var failed && failed != Errno.Interrupted) return failed;
                }

                return done;
            }
        }
    }

    private Result<WriteOutcome> Write(
        Caller caller, OpenId id, long offset, ReadOnlySpan<byte> source, Stability stability)
    {
        if (offset < 0) return Errno.Invalid;
        if (caller.Cancellation.IsCancellationRequested) return Errno.Interrupted;
        Errno error = nodes.AcquireFile(id, out OpenFile? file);
        if (file == null) return error;
        using (file.Descriptor)
        {
            Result<WriteOutcome> outcome;
            lock (ChangeLockOf(file.Node)) outcome = WriteOut(caller, file.Descriptor, offset, source);

            // Outside the lock, so that syncs of several writers can become one in the file system.
            if (stability == Stability.Unstable || !outcome.TryGetValue(out WriteOutcome written)) return outcome;
            error = Sync(file, stability);
            return error == Errno.None ? written with { Reached = stability } : error;
        }
    }

    /// <summary>Writes all of it, or as much as there is room for but at least one byte.</summary>
    private static Result<WriteOutcome> WriteOut(
        Caller caller, Descriptor file, long offset, ReadOnlySpan<byte> source)
    {
        Errno error = ReadBefore(caller, file, out Statx before);
        if (error != Errno.None) return error;
        int done = 0;
        fixed (byte* start = source)
        {
            while (done < source.Length)
            {
                nuint wanted = (nuint)(source.Length - done);
                nint written = LibC.WriteAt(file.Number, start + done, wanted, offset + done);
                if (written >= 0)
                {
                    done += (int)written;
                    continue;
                }

                error = LibC.LastError;
                if (error == Errno.Interrupted) continue;
                if (done == 0) return error;
                break;
            }
        }

        return new WriteOutcome(done, Stability.Unstable, MutationSince(caller, in before, file));
    }

    private Result<NodeAttributes> Commit(OpenId id, Stability stability)
    {
        Errno error = nodes.AcquireFile(id, out OpenFile? file);
        if (file == null) return error;
        using (file.Descriptor)
        {
            error = Sync(file, stability);
            if (error != Errno.None) return error;
            error = file.Descriptor.ReadStatus(out Statx status);
            return error == Errno.None ? status.ToAttributes() : error;
        }
    }

    private static Errno Sync(OpenFile file, Stability stability)
    {
        if (file.CommitError != Errno.None) return file.CommitError;
        Errno error = SyncDescriptor(file.Descriptor, stability);
        if (error != Errno.None) file.CommitError = error;
        return error;
    }

    private static Errno SyncDescriptor(Descriptor file, Stability stability)
    {
        if (stability == Stability.Unstable) return Errno.None;
        while ((stability == Stability.Data ? LibC.SyncData(file.Number) : LibC.Sync(file.Number)) != 0)
        {
            Errno error = LibC.LastError;
            if (error != Errno.Interrupted) return error;
        }

        return Errno.None;
    }

    private Result<FileExtent> FindExtent(OpenId id, long offset)
    {
        if (offset < 0) return Errno.Invalid;
        Errno error = nodes.AcquireFile(id, out OpenFile? file);
        if (file == null) return error;
        using (file.Descriptor)
        {
            error = file.Descriptor.ReadStatus(out Statx status);
            if (error != Errno.None) return error;
            long size = (long)status.Size;
            if (offset >= size) return Errno.NoDevice;

            // lseek moves the file's position, which nothing here uses.
            long data = LibC.Seek(file.Descriptor.Number, offset, SeekData);
            if (data < 0)
            {
                error = LibC.LastError;
                bool cannotTell = error is Errno.Invalid or Errno.NotSupported;
                if (error != Errno.NoDevice && !cannotTell) return error;
                return new FileExtent(offset, size - offset, IsHole: !cannotTell);
            }

            if (data > offset) return new FileExtent(offset, data - offset, IsHole: true);
            long hole = LibC.Seek(file.Descriptor.Number, offset, SeekHole);
            if (hole < 0) return LibC.LastError;
            return hole > offset ? new FileExtent(offset, hole - offset, IsHole: false) : Errno.NoDevice;
        }
    }

    private Result<NodeAttributes> GetOpenAttributes(OpenId id)
    {
        Errno error = nodes.AcquireFile(id, out OpenFile? file);
        if (file == null) return error;
        using (file.Descriptor)
        {
            error = file.Descriptor.ReadStatus(out Statx status);
            return error == Errno.None ? status.ToAttributes() : error;
        }
    }
}
