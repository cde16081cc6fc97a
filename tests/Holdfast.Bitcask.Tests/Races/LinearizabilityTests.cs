using System.Globalization;
using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Races;

/// Goal: each key behaves as one register, however many threads use it while segments are merged and checkpoints made.
/// Method: threads put, delete and get few keys, each value once only, and note the moments of call and return.
/// Afterwards, for each key, an
/// order of all operations is searched that fits the moments and what was read.
public sealed class LinearizabilityTests
{
    private const int Keys = 3;
    private const int Threads = 4;
    private const int Rounds = 60;
    private const int OperationsPerRound = 6;

    [Theory]
    [InlineData(1, KeydirKind.Compact)]
    [InlineData(2, KeydirKind.Compact)]
    [InlineData(3, KeydirKind.Ordered)]
    public void EachKeyIsARegisterWhileSegmentsAreMerged(int seed, KeydirKind keydir)
    {
        using var directory = new TemporaryDirectory(inMemory: true);
        using BitcaskStore store = BitcaskStore.Open(
            $"{directory.Path}/kv",
            StoreTesting.Small with { Keydir = keydir, Merge = new MergeOptions { SmallBytes = 0, DeadBytesThreshold = 1 } });
        using var isOver = new CancellationTokenSource();
        var disturber = new Thread(() => Disturb(store, directory.Path, isOver.Token));
        disturber.Start();
        string?[] before = new string?[Keys];
        for (int round = 0; round < Rounds; round++)
        {
            List<RegisterCall> history = RunRound(store, seed, round);
            for (int key = 0; key < Keys; key++)
            {
                List<RegisterCall> ofKey = [.. history.Where(call => call.Key == key)];
                Assert.True(
                    RegisterHistory.IsLinearizable(ofKey, before[key]),
                    $"seed {seed}, round {round}, key {key}, before '{before[key]}': {string.Join("; ", ofKey.OrderBy(call => call.Begin))}");
                before[key] = store.Get(NameOf(key));
            }
        }

        isOver.Cancel();
        disturber.Join();
    }

    [Fact]
    public void AHistoryThatNoRegisterHasIsFound()
    {
        RegisterCall put = new(0, RegisterCallKind.Put, "a", 1, 2);
        RegisterCall other = new(0, RegisterCallKind.Put, "b", 3, 4);

        Assert.True(RegisterHistory.IsLinearizable([put, other, new(0, RegisterCallKind.Get, "b", 5, 6)], null));
        Assert.False(RegisterHistory.IsLinearizable([put, other, new(0, RegisterCallKind.Get, "a", 5, 6)], null));
        Assert.True(RegisterHistory.IsLinearizable([put, other with { Begin = 1 }, new(0, RegisterCallKind.Get, "a", 5, 6)], null));
        Assert.False(RegisterHistory.IsLinearizable([put, new(0, RegisterCallKind.Delete, "false", 5, 6)], null));
        Assert.False(RegisterHistory.IsLinearizable([new(0, RegisterCallKind.Get, null, 5, 6)], "before"));
    }

    private static string NameOf(int key) => string.Create(CultureInfo.InvariantCulture, $"key{key}");

    private static void Disturb(BitcaskStore store, string path, CancellationToken isOver)
    {
        for (int i = 0; !isOver.IsCancellationRequested; i++)
        {
            store.Merge(i % 3 == 0 ? MergeScope.Due : MergeScope.All, CancellationToken.None);
            if (i % 8 == 0) store.Checkpoint(
                string.Create(CultureInfo.InvariantCulture, $"{path}/copy{i}"), CancellationToken.None);
        }
    }

    // Rounds are short, and apart from each other, so that the search for an order is short too.
    private static List<RegisterCall> RunRound(BitcaskStore store, int seed, int round)
    {
        long clock = 0;
        var history = new List<RegisterCall>[Threads];
        using var start = new Barrier(Threads);
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            var random = new Random((((seed * 1000) + round) * 100) + number);
            history[number] = [];
            start.SignalAndWait(CancellationToken.None);
            for (int i = 0; i < OperationsPerRound; i++)
            {
                int key = random.Next(Keys);
                string value = string.Create(CultureInfo.InvariantCulture, $"{round}.{number}.{i}");
                int choice = random.Next(10);
                long begin = Interlocked.Increment(ref clock);
                (RegisterCallKind kind, string? what) = Do(store, NameOf(key), choice, value);
                history[number].Add(new RegisterCall(key, kind, what, begin, Interlocked.Increment(ref clock)));
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        return [.. history.SelectMany(calls => calls)];
    }

    private static (RegisterCallKind Kind, string? What) Do(BitcaskStore store, string key, int choice, string value)
    {
        switch (choice)
        {
            case < 4:
                store.Put(key, StoreTesting.Padded(value, 300), choice == 0 ? Durability.Group : Durability.None);
                return (RegisterCallKind.Put, StoreTesting.Padded(value, 300));
            case < 6:
                return (RegisterCallKind.Delete, store.Delete(key) ? "true" : "false");
            default:
                return (RegisterCallKind.Get, store.Get(key));
        }
    }
}
