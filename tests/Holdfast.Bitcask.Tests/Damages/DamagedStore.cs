using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Damages;

/// <summary>A store of several segments, some of whose bytes are changed behind its back.</summary>
internal sealed class DamagedStore
{
    public const string Directory = "/kv";

    private DamagedStore(SimulatedHost host, SortedDictionary<string, string> written)
    {
        Host = host;
        Written = written;
    }

    public SimulatedHost Host { get; }

    /// <summary>What was in it before.</summary>
    public SortedDictionary<string, string> Written { get; }

    /// <summary>Every value that a key ever had.</summary>
    public Dictionary<string, HashSet<string>> Ever { get; } = new(StringComparer.Ordinal);

    /// <summary>The files of sealed segments, or of hints, by name.</summary>
    public IReadOnlyList<string> Files(string extension) =>
        [.. Host.Disk.Paths().Where(path => path.StartsWith($"{Directory}/", StringComparison.Ordinal)
            && path.EndsWith(extension, StringComparison.Ordinal))];

    /// <summary>Makes one. Same content each time.</summary>
    public static DamagedStore Create()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        var made = new DamagedStore(host, new SortedDictionary<string, string>(StringComparer.Ordinal));
        // Nothing is dead enough to be merged before it is damaged.
        BitcaskOptions options = StoreTesting.Small with
        {
            SealAtCloseBytes = 64,
            Merge = new MergeOptions { DeadRatioTrigger = 2 },
        };
        using BitcaskStore store = BitcaskStore.Open(host, Directory, options);
        for (int i = 0; i < 60; i++)
        {
            string key = $"k{i % 45:d2}";
            string value = StoreTesting.Padded($"{i}", i * 37 % 500);
            store.Put(key, value);
            made.Written[key] = value;
            if (!made.Ever.TryGetValue(key, out HashSet<string>? values)) made.Ever.Add(key, values = []);
            values.Add(value);
            if (i % 9 != 8) continue;
            store.Delete($"k{i / 9:d2}");
            made.Written.Remove($"k{i / 9:d2}");
        }

        store.Sync();
        store.Maintain();
        return made;
    }

    public byte[] Read(string path)
    {
        using IDiskFile file = Host.Disk.TryOpen(path, DiskAccess.Read)!;
        byte[] bytes = new byte[file.Length];
        _ = file.Read(0, bytes);
        return bytes;
    }

    /// <summary>Gives a file other content; null = none, it is removed.</summary>
    public void Write(string path, byte[]? content)
    {
        Host.Disk.TryDelete(path);
        if (content is null) return;
        using IDiskFile file = Host.Disk.CreateUnnamed(Directory);
        file.Write(0, content);
        file.Sync();
        Assert.True(Host.Disk.TryPublish(file, path));
    }
}
