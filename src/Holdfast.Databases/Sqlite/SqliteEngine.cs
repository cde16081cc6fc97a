using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>Databases of SQLite, by the system's libsqlite3, which is loaded when it is first needed.</summary>
/// <param name="disk">Where they lie: a real one, since SQLite uses no other.</param>
/// <param name="clock">What waits are measured by.</param>
/// <param name="longestWait">How long another program's lock is waited for.</param>
internal sealed class SqliteEngine(IDisk disk, TimeProvider clock, TimeSpan longestWait) : IDatabaseEngine
{
    private static readonly TimeSpan UsualWait = TimeSpan.FromSeconds(10);

    /// <summary>The engine of this machine.</summary>
    public SqliteEngine()
        : this(new HostDisk(), TimeProvider.System, UsualWait)
    {
    }

    /// <inheritdoc/>
    public string Name => "sqlite";

    /// <inheritdoc/>
    public bool IsFile => true;

    /// <inheritdoc/>
    public ICheckpointSource Find(string path)
    {
        string resolved = SqlitePath.Resolve(path);
        FileMark mark = SqlitePath.Require(resolved);
        // What this process has open is not opened beside SQLite; a copy tells what it is.
        using DatabaseGate? gate = DatabaseGate.TryEnter(mark);
        if (gate is not null && !OpenFiles.IsOpenHere(mark))
        {
            using DatabaseFile file = DatabaseFile.TryOpen(resolved) ?? throw SqlitePath.NotThere(resolved);
            SqlitePath.RequireHeader(file);
        }

        return new SqliteSource(new DatabaseAddress(Name, path), disk, clock, longestWait);
    }

    /// <inheritdoc/>
    public IDisposable Hold(string path) => SqliteReplacement.Hold(disk, path, new Patience(clock, longestWait));

    /// <inheritdoc/>
    public void RefuseLeftovers(string path) => SqliteReplacement.RefuseLeftovers(disk, path);

    /// <inheritdoc/>
    public DatabaseCheck Check(string path, IReadOnlySet<string>? only, CancellationToken cancellationToken)
    {
        string resolved = SqlitePath.Resolve(path);
        FileMark mark = SqlitePath.Require(resolved);
        using DatabaseGate gate = DatabaseGate.TryEnter(mark) ?? throw Busy(path, "this process is copying or checking it already");
        if (OpenFiles.IsOpenHere(mark)) throw Busy(path, "this process has it open");
        using DatabaseFile file = DatabaseFile.TryOpen(resolved) ?? throw SqlitePath.NotThere(resolved);
        if (file.FindUser() is { } user) throw Busy(path, $"{OpenFiles.NameOf(user)} uses it");
        return SqliteCheck.Run(resolved, only is null || only.Contains(Path.GetFileName(path)), cancellationToken);
    }

    private static HoldfastException Busy(string path, string why) =>
        new(ErrorKind.Busy, $"{path}: {why}, and only a copy that nobody uses can be checked", "make a copy: holdfast db checkpoint");
}
