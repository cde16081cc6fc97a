namespace Holdfast.Log.Segments;

/// <summary>The segments of a log at one instant, found by number in one step. Never changed: replaced.</summary>
internal sealed class LogSegmentList
{
    public static readonly LogSegmentList Empty = new([]);

    private readonly LogSegment?[] byNumber = [];
    private readonly uint first;

    private LogSegmentList(LogSegment[] items)
    {
        Items = items;
        if (items.Length == 0) return;
        first = items[0].Number;
        byNumber = new LogSegment?[items[^1].Number - first + 1];
        foreach (LogSegment item in items) byNumber[item.Number - first] = item;
    }

    /// <summary>By number, lowest first.</summary>
    public LogSegment[] Items { get; }

    public LogSegment? Find(uint number)
    {
        uint index = number - first;
        return index < (uint)byNumber.Length ? byNumber[index] : null;
    }

    public LogSegmentList With(LogSegment segment)
    {
        LogSegment[] items = [.. Items, segment];
        Array.Sort(items, static (a, b) => a.Number.CompareTo(b.Number));
        return new LogSegmentList(items);
    }

    public LogSegmentList Without(LogSegment segment) => new([.. Items.Where(item => item != segment)]);
}
