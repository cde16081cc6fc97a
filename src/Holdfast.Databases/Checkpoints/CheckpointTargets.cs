using Holdfast.Log;

namespace Holdfast.Databases.Checkpoints;

/// <summary>Where a copy may go.</summary>
internal static class CheckpointTargets
{
    /// <summary>Makes sure that a copy may be put at a path.</summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="engine">Of the database.</param>
    /// <param name="source">The database's path; null when the copy does not come from one on this disk.</param>
    /// <param name="target">Absolute path.</param>
    /// <param name="replace">Whether a database that is there may go.</param>
    /// <returns>Keeps a database that is to go from being opened; null when there is none.</returns>
    /// <exception cref="HoldfastException">Kind Refused or Busy: it may not.</exception>
    public static IDisposable? Claim(IDisk disk, IDatabaseEngine engine, string? source, string target, bool replace)
    {
        if (source is not null)
        {
            if (target == source || target.StartsWith($"{source}/", StringComparison.Ordinal))
            {
                throw Refuse(target, $"lies inside the database {source}", "choose a path outside of it");
            }

            if (source.StartsWith($"{target.TrimEnd('/')}/", StringComparison.Ordinal))
            {
                throw Refuse(target, $"contains the database {source}", "choose another path");
            }
        }

        if (disk.TryStat(target) is not { } there)
        {
            engine.RefuseLeftovers(target);
            return null;
        }

        if (!engine.IsFile && there.IsDirectory && disk.TryList(target) is { Count: 0 }) return null;
        if (!replace) throw Refuse(target, "is there already", "choose another path, or replace it with --replace");
        if (there.IsDirectory == engine.IsFile)
        {
            throw Refuse(target, $"is a {(there.IsDirectory ? "directory" : "file")}, a database of {engine.Name} is none", "choose another path");
        }

        // Replacing removes all that is there: only what is surely a database may go.
        return engine.Hold(target);
    }

    private static HoldfastException Refuse(string target, string why, string hint) =>
        new(ErrorKind.Refused, $"{target}: {why}", hint);
}
