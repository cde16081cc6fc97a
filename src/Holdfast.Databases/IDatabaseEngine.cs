using Holdfast.Log;

namespace Holdfast.Databases;

/// <summary>A kind of embedded database that is told apart by its files. May be used from any thread.</summary>
public interface IDatabaseEngine
{
    /// <summary>As in <see cref="DatabaseAddress"/>.</summary>
    string Name { get; }

    /// <summary>Whether a database is one file, not a directory.</summary>
    bool IsFile { get; }

    /// <summary>
    /// Finds the best way to a database that this process does not own: the program that owns it, if
    /// that listens (a checkpoint agent), or from outside. Nothing is opened for writing.
    /// </summary>
    /// <param name="path">Absolute path.</param>
    /// <exception cref="HoldfastException">Kind NotThere: there is no database of this engine.</exception>
    ICheckpointSource Find(string path);

    /// <summary>
    /// Makes sure that nobody has a database open, until the result is disposed, and that its files can be replaced by others: what
    /// lies beside it and belongs to it (such as a write-ahead log) is brought into it.
    /// </summary>
    /// <param name="path">Absolute path of a database of this engine.</param>
    /// <exception cref="HoldfastException">Kind Busy: it is open. Kind NotThere: it is none.</exception>
    IDisposable Hold(string path);

    /// <summary>
    /// Makes sure that nothing lies beside a path where there is no database that would be taken for a part of one that comes there.
    /// </summary>
    /// <param name="path">Absolute path; nothing is there.</param>
    /// <exception cref="HoldfastException">Kind Refused: something does, such as the log of a database that is gone.</exception>
    void RefuseLeftovers(string path)
    {
    }

    /// <summary>
    /// Opens a copy that nobody uses, without changing it, and has the engine check it. What is wrong is told, not thrown.
    /// </summary>
    /// <param name="path">Absolute path of a checkpoint or restored database.</param>
    /// <param name="only">Files that are to be read whole (names); null for all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="HoldfastException">There is no such database, or it cannot be opened by this program at all.</exception>
    DatabaseCheck Check(string path, IReadOnlySet<string>? only, CancellationToken cancellationToken);
}

/// <summary>What an engine says of a copy.</summary>
/// <param name="Problems">What is wrong, each in a line; empty when all is well.</param>
/// <param name="BytesRead">Bytes of its files that were checked by the engine, about.</param>
/// <param name="Limits">What could not be checked and why, such as a comparator that this program lacks; null for none.</param>
public sealed record DatabaseCheck(IReadOnlyList<string> Problems, long BytesRead, string? Limits = null);
