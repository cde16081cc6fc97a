using System.Globalization;
using System.Text;
using Holdfast.Log;

namespace Holdfast.Bitcask.Tests.Stores;

/// <summary>What tests of stores have in common: keys and values as text, small segments, the whole content as one
/// text.</summary>
internal static class StoreTesting
{
    /// <summary>Segments of 4 KiB, nothing in the background, one thread.</summary>
    public static BitcaskOptions Small { get; } = new()
    {
        SegmentBytes = 4096,
        Durability = Durability.None,
        MaintainInBackground = false,
        SealAtCloseBytes = 4096,
        OpenThreads = 1,
        Merge = new MergeOptions { SmallBytes = 0, DeadRatioTrigger = 0.3, DeadRatioThreshold = 0.3 },
    };

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static void Put(this BitcaskStore store, string key, string value, Durability? durability = null) =>
        store.Put(Bytes(key), Bytes(value), null, durability);

    public static bool Delete(this BitcaskStore store, string key) => store.Delete(Bytes(key));

    public static string? Get(this BitcaskStore store, string key) =>
        store.Get(Bytes(key)) is { } value ? Encoding.UTF8.GetString(value) : null;

    /// <summary>A value that begins with a text and has some length: it tells which one it is, and takes
    /// space.</summary>
    public static string Padded(string text, int length) => text.PadRight(length, '.');

    /// <summary>All keys and values, sorted.</summary>
    public static SortedDictionary<string, string> ReadAll(BitcaskStore store)
    {
        using StoreSnapshot snapshot = store.Snapshot();
        return ReadAll(snapshot);
    }

    /// <inheritdoc cref="ReadAll(BitcaskStore)"/>
    public static SortedDictionary<string, string> ReadAll(StoreSnapshot snapshot)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using SnapshotReader reader = snapshot.OpenReader();
        while (reader.TryRead()) all.Add(Encoding.UTF8.GetString(reader.Key), Encoding.UTF8.GetString(reader.Value));
        return all;
    }

    /// <summary>All keys and values as one text, padding left out; keys are read both by a walk and singly.</summary>
    public static string Describe(BitcaskStore store)
    {
        SortedDictionary<string, string> all = ReadAll(store);
        foreach ((string key, string value) in all) Assert.Equal(value, store.Get(key));
        return Describe(all);
    }

    public static string Describe(IEnumerable<KeyValuePair<string, string>> all)
    {
        var text = new StringBuilder();
        foreach ((string key, string value) in all) text.Append(
            CultureInfo.InvariantCulture, $"{key}={value.TrimEnd('.')} ");
        return text.ToString();
    }

    /// <summary>Opens, does something, and closes.</summary>
    public static T With<T>(Host host, string directory, BitcaskOptions options, Func<BitcaskStore, T> action)
    {
        using BitcaskStore store = BitcaskStore.Open(host, directory, options);
        return action(store);
    }
}
