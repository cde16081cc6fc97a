using System.Collections.Immutable;

namespace Holdfast.Bitcask.Tests.Models;

/// <summary>What a store should hold: a dictionary, and how it came about since all was durable.</summary>
internal sealed class StoreModel
{
    private readonly List<ImmutableSortedDictionary<string, Item>> moments = [];

    public StoreModel() => moments.Add(ImmutableSortedDictionary.Create<string, Item>(StringComparer.Ordinal));

    /// <summary>All keys, those that have expired included.</summary>
    public ImmutableSortedDictionary<string, Item> Now => moments[^1];

    /// <summary>The contents since the last one that is durable for sure, oldest first.</summary>
    public IReadOnlyList<ImmutableSortedDictionary<string, Item>> Moments => moments;

    public static SortedDictionary<string, string> Visible(
        ImmutableSortedDictionary<string, Item> content, DateTimeOffset now)
    {
        var visible = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string key, Item item) in content)
        {
            if (item.IsVisible(now)) visible.Add(key, item.Value);
        }

        return visible;
    }

    public string? Find(string key, DateTimeOffset now) =>
        Now.TryGetValue(key, out Item? item) && item.IsVisible(now) ? item.Value : null;

    /// <summary>Something was changed.</summary>
    public void Change(Func<ImmutableSortedDictionary<string, Item>, ImmutableSortedDictionary<string, Item>> change) =>
        moments.Add(change(Now));

    /// <summary>All that was done is durable.</summary>
    public void Settle() => moments.RemoveRange(0, moments.Count - 1);

    /// <summary>The power was cut and this moment is what was left.</summary>
    public void GoBackTo(int moment)
    {
        moments.RemoveRange(moment + 1, moments.Count - moment - 1);
        Settle();
    }

    /// <param name="Value">The value.</param>
    /// <param name="Expires">From when on the key is absent.</param>
    public sealed record Item(string Value, DateTimeOffset? Expires = null)
    {
        public bool IsVisible(DateTimeOffset now) => Expires is not { } end || end > now;
    }
}
