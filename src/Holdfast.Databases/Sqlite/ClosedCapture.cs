using Holdfast.Databases.Checkpoints;
using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>
/// Copies a database that nobody uses, as it lies there, and has SQLite recover the copy: the source is only read.
/// </summary>
/// <param name="source">Locked for reading, by nobody else.</param>
/// <param name="target">Where the copy goes.</param>
/// <param name="disk">Of both.</param>
/// <param name="pace">How fast.</param>
internal sealed class ClosedCapture(DatabaseFile source, CaptureTarget target, IDisk disk, CapturePace pace)
{
    /// <summary>Takes the copy.</summary>
    /// <returns>How the file came; null when somebody came to use the database meanwhile: what is in the target then means nothing.</returns>
    public FileTransfer? TryTake(CancellationToken cancellationToken)
    {
        FileMark before = source.Mark;
        Sidecars beside = Sidecars.Of(source.Path);
        bool hot = beside.HasHotJournal(disk, source.Path);
        if (source.FindUser() is not null) return null;

        // A lock would have the program that comes to roll the journal back fail; its doing so cannot be overlooked.
        if (hot) source.Unlock();
        long copied = before.Length + (hot ? beside.Journal!.Value.Length : 0) + (beside.Log?.Length ?? 0);
        // What is in the log goes into the file, and may all be growth.
        target.Begin(copied + (beside.Log?.Length ?? 0));
        bool cloned = before.Length > 0 && target.TryClone(source.Path);
        if (!cloned && !TryCopy(before.Length, cancellationToken)) return null;
        if (hot) target.CopySidecar(source.Path, Sidecars.JournalSuffix, cancellationToken);
        if (beside.HasLog) target.CopySidecar(source.Path, Sidecars.LogSuffix, cancellationToken);
        if (source.FindUser() is not null || source.Mark != before || Sidecars.Of(source.Path) != beside) return null;

        if (hot) JournalScan.ThrowIfDamaged(disk, target.Path, source.Path);
        if (beside.HasLog) LogScan.ThrowIfDamaged(disk, target.Path, source.Path);
        if (hot || beside.HasLog) Recover();
        return cloned ? FileTransfer.Cloned : FileTransfer.Copied;
    }

    private bool TryCopy(long length, CancellationToken cancellationToken)
    {
        using IDiskFile to = target.OpenCopy();
        byte[] buffer = GC.AllocateUninitializedArray<byte>(pace.StepBytes);
        for (long offset = 0; offset < length;)
        {
            int read = source.Read(offset, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - offset)));
            if (read == 0) return false;
            to.Write(offset, buffer.AsSpan(0, read));
            offset += read;
            pace.Copied(read, offset, length, cancellationToken);
            // A writer of rollback mode waits for our lock now: it goes on, and is copied beside from now on.
            if (source.FindUser() is not null) return false;
        }

        return true;
    }

    /// <summary>Rolls a journal back, or brings a log in, and leaves one file.</summary>
    private void Recover()
    {
        try
        {
            using SqliteConnection connection = SqliteConnection.OpenForWriting(target.Path);
            // Who asked for the copy syncs it.
            connection.Run("PRAGMA synchronous=OFF");
            _ = connection.Query("SELECT count(*) FROM sqlite_schema");
            connection.Run("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException e) when (e.IsDamage)
        {
            throw new HoldfastException(ErrorKind.Damage, $"{source.Path}: {e.Reason}", e.Hint, e);
        }

        if (Sidecars.Of(target.Path).HasLog) throw new InvalidOperationException($"{target.Path}: its log is still there");
        target.RemoveSidecars();
    }
}
