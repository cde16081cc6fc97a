using Holdfast.Log;
using Holdfast.Storage.Sftp;

namespace Holdfast.Storage;

public sealed partial class SftpStore
{
    private const int PageEntries = 1000;

    // No put takes this long; a younger one may be somebody's put under way.
    private static readonly TimeSpan LeftoverAge = TimeSpan.FromDays(1);

    /// <inheritdoc/>
    public Task<ObjectPage> ListPageAsync(string prefix, string? after, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        return RunAsync(
            "list", prefix,
            async current =>
            {
                var page = new List<ObjectEntry>();
                bool complete = await WalkAsync(current, prefix, after, page, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
                return new ObjectPage(page, complete ? null : page[^1].Name);
            },
            cancellationToken);
    }

    /// <summary>Adds the objects under <paramref name="prefix"/> in ordinal order; false when the page filled up.</summary>
    private async Task<bool> WalkAsync(SftpSession current, string prefix, string? after, List<ObjectEntry> page, CancellationToken cancellationToken)
    {
        foreach (ObjectEntry entry in await EntriesInAsync(current, prefix, cancellationToken).ConfigureAwait(false))
        {
            bool isDirectory = entry.Name[^1] == '/';
            if (after is not null && string.CompareOrdinal(entry.Name, after) <= 0)
            {
                // Of the directories before `after`, only the one that it lies in holds names behind it.
                if (!isDirectory || !after.StartsWith(entry.Name, StringComparison.Ordinal)) continue;
            }

            if (isDirectory)
            {
                if (!await WalkAsync(current, entry.Name, after, page, cancellationToken).ConfigureAwait(false)) return false;
                continue;
            }

            if (page.Count == PageEntries) return false;
            page.Add(entry);
        }

        return true;
    }

    /// <summary>What lies in a directory, by whole names, those of directories with '/', in ordinal order.</summary>
    /// <remarks>With the '/' the order of the entries is the order of all the names below them.</remarks>
    private async Task<List<ObjectEntry>> EntriesInAsync(SftpSession current, string prefix, CancellationToken cancellationToken)
    {
        string directory = PathOf(prefix).TrimEnd('/');
        var entries = new List<ObjectEntry>();
        foreach (SftpEntry found in await current.Files.TryListAsync(directory, cancellationToken).ConfigureAwait(false) ?? [])
        {
            if (found.Name.StartsWith(IDisk.StagingPrefix, StringComparison.Ordinal))
            {
                RemoveIfOld(current, $"{directory}/{found.Name}", found.Attributes);
                continue;
            }

            string name = prefix + found.Name;
            if (!ObjectName.IsValid(found.Name) || name.Length > ObjectName.MaxLength) continue;
            SftpAttributes? attributes = found.Attributes;
            // Links count as what they lead to; of a server that tells no kinds, each is asked about.
            if (found.Attributes.IsLink || found.Attributes.Mode == 0) attributes = await current.Files.TryStatAsync($"{directory}/{found.Name}").ConfigureAwait(false);
            if (attributes is { IsDirectory: true }) entries.Add(new ObjectEntry(name + "/", 0, default));
            else if (attributes is { IsFile: true } file) entries.Add(EntryOf(name, file));
        }

        entries.Sort(static (one, other) => string.CompareOrdinal(one.Name, other.Name));
        return entries;
    }

    // Tidying up: nobody waits for it, and who may only read the store still gets the listing.
    private void RemoveIfOld(SftpSession current, string path, SftpAttributes attributes)
    {
        bool isOld = host.Clock.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(attributes.Modified) > LeftoverAge;
        if (isOld && attributes.IsFile) _ = current.Files.RemoveAsync(path);
    }
}
