namespace Holdfast.Databases.Sqlite;

/// <summary>
/// One at a time in this process looks after a database: closing any descriptor of its file frees the fcntl locks that
/// another's SQLite connection has on it, since those belong to the process.
/// </summary>
internal sealed class DatabaseGate : IDisposable
{
    // As the locks do, it belongs to the process, not to an engine.
    private static readonly HashSet<(ulong Device, ulong Inode)> Entered = [];

    private readonly (ulong, ulong) file;

    private DatabaseGate((ulong, ulong) file) => this.file = file;

    /// <summary>Enters, unless somebody is there; null then.</summary>
    public static DatabaseGate? TryEnter(FileMark file)
    {
        (ulong, ulong) key = (file.Device, file.Inode);
        lock (Entered) return Entered.Add(key) ? new DatabaseGate(key) : null;
    }

    public void Dispose()
    {
        lock (Entered) Entered.Remove(file);
    }
}
