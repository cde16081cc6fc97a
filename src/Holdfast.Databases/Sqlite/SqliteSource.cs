using Holdfast.Databases.Checkpoints;
using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>
/// An SQLite database: copied as it lies there when nobody uses it, by SQLite's backup when somebody does. May be used from any
/// thread.
/// </summary>
/// <remarks>
/// SQLite gives a database no id. There is no sequence number either: the header's file change counter stands still in WAL mode, and
/// a backup writes its own. The copy is a file that changes, so that it has no identity.
/// </remarks>
/// <param name="address">The database as it was asked for.</param>
/// <param name="disk">Where it lies.</param>
/// <param name="clock">What waits are measured by.</param>
/// <param name="longestWait">How long one lock is waited for.</param>
internal sealed class SqliteSource(DatabaseAddress address, IDisk disk, TimeProvider clock, TimeSpan longestWait) : ICheckpointSource
{
    /// <inheritdoc/>
    public DatabaseAddress Address => address;

    /// <inheritdoc/>
    public Capture Capture(string directory, CaptureOptions options, CancellationToken cancellationToken)
    {
        string path = SqlitePath.Resolve(address.Path);
        string name = Path.GetFileName(address.Path);
        var target = new CaptureTarget(disk, directory, name);
        var patience = new Patience(clock, longestWait);
        var pace = new CapturePace(clock, options);
        SqliteException? last = null;
        for (int attempt = 0; attempt < Math.Max(1, options.MaxAttempts); attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            FileMark file = SqlitePath.Require(path);
            using DatabaseGate gate = Enter(path, file, patience, cancellationToken);
            try
            {
                if (OpenFiles.IsOpenHere(file))
                {
                    new LiveCapture(path, target, options, pace, patience).Take(cancellationToken);
                    return Finish(CaptureWay.Shared, FileTransfer.Copied);
                }

                using DatabaseFile open = DatabaseFile.TryOpen(path) ?? throw SqlitePath.NotThere(path);
                LockForReading(open, patience, cancellationToken);
                if (open.FindUser() is null
                    && new ClosedCapture(open, target, disk, pace).TryTake(cancellationToken) is { } transfer)
                {
                    return Finish(CaptureWay.Closed, transfer);
                }

                if (TryTakeLive(open)) return Finish(CaptureWay.Shared, FileTransfer.Copied);
            }
            catch (SqliteException e) when (e.IsForWantOfWriting)
            {
                // Who had it open died in a transaction, or has just closed it: it is looked at anew.
                if (e.IsForWantOfRollback && last is { IsForWantOfRollback: true }) throw NotRolledBack(path, file);
                last = e;
            }
        }

        throw last is not null
            ? new HoldfastException(ErrorKind.Failed, last.Message, last.Hint, last)
            : new HoldfastException(
                ErrorKind.Busy, $"{path}: it was opened and closed again each time a copy was begun, {options.MaxAttempts} times",
                "run it again when less goes on");

        Capture Finish(CaptureWay way, FileTransfer transfer)
        {
            target.Verify(path);
            return new Capture(null, null, way, [new CapturedFile(name, null, transfer)]);
        }

        bool TryTakeLive(DatabaseFile open)
        {
            // A program that closes a database in WAL mode removes its log, but not while there is this lock. Nobody is there any more: the
            // connection would make files beside the database.
            bool walMode = SqlitePath.IsInWalMode(open);
            if (walMode)
            {
                LockForReading(open, patience, cancellationToken);
                if (open.FindUser() is null) return false;
            }
            else
            {
                // Writers would wait for it.
                open.Unlock();
            }

            // Closed before the file is: closing that frees the connection's locks.
            new LiveCapture(path, target, options, pace, patience).Take(cancellationToken);
            return true;
        }
    }

    // Seen twice: who has it open, and keeps it from being copied as it lies there, does not roll the transaction back.
    private static HoldfastException NotRolledBack(string path, FileMark file) => new(
        ErrorKind.Busy,
        $"{path}: a program died in a transaction, which must be rolled back before the database is read; {OpenFiles.NameOf(OpenFiles.FindOtherProcess(file) ?? 0)} has it open and does not",
        "close that program, or open the database with one that may write to it, such as sqlite3; then run it again");

    private static DatabaseGate Enter(string path, FileMark file, Patience patience, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (DatabaseGate.TryEnter(file) is { } gate)
            {
                patience.Reset();
                return gate;
            }

            if (!patience.TryWait(cancellationToken))
            {
                throw new HoldfastException(
                    ErrorKind.Busy, $"{path}: this process is copying or checking it already, for longer than {patience.Waited}", "run it again");
            }
        }
    }

    private static void LockForReading(DatabaseFile open, Patience patience, CancellationToken cancellationToken)
    {
        int? holder = null;
        while (!open.TryLockShared())
        {
            holder = open.FindUser() ?? holder;
            if (patience.TryWait(cancellationToken)) continue;
            throw new HoldfastException(
                ErrorKind.Busy,
                $"{open.Path}: {OpenFiles.NameOf(holder ?? 0)} has it locked for itself; waited {patience.Waited}",
                "run it again later; a program that uses PRAGMA locking_mode=EXCLUSIVE lets nobody read: stop it, or have it copy the database itself");
        }

        patience.Reset();
    }
}
