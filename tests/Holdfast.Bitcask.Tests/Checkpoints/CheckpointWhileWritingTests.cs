using System.Globalization;
using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Checkpoints;

/// Goal: a checkpoint or backup that is made while others write is the store at one instant between call and return.
/// Method: each writer counts up in a key of its own, with a batch that writes two keys and deletes a third now and
/// then. What was acknowledged before the
/// call must be in the copy, what was begun after the return must not, and for each writer it must be one moment.
public sealed class CheckpointWhileWritingTests
{
    private const int Writers = 3;
    private const int Copies = 12;

    // For each copy a writer may write so many batches: it goes on during the copy, and the store stays small.
    private const long BatchesPerCopy = 2000;

    private long allowed;

    [Theory]
    [InlineData(KeydirKind.Compact, Durability.None)]
    [InlineData(KeydirKind.Ordered, Durability.Group)]
    public void EveryCopyIsTheStoreAtOneInstantOfTheCall(KeydirKind keydir, Durability durability)
    {
        using var directory = new TemporaryDirectory(inMemory: true);
        BitcaskOptions options = StoreTesting.Small with { Keydir = keydir, Durability = durability, SegmentBytes = 16 << 10 };
        using BitcaskStore store = BitcaskStore.Open($"{directory.Path}/kv", options);
        using var isOver = new CancellationTokenSource();
        long[] begun = new long[Writers];
        long[] done = new long[Writers];
        Thread[] threads = [.. Enumerable.Range(0, Writers).Select(
            writer => new Thread(() => Write(store, writer, begun, done, isOver.Token)))];
        var merger = new Thread(() =>
        {
            for (int i = 0; !isOver.IsCancellationRequested; i++) store.Merge(
                i % 2 == 0 ? MergeScope.All : MergeScope.Due, CancellationToken.None);
        });
        foreach (Thread thread in threads) thread.Start();
        merger.Start();
        try
        {
            string? previous = null;
            for (int copy = 0; copy < Copies; copy++)
            {
                string path = string.Create(CultureInfo.InvariantCulture, $"{directory.Path}/copy{copy}");
                Interlocked.Add(ref allowed, BatchesPerCopy);
                long[] least = [.. done.Select((_, writer) => Volatile.Read(ref done[writer]))];
                CheckpointReport report = Copy(store, path, copy, ref previous);
                long[] most = [.. begun.Select((_, writer) => Volatile.Read(ref begun[writer]))];
                Check(path, report, options, least, most);
            }
        }
        finally
        {
            isOver.Cancel();
            foreach (Thread thread in threads) thread.Join();
            merger.Join();
        }
    }

    private static CheckpointReport Copy(BitcaskStore store, string path, int number, ref string? previous)
    {
        switch (number % 3)
        {
            case 0: return store.Checkpoint(path, CancellationToken.None);
            case 1 when previous is not null: return store.BackupTo(path, previous, CancellationToken.None);
            default:
                previous = path;
                return store.Backup(path, CancellationToken.None);
        }
    }

    private void Write(BitcaskStore store, int writer, long[] begun, long[] done, CancellationToken isOver)
    {
        var batch = new WriteBatch();
        for (long number = 1; !isOver.IsCancellationRequested; number++)
        {
            while (number > Interlocked.Read(ref allowed) && !isOver.IsCancellationRequested) Thread.Yield();
            Volatile.Write(ref begun[writer], number);
            batch.Clear();
            byte[] value = StoreTesting.Bytes(StoreTesting.Padded(number.ToString(CultureInfo.InvariantCulture), 100));
            batch.Put(StoreTesting.Bytes($"one{writer}"), value);
            batch.Put(StoreTesting.Bytes($"two{writer}"), value);
            if (number % 2 == 0) batch.Delete(StoreTesting.Bytes($"odd{writer}"));
            else batch.Put(StoreTesting.Bytes($"odd{writer}"), value, DateTimeOffset.MaxValue);
            store.Write(batch);
            Volatile.Write(ref done[writer], number);
        }
    }

    private static void Check(string path, CheckpointReport report, BitcaskOptions options, long[] least, long[] most)
    {
        VerifyReport verified = BitcaskStore.Verify(path, all: true, CancellationToken.None);
        Assert.True(verified.IsWhole, $"{path}: {string.Join("; ", verified.Damages)}");
        Assert.False(File.Exists($"{path}/lock"));
        using BitcaskStore copy = BitcaskStore.Open(path, options);
        Assert.Equal(report.Sequence, copy.Sequence);
        Assert.Equal(report.Keys, copy.Count);
        ulong changes = 0;
        for (int writer = 0; writer < Writers; writer++)
        {
            string? one = copy.Get($"one{writer}");
            Assert.Equal(one, copy.Get($"two{writer}"));
            long number = one is null ? 0 : long.Parse(one.TrimEnd('.'), CultureInfo.InvariantCulture);
            Assert.Equal(number % 2 == 1 ? one : null, copy.Get($"odd{writer}"));
            Assert.InRange(number, least[writer], most[writer]);
            changes += 3 * (ulong)number;
        }

        // Each change has a number: so many were made by all writers together, and not one more.
        Assert.Equal(report.Sequence, changes);
    }
}
