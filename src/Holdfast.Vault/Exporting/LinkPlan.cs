using Holdfast.Files;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Exporting;

/// <summary>
/// Says which names stay names of the file that they have, and which become names of another, so that hard links end as they
/// should.
/// </summary>
/// <remarks>Remembers only entries that have several names in one of the two trees: about 150 bytes and the path for each.</remarks>
internal sealed class LinkPlan
{
    private readonly Dictionary<(ulong Device, ulong Inode), Group> groups = [];
    private readonly Dictionary<(ulong Device, ulong Inode), Group> keepers = [];
    private readonly HashSet<string> apart = new(StringComparer.Ordinal);

    /// <summary>Takes note of a path; all are told of, in order, before the first question.</summary>
    public void Add(in TreePair pair)
    {
        if (pair.IsLeave || pair.After.Entry is not { IsDirectory: false } after) return;
        TreeEntry? before = pair.Before.Entry;
        bool isSame = IsSameFile(before, after);
        if (!after.IsHardLinked)
        {
            // Of several names of one file that become files of their own, one keeps it.
            if (isSame && before!.IsHardLinked && !keepers.TryAdd(KeyOf(before), new Group())) apart.Add(Text(pair.Path));
            return;
        }

        if (!groups.TryGetValue(KeyOf(after), out Group? group)) groups.Add(KeyOf(after), group = new Group { First = pair.Path });
        if (before is { Attributes.Kind: NodeKind.Regular } && after.Attributes.Kind == NodeKind.Regular) group.FirstWithBase ??= pair.Path;
        if (!isSame || group.Kept is not null) return;
        if (before!.IsHardLinked && !keepers.TryAdd(KeyOf(before), group)) return;
        group.Kept = pair.Path;
        group.KeptKey = before.IsHardLinked ? KeyOf(before) : null;
    }

    /// <summary>Where the file is that a path becomes a name of; null when it keeps its own or is made anew.</summary>
    public byte[]? LinkOf(byte[] path, TreeEntry? before, TreeEntry after)
    {
        if (!after.IsHardLinked) return null;
        Group group = groups[KeyOf(after)];
        if (Keeps(path, before, after)) return null;
        byte[] source = group.Kept ?? group.FirstWithBase ?? group.First;
        return source.AsSpan().SequenceEqual(path) ? null : source;
    }

    /// <summary>Whether a path keeps the file that it names: content as before, and only where links do not forbid it.</summary>
    public bool Keeps(byte[] path, TreeEntry? before, TreeEntry after)
    {
        if (!IsSameFile(before, after)) return false;
        if (!after.IsHardLinked) return !before!.IsHardLinked || !apart.Contains(Text(path));
        // A file in a directory that is one and the same in both trees has the links that it had: links move the change time.
        if (!groups.TryGetValue(KeyOf(after), out Group? group)) return true;
        if (group.Kept is null) return false;
        return group.Kept.AsSpan().SequenceEqual(path) || (before!.IsHardLinked && group.KeptKey == KeyOf(before));
    }

    private static bool IsSameFile(TreeEntry? before, TreeEntry after) =>
        before is not null && before.Attributes.Kind == after.Attributes.Kind && before.Attributes.DeviceMajor == after.Attributes.DeviceMajor
        && before.Attributes.DeviceMinor == after.Attributes.DeviceMinor && after.HasContentOf(before);

    private static (ulong Device, ulong Inode) KeyOf(TreeEntry entry) => (entry.Attributes.Device, entry.Attributes.Inode);

    // Latin-1: each byte a character, so that paths differ as their bytes do.
    private static string Text(byte[] path) => System.Text.Encoding.Latin1.GetString(path);

    /// <summary>The names of one file of the new tree.</summary>
    private sealed class Group
    {
        public byte[] First { get; init; } = [];

        /// <summary>The first name that has content before: parts of it may be copied.</summary>
        public byte[]? FirstWithBase { get; set; }

        /// <summary>The first name that keeps its file.</summary>
        public byte[]? Kept { get; set; }

        /// <summary>The file that it keeps, where that has several names before.</summary>
        public (ulong Device, ulong Inode)? KeptKey { get; set; }
    }
}
