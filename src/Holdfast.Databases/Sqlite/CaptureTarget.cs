using System.Globalization;
using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>Where a copy of a database goes: one file in a directory of its own. Not for several threads at once.</summary>
/// <param name="disk">Of both.</param>
/// <param name="directory">Its parent exists.</param>
/// <param name="name">The copy's name.</param>
internal sealed class CaptureTarget(IDisk disk, string directory, string name)
{
    private const int BufferBytes = 256 << 10;

    private readonly byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);

    /// <summary>The copy.</summary>
    public string Path { get; } = $"{directory}/{name}";

    /// <summary>Begins, with an empty file; anew, if something is there.</summary>
    /// <param name="bytes">How much space it will take at most, with what lies beside it until it is whole.</param>
    /// <exception cref="HoldfastException">There is less.</exception>
    public void Begin(long bytes)
    {
        _ = disk.TryCreateDirectory(directory);
        RemoveSidecars();
        _ = disk.TryDelete(Path);
        long free = disk.FreeBytes(directory);
        if (free < bytes)
        {
            throw new HoldfastException(
                ErrorKind.Failed,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{directory}: too little space: the copy of {name} may need {bytes} bytes, {free} are free, {bytes - free} are missing"),
                "free some space, or choose a target on another disk");
        }

        Create(Path).Dispose();
    }

    /// <summary>Has the copy share the blocks of its source, where the file system can.</summary>
    public bool TryClone(string source)
    {
        using IDiskFile from = Open(source, DiskAccess.Read);
        using IDiskFile to = Open(Path, DiskAccess.ReadWrite);
        return disk.TryClone(from, to);
    }

    /// <summary>Opens the copy for writing.</summary>
    public IDiskFile OpenCopy() => Open(Path, DiskAccess.ReadWrite);

    /// <summary>Copies a file that lies beside the database.</summary>
    public void CopySidecar(string source, string suffix, CancellationToken cancellationToken)
    {
        using IDiskFile from = Open(source + suffix, DiskAccess.Read);
        using IDiskFile to = Create(Path + suffix);
        long offset = 0;
        int read;
        while ((read = from.Read(offset, buffer)) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            to.Write(offset, buffer.AsSpan(0, read));
            offset += read;
        }
    }

    /// <summary>Removes what lies beside the copy.</summary>
    public void RemoveSidecars()
    {
        foreach (string suffix in Sidecars.Suffixes) _ = disk.TryDelete(Path + suffix);
    }

    /// <summary>
    /// Makes sure that the copy is a whole file with a readable schema: what was cut off at the source is told now. Whether every page
    /// is sound only an integrity check tells.
    /// </summary>
    /// <param name="source">The database, for messages.</param>
    /// <exception cref="HoldfastException">Kind Damage: it is not.</exception>
    public void Verify(string source)
    {
        try
        {
            using SqliteConnection connection = SqliteConnection.OpenImmutable(Path);
            _ = connection.Query("SELECT count(*) FROM sqlite_schema WHERE sql LIKE 'CREATE%'");
            if (SqlitePath.FindCut(connection, SqlitePath.Require(Path).Length) is { } cut) throw Damage(source, cut);
        }
        catch (SqliteException e) when (e.IsDamage || e.IsRefusal)
        {
            throw Damage(source, e.Reason);
        }
    }

    /// <summary>The error of a database that is not whole.</summary>
    public static HoldfastException Damage(string source, string what) =>
        new(ErrorKind.Damage, $"{source}: {what}", "restore it from a restore point, or see what \"sqlite3 FILE .recover\" can save");

    private IDiskFile Open(string path, DiskAccess access) => disk.TryOpen(path, access)
        ?? throw new HoldfastException(ErrorKind.Failed, $"{path}: vanished", "another program removes files there");

    private IDiskFile Create(string path)
    {
        using (IDiskFile file = disk.CreateUnnamed(directory))
        {
            if (!disk.TryPublish(file, path)) throw new InvalidOperationException($"{path} exists");
        }

        return Open(path, DiskAccess.ReadWrite);
    }
}
