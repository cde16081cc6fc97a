using System.Text;
using Holdfast.Files;
using Xunit.Sdk;

namespace Holdfast.Testing;

/// What a comparison of two trees leaves out.
public sealed record TreeCompareOptions
{
    public static TreeCompareOptions Everything { get; } = new();

    /// Sockets may be there or not.
    public bool IgnoreSockets { get; init; }

    /// The root directory's own mode, owner, times and attributes.
    public bool IgnoreRootAttributes { get; init; }

    public bool IgnoreOwners { get; init; }

    public bool IgnoreXattrs { get; init; }

    public bool IgnoreHardLinks { get; init; }

    public bool IgnoreDirectoryTimes { get; init; }

    /// Whether a file may take more space than it did.
    public bool IgnoreSparseness { get; init; }

    /// Only these entries, by the path as <see cref="TreeSnapshot.Entries"/> has it; null means all.
    public Func<string, TreeEntry, bool>? Only { get; init; }
}

/// Compares two trees in everything, and says in words where they differ.
public static class TreeCompare
{
    private const int MaxReported = 20;

    /// Fails with the first differences unless the trees are the same.
    public static void AssertEqual(TreeSnapshot expected, TreeSnapshot actual, TreeCompareOptions? options = null)
    {
        IReadOnlyList<string> differences = FindDifferences(expected, actual, options);
        if (differences.Count == 0) return;
        var message = new StringBuilder($"the trees differ in {differences.Count} ways");
        foreach (string difference in differences.Take(MaxReported)) message.Append("\n  ").Append(difference);
        if (differences.Count > MaxReported) message.Append($"\n  and {differences.Count - MaxReported} more");
        throw new XunitException(message.ToString());
    }

    /// Every difference in one line: the path, what, expected and found.
    public static IReadOnlyList<string> FindDifferences(
        TreeSnapshot expected, TreeSnapshot actual, TreeCompareOptions? options = null)
    {
        options ??= TreeCompareOptions.Everything;
        var differences = new List<string>();
        foreach (string path in expected.Entries.Keys.Union(actual.Entries.Keys).Order(StringComparer.Ordinal))
        {
            TreeEntry? left = expected.Entries.GetValueOrDefault(path);
            TreeEntry? right = actual.Entries.GetValueOrDefault(path);
            if (IsLeftOut(path, left ?? right!, options)) continue;
            if (left == null) Add(path, $"unexpected {Name(right!.Kind)}");
            else if (right == null) Add(path, $"{Name(left.Kind)} is missing");
            else Compare(left, right, options, (what, was, found) => Add(path, $"{what} {was}, found {found}"));
        }

        return differences;

        void Add(string path, string what) => differences.Add($"{(path.Length == 0 ? "(root)" : path)}: {what}");
    }

    private static void Compare(
        TreeEntry left, TreeEntry right, TreeCompareOptions options, Action<string, string, string> report)
    {
        if (left.Kind != right.Kind)
        {
            report("kind", Name(left.Kind), Name(right.Kind));
            return;
        }

        if (left.Size != right.Size) report("size", $"{left.Size}", $"{right.Size}");
        if (left.Content != right.Content) report("content", left.Content, right.Content);
        if (!left.Target.AsSpan().SequenceEqual(right.Target))
        {
            report("target", BytePath.Display(left.Target), BytePath.Display(right.Target));
        }

        if (left.Device != right.Device) report("device", left.Device, right.Device);
        if (!options.IgnoreSparseness) CompareSpace(left, right, report);
        if (!options.IgnoreHardLinks && !left.HardLinks.SequenceEqual(right.HardLinks))
        {
            report("hard links", Show(left.HardLinks), Show(right.HardLinks));
        }

        if (!(options.IgnoreRootAttributes && left.Path.Length == 0)) CompareAttributes(left, right, options, report);
    }

    private static void CompareAttributes(
        TreeEntry left, TreeEntry right, TreeCompareOptions options, Action<string, string, string> report)
    {
        if (left.Mode != right.Mode) report("mode", Octal(left.Mode), Octal(right.Mode));
        if (!options.IgnoreOwners && (left.Uid, left.Gid) != (right.Uid, right.Gid))
        {
            report("owner", $"{left.Uid}:{left.Gid}", $"{right.Uid}:{right.Gid}");
        }

        bool timeCounts = !(options.IgnoreDirectoryTimes && left.Kind == NodeKind.Directory);
        if (timeCounts && left.ModificationTime != right.ModificationTime)
        {
            report("modification time", Show(left.ModificationTime), Show(right.ModificationTime));
        }

        if (options.IgnoreXattrs) return;
        foreach (string name in left.Xattrs.Keys.Union(right.Xattrs.Keys).Order(StringComparer.Ordinal))
        {
            string was = left.Xattrs.GetValueOrDefault(name, "absent");
            string found = right.Xattrs.GetValueOrDefault(name, "absent");
            if (was != found) report($"attribute {name}", $"[{was}]", $"[{found}]");
        }
    }

    // No less sparse, up to rounding: one block of data; and in what is allocated two blocks or 1 %, which the file
    // system may need for the list of extents and for extended attributes.
    private static void CompareSpace(TreeEntry left, TreeEntry right, Action<string, string, string> report)
    {
        if (right.DataBytes > left.DataBytes + right.BlockBytes)
        {
            report("data outside holes", $"{left.DataBytes} bytes", $"{right.DataBytes}");
        }
        else if (right.AllocatedBytes > left.AllocatedBytes + Math.Max(2 * right.BlockBytes, left.AllocatedBytes / 100))
        {
            report("allocated space", $"{left.AllocatedBytes} bytes", $"{right.AllocatedBytes}");
        }
    }

    private static bool IsLeftOut(string path, TreeEntry entry, TreeCompareOptions options) =>
        (options.IgnoreSockets && entry.Kind == NodeKind.Socket)
        || (options.Only != null && !options.Only(path, entry));

    private static string Show(IReadOnlyList<string> links) => links.Count == 0 ? "none" : string.Join(" = ", links);

    private static string Show(UnixTime time) => $"{time.Seconds}.{time.Nanoseconds:D9}";

    private static string Octal(uint mode) => "0" + Convert.ToString(mode, 8);

    private static string Name(NodeKind kind) => kind switch
    {
        NodeKind.Regular => "file",
        NodeKind.CharacterDevice => "character device",
        NodeKind.BlockDevice => "block device",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
