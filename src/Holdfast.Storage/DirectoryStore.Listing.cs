using Holdfast.Log;

namespace Holdfast.Storage;

public sealed partial class DirectoryStore
{
    private const int PageEntries = 1000;

    // No put takes this long; a younger one may be somebody's put under way.
    private static readonly TimeSpan LeftoverAge = TimeSpan.FromDays(1);

    private ObjectPage ListPage(string prefix, string? after, CancellationToken cancellationToken)
    {
        var page = new List<ObjectEntry>();
        bool complete = Walk(prefix, after, page, cancellationToken);
        return new ObjectPage(page, complete ? null : page[^1].Name);
    }

    /// <summary>
    /// Adds the objects under <paramref name="prefix"/> in ordinal order; false when the page filled up.
    /// </summary>
    private bool Walk(string prefix, string? after, List<ObjectEntry> page, CancellationToken cancellationToken)
    {
        string directory = PathOf(prefix).TrimEnd('/');
        foreach (string name in NamesIn(directory, prefix))
        {
            cancellationToken.ThrowIfCancellationRequested();
            bool isDirectory = name[^1] == '/';
            if (after is not null && string.CompareOrdinal(name, after) <= 0)
            {
                // Of the directories before `after`, only the one that it lies in holds names behind it.
                if (!isDirectory || !after.StartsWith(name, StringComparison.Ordinal)) continue;
            }

            if (isDirectory)
            {
                if (!Walk(name, after, page, cancellationToken)) return false;
                continue;
            }

            if (page.Count == PageEntries) return false;
            if (TryStat(name) is { } entry) page.Add(entry);
        }

        return true;
    }

    /// <summary>Whole names of what lies in a directory, those of directories with '/', in ordinal order.</summary>
    /// <remarks>With the '/' the order of the entries is the order of all the names below them.</remarks>
    private List<string> NamesIn(string directory, string prefix)
    {
        var names = new List<string>();
        foreach (DiskEntry entry in disk.TryList(directory) ?? [])
        {
            if (entry.Name.StartsWith(IDisk.StagingPrefix, StringComparison.Ordinal))
            {
                RemoveIfOld($"{directory}/{entry.Name}");
                continue;
            }

            if (!ObjectName.IsValid(entry.Name)) continue;
            string name = entry.IsDirectory ? $"{prefix}{entry.Name}/" : prefix + entry.Name;
            if (name.Length <= ObjectName.MaxLength) names.Add(name);
        }

        names.Sort(string.CompareOrdinal);
        return names;
    }

    private void RemoveIfOld(string path)
    {
        try
        {
            if (disk.TryStat(path) is { IsDirectory: false } stat && clock.GetUtcNow() - stat.Modified > LeftoverAge)
            {
                disk.TryDelete(path);
            }
        }
        catch (DiskException)
        {
            // Tidying up: who may only read the store still gets the listing.
        }
    }
}
