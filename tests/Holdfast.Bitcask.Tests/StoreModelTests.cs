using System.Text;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests;

public sealed class StoreModelTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void AnyProgramDoesWhatADictionaryDoes(int seed)
    {
        var random = new Random(seed);
        SimulatedHost host = SimulatedHost.Create(seed);
        var model = new Dictionary<string, string>(StringComparer.Ordinal);
        var options = new BitcaskOptions
        {
            SegmentBytes = 4096, Durability = Durability.None, MaintainInBackground = false, SealAtCloseBytes = 2048,
            OpenThreads = 1,
        };
        for (int round = 0; round < 5; round++)
        {
            using BitcaskStore store = BitcaskStore.Open(host, "/kv", options);
            Check(store, model, $"seed {seed}, round {round}, opened");
            for (int step = 0; step < 300; step++)
            {
                string key = $"key{random.Next(60)}";
                switch (random.Next(20))
                {
                    case < 10:
                        string value = new((char)('a' + random.Next(26)), random.Next(random.Next(2) == 0 ? 20 : 600));
                        store.Put(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value));
                        model[key] = value;
                        break;
                    case < 15:
                        Assert.Equal(model.Remove(key), store.Delete(Encoding.UTF8.GetBytes(key)));
                        break;
                    case 15:
                        var batch = new WriteBatch();
                        for (int i = random.Next(8); i >= 0; i--)
                        {
                            string name = $"key{random.Next(60)}";
                            if (random.Next(3) == 0)
                            {
                                batch.Delete(Encoding.UTF8.GetBytes(name));
                                model.Remove(name);
                            }
                            else
                            {
                                batch.Put(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes($"b{step}-{i}"));
                                model[name] = $"b{step}-{i}";
                            }
                        }

                        store.Write(batch);
                        break;
                    case 16:
                        store.Maintain();
                        break;
                    case 17 when random.Next(8) == 0:
                        store.Merge(MergeScope.All);
                        break;
                    case 18 when random.Next(4) == 0:
                        Check(store, model, $"seed {seed}, round {round}, step {step}");
                        break;
                    default:
                        string? expected = model.GetValueOrDefault(key);
                        byte[]? found = store.Get(Encoding.UTF8.GetBytes(key));
                        Assert.Equal(expected, found is null ? null : Encoding.UTF8.GetString(found));
                        break;
                }
            }

            Check(store, model, $"seed {seed}, round {round}, before closing");
        }
    }

    private static void Check(BitcaskStore store, Dictionary<string, string> model, string where)
    {
        Assert.Empty(store.Damages);
        Assert.True(store.Count == model.Count, $"{where}: {store.Count} keys, expected {model.Count}");
        using StoreSnapshot snapshot = store.Snapshot();
        using SnapshotReader reader = snapshot.OpenReader();
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.TryRead()) found.Add(Encoding.UTF8.GetString(reader.Key), Encoding.UTF8.GetString(reader.Value));
        foreach ((string key, string value) in model)
        {
            Assert.True(found.GetValueOrDefault(key) == value, $"{where}: {key}");
            Assert.Equal(value, Encoding.UTF8.GetString(store.Get(Encoding.UTF8.GetBytes(key))!));
        }

        Assert.Equal(model.Count, found.Count);
        StoreStatistics statistics = store.GetStatistics();
        Assert.All(statistics.Segments, segment => Assert.True(segment.LiveBytes >= 0 && segment.DeadBytes >= 0, $"{where}: {segment}"));
        Assert.Equal(model.Count, statistics.Segments.Sum(segment => segment.LiveRecords));
    }
}
