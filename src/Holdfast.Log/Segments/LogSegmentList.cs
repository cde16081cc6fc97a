namespace Holdfast.Log.Segments;

/// <summary>The segments of a log at one instant, found by number. Never changed: replaced.</summary>
internal sealed class LogSegmentList
{
    public static readonly LogSegmentList Empty = new([]);

    // A table by number as long as it is not mostly gaps; else a search.
    private const int MaxTableFactor = 64;

    private readonly LogSegment?[]? byNumber;
    private readonly uint first;

    private LogSegmentList(LogSegment[] items)
    {
        Items = items;
        if (items.Length == 0) return;
        first = items[0].Number;
        ulong span = (ulong)items[^1].Number - first + 1;
        if (span > (ulong)(items.Length + 1024) * MaxTableFactor) return;
        byNumber = new LogSegment?[span];
        foreach (LogSegment item in items) byNumber[item.Number - first] = item;
    }

    /// <summary>By number, lowest first.</summary>
    public LogSegment[] Items { get; }

    public LogSegment? Find(uint number)
    {
        LogSegment?[]? table = byNumber;
        if (table is null) return Search(number);
        uint index = number - first;
        return index < (uint)table.Length ? table[index] : null;
    }

    public LogSegmentList With(LogSegment segment)
    {
        LogSegment[] items = [.. Items, segment];
        Array.Sort(items, static (a, b) => a.Number.CompareTo(b.Number));
        return new LogSegmentList(items);
    }

    public LogSegmentList Without(LogSegment segment) => new([.. Items.Where(item => item != segment)]);

    private LogSegment? Search(uint number)
    {
        int low = 0;
        int high = Items.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (Items[middle].Number == number) return Items[middle];
            if (Items[middle].Number < number) low = middle + 1;
            else high = middle - 1;
        }

        return null;
    }
}
