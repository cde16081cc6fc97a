using System.Collections.Concurrent;
using Holdfast.Log;

namespace Holdfast.Storage;

/// <summary>Makes directories so that they survive power loss, and remembers which do.</summary>
/// <remarks>
/// Invariant: a directory is made only in one whose own name is durable. So of a directory that exists, only its own
/// name can be not yet durable (another writer made it just now), and one sync of its parent, once per instance, is
/// enough to be sure of the whole chain. Costs about 100 bytes of memory per directory.
/// </remarks>
internal sealed class DurableDirectories(IDisk disk)
{
    private readonly ConcurrentDictionary<string, bool> known = new(StringComparer.Ordinal);

    /// <summary>When it returns, the directory exists and its name, with those above it, survives power loss.</summary>
    public void Ensure(string path)
    {
        if (path.Length == 0 || known.ContainsKey(path)) return;
        string parent = path[..path.LastIndexOf('/')];
        bool made = false;
        if (disk.TryStat(path) is null)
        {
            Ensure(parent);
            made = disk.TryCreateDirectory(path);
        }

        try
        {
            disk.SyncDirectory(parent.Length == 0 ? "/" : parent);
        }
        catch (DiskException failure) when (!made && failure.Errno == DiskException.AccessDenied)
        {
            // The user's directory in one that we may not read: we could hardly have made it, so it is not new.
        }

        known.TryAdd(path, true);
    }

    /// <summary>Forgets everything: some of it was removed behind our back.</summary>
    public void Forget() => known.Clear();
}
