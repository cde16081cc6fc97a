using Holdfast.Files;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Trees;

/// <summary>
/// How much may be read of the trees of points: twice what they say that they hold, and some more. A directory that is
/// named over and over makes a tree of any size from a few chunks; so no walk goes on for ever. May be used from any thread.
/// </summary>
internal sealed class TreeAllowance
{
    /// <summary>What a point may have beyond what it says: a mistake in counting must not keep anybody from his data.</summary>
    public const long SpareEntries = 10_000;

    public const long SpareBytes = 64 << 20;

    private readonly string thing;
    private readonly long maxEntries = SpareEntries;
    private readonly long maxBytes = SpareBytes;
    private long entries;
    private long bytes;

    public TreeAllowance(params ReadOnlySpan<RestorePoint> points)
    {
        thing = points.Length == 1 ? PointCodec.Name(points[0].Id) : $"{PointCodec.Name(points[0].Id)} and {points[^1].Id}";
        foreach (RestorePoint point in points)
        {
            maxEntries = Sum(maxEntries, Sum(Twice(point.Counts.Files), Twice(point.Counts.Directories)));
            maxBytes = Sum(maxBytes, Twice(point.Counts.Bytes));
        }
    }

    /// <summary>Counts the entries of a piece of a directory.</summary>
    /// <exception cref="DamageException">There are more than the points can have.</exception>
    public void Take(List<TreeEntry> piece)
    {
        long sizes = 0;
        foreach (TreeEntry entry in piece) sizes = Sum(sizes, SizeOf(entry));
        Take(piece.Count, sizes);
    }

    public void Take(long moreEntries, long moreBytes)
    {
        bool isWithin = TryAdd(ref entries, moreEntries, maxEntries) && TryAdd(ref bytes, moreBytes, maxBytes);
        if (!isWithin) throw new DamageException(thing, "its tree holds more than twice the entries or bytes that the point says it has");
    }

    /// <summary>What an entry counts for.</summary>
    public static long SizeOf(TreeEntry entry) => entry.Attributes.Kind == NodeKind.Regular ? entry.Attributes.Size : 0;

    /// <summary>The sum of two numbers that are not negative; the largest there is where it would be larger.</summary>
    public static long Sum(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;

    private static long Twice(long value) => Sum(value, value);

    private static bool TryAdd(ref long taken, long more, long max)
    {
        long now = Interlocked.Add(ref taken, Math.Min(more, max));
        // Below zero: several threads went past the end together.
        return now >= 0 && now <= max && more <= max;
    }
}
