using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Models;

/// <summary>Runs a program on a store and on its model, and compares.</summary>
internal sealed class StoreRun : IDisposable
{
    private const string Directory = "/kv";

    private readonly BitcaskOptions options;
    private readonly StoreModel model = new();
    private readonly List<(StoreSnapshot Snapshot, ImmutableSortedDictionary<string, StoreModel.Item> Content)>
        snapshots = [];
    private SimulatedHost host;
    private BitcaskStore store;
    private string? lastBackup;
    private int stepNumber;

    private StoreRun(int seed, KeydirKind keydir)
    {
        host = SimulatedHost.Create(seed);
        options = StoreTesting.Small with { Keydir = keydir, SealAtCloseBytes = 2048, MinImageKeys = 1 };
        store = BitcaskStore.Open(host, Directory, options);
    }

    private DateTimeOffset Now => host.Clock.GetUtcNow();

    /// <summary>What a program fails with; null when it does not.</summary>
    public static string? FailureOf(int seed, KeydirKind keydir, IReadOnlyList<StoreStep> steps)
    {
        using var run = new StoreRun(seed, keydir);
        StoreStep last = default;
        try
        {
            foreach (StoreStep step in steps)
            {
                last = step;
                run.stepNumber++;
                run.Do(step);
            }

            last = new StoreStep(StoreStepKind.Check, 0, 0);
            run.Do(last);
            run.Reopen();
            run.Do(last);
            return null;
        }
        catch (Exception failure)
        {
            // Whatever it is, it is to be shown with the program that led to it.
            return string.Create(CultureInfo.InvariantCulture, $"step {run.stepNumber}, {last}: {failure}");
        }
    }

    public void Dispose()
    {
        foreach ((StoreSnapshot snapshot, _) in snapshots) snapshot.Dispose();
        store.Dispose();
    }

    private static string NameOf(int key) =>
        string.Create(CultureInfo.InvariantCulture, $"key{key % StoreStep.Keys:d2}");

    private string ValueOf(StoreStep step, int index = 0) =>
        StoreTesting.Padded(string.Create(CultureInfo.InvariantCulture, $"{stepNumber}.{index}"), step.Size);

    private void Do(StoreStep step)
    {
        string key = NameOf(step.Key);
        switch (step.Kind)
        {
            case StoreStepKind.Put:
                store.Put(key, ValueOf(step));
                model.Change(content => content.SetItem(key, new StoreModel.Item(ValueOf(step))));
                break;
            case StoreStepKind.PutExpiring:
                DateTimeOffset end = Now.AddSeconds(step.Size % 60);
                store.Put(StoreTesting.Bytes(key), StoreTesting.Bytes(ValueOf(step)), end);
                model.Change(content => content.SetItem(key, new StoreModel.Item(ValueOf(step), end)));
                break;
            case StoreStepKind.Delete:
                Assert.Equal(model.Find(key, Now) is not null, store.Exists(StoreTesting.Bytes(key)));
                Assert.Equal(model.Find(key, Now) is not null, store.Delete(key));
                model.Change(content => content.Remove(key));
                break;
            case StoreStepKind.Batch: Write(step); break;
            case StoreStepKind.Transaction: Transact(step); break;
            case StoreStepKind.Get:
                Assert.Equal(model.Find(key, Now), store.Get(key));
                using (ValueLease? lease = store.Lease(StoreTesting.Bytes(key)))
                {
                    Assert.Equal(model.Find(key, Now), lease is null ? null : Encoding.UTF8.GetString(lease.Value));
                }

                break;
            case StoreStepKind.MergeDue: Assert.Empty(store.Merge().Damages); break;
            case StoreStepKind.MergeAll: Assert.Empty(store.Merge(MergeScope.All).Damages); break;
            case StoreStepKind.Maintain: store.Maintain(); break;
            case StoreStepKind.TakeSnapshot: snapshots.Add((store.Snapshot(), model.Now)); break;
            case StoreStepKind.DropSnapshot: DropSnapshot(step.Key); break;
            case StoreStepKind.Range: Range(step); break;
            case StoreStepKind.Advance: host.Clock.Advance(TimeSpan.FromSeconds(step.Size % 30)); break;
            case StoreStepKind.Sync:
                store.Sync();
                model.Settle();
                break;
            case StoreStepKind.Checkpoint: Copy(path => store.Checkpoint(path)); break;
            case StoreStepKind.Backup: Backup(); break;
            case StoreStepKind.Reopen: Reopen(); break;
            case StoreStepKind.Kill: Kill(step); break;
            case StoreStepKind.Check: Check(); break;
            default: throw new InvalidOperationException(step.ToString());
        }
    }

    private void Write(StoreStep step)
    {
        var batch = new WriteBatch();
        ImmutableSortedDictionary<string, StoreModel.Item> after = model.Now;
        for (int i = 0; i <= step.Key % 6; i++)
        {
            string key = NameOf(step.Key + (i * i));
            if ((step.Size + i) % 3 == 0)
            {
                batch.Delete(StoreTesting.Bytes(key));
                after = after.Remove(key);
            }
            else
            {
                string value = ValueOf(step with { Size = step.Size / 4 }, i);
                batch.Put(StoreTesting.Bytes(key), StoreTesting.Bytes(value));
                after = after.SetItem(key, new StoreModel.Item(value));
            }
        }

        store.Write(batch);
        model.Change(_ => after);
    }

    private void Transact(StoreStep step)
    {
        string key = NameOf(step.Key);
        string other = NameOf(step.Key + 1);
        Transaction transaction = store.BeginTransaction();
        byte[]? read = transaction.Get(StoreTesting.Bytes(key));
        Assert.Equal(model.Find(key, Now), read is null ? null : Encoding.UTF8.GetString(read));
        transaction.Put(StoreTesting.Bytes(other), StoreTesting.Bytes(ValueOf(step)));
        bool isDisturbed = step.Size % 2 == 0;
        if (isDisturbed) Do(new StoreStep(StoreStepKind.Put, step.Key, 3));
        Assert.Equal(!isDisturbed, transaction.TryCommit());
        if (!isDisturbed) model.Change(content => content.SetItem(other, new StoreModel.Item(ValueOf(step))));
    }

    private void DropSnapshot(int index)
    {
        if (snapshots.Count == 0) return;
        (StoreSnapshot snapshot, var content) = snapshots[index % snapshots.Count];
        CheckSnapshot(snapshot, content);
        snapshot.Dispose();
        snapshots.RemoveAt(index % snapshots.Count);
    }

    private void CheckSnapshot(StoreSnapshot snapshot, ImmutableSortedDictionary<string, StoreModel.Item> content)
    {
        SortedDictionary<string, string> expected = StoreModel.Visible(content, Now);
        Assert.Equal(expected, StoreTesting.ReadAll(snapshot));
        foreach (string key in content.Keys.Append("never"))
        {
            byte[]? value = snapshot.Get(StoreTesting.Bytes(key));
            Assert.Equal(expected.GetValueOrDefault(key), value is null ? null : Encoding.UTF8.GetString(value));
        }
    }

    private void Range(StoreStep step)
    {
        string from = NameOf(step.Key);
        string before = NameOf((step.Key * 7) + step.Size);
        var range = new KeyRange
        {
            From = step.Size % 5 == 0 ? null : StoreTesting.Bytes(from),
            Before = step.Size % 7 == 0 ? null : StoreTesting.Bytes(before),
            IsBackward = step.Size % 2 == 0,
        };
        using StoreSnapshot snapshot = store.Snapshot();
        if (options.Keydir == KeydirKind.Compact)
        {
            Assert.Throws<NotSupportedException>(() => snapshot.OpenReader(range));
            return;
        }

        IEnumerable<KeyValuePair<string, string>> expected = StoreModel.Visible(model.Now, Now)
            .Where(pair => range.From is null || string.CompareOrdinal(pair.Key, from) >= 0)
            .Where(pair => range.Before is null || string.CompareOrdinal(pair.Key, before) < 0);
        if (range.IsBackward) expected = expected.Reverse();
        var found = new List<KeyValuePair<string, string>>();
        using SnapshotReader reader = snapshot.OpenReader(range);
        while (reader.TryRead()) found.Add(
            new(Encoding.UTF8.GetString(reader.Key), Encoding.UTF8.GetString(reader.Value)));
        Assert.Equal(expected, found);
    }

    private void Copy(Func<string, CheckpointReport> copy)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"/copy{stepNumber}");
        CheckpointReport report = copy(path);
        model.Settle();
        Assert.Equal(store.Sequence, report.Sequence);
        VerifyReport verified = BitcaskStore.Verify(host, path, all: true, CancellationToken.None);
        Assert.True(verified.IsWhole, string.Join("; ", verified.Damages));
        Assert.Equal(report.Segments, verified.Segments);
        if (report.Segments == 0) return;
        Assert.Equal(
            StoreModel.Visible(model.Now, Now),
            StoreTesting.With(host, path, options with { ReadOnly = true }, StoreTesting.ReadAll));
    }

    private void Backup()
    {
        string? previous = lastBackup;
        Copy(path =>
        {
            lastBackup = path;
            return previous is null ? store.Backup(path) : store.BackupTo(path, previous);
        });
    }

    private void DropAllSnapshots()
    {
        while (snapshots.Count > 0) DropSnapshot(0);
    }

    private void Reopen()
    {
        DropAllSnapshots();
        ulong sequence = store.Sequence;
        var usage = Usage();
        store.Dispose();
        model.Settle();
        store = BitcaskStore.Open(host, Directory, options);
        Assert.Equal(sequence, store.Sequence);
        Assert.Null(store.TornTail);
        Assert.Empty(store.Damages);
        // What was counted change by change is what is found by reading everything.
        Assert.Equal(usage, Usage());
    }

    private List<(uint Segment, long Records, long Bytes)> Usage() =>
    [
        .. store.GetStatistics().Segments
            .Where(segment => segment.LiveRecords > 0)
            .Select(segment => (segment.Number, segment.LiveRecords, segment.LiveBytes)),
    ];

    private void Kill(StoreStep step)
    {
        SimulatedDisk left = host.Disk.Fork(step.Size);
        foreach ((StoreSnapshot snapshot, _) in snapshots) snapshot.Dispose();
        snapshots.Clear();
        store.Dispose();
        host = host with { Disk = left };
        store = BitcaskStore.Open(host, Directory, options);
        Assert.Empty(store.Damages);
        SortedDictionary<string, string> found = StoreTesting.ReadAll(store);
        for (int i = model.Moments.Count - 1; i >= 0; i--)
        {
            if (!StoreModel.Visible(model.Moments[i], Now).SequenceEqual(found)) continue;
            // A key that has expired and one that was deleted look the same, but for the count.
            if (store.Count > model.Moments[i].Count) continue;
            model.GoBackTo(i);
            return;
        }

        Assert.Fail($"after a power cut: {StoreTesting.Describe(found)} was never there since "
            + $"{StoreTesting.Describe(StoreModel.Visible(model.Moments[0], Now))}");
    }

    private void Check()
    {
        Assert.Empty(store.Damages);
        SortedDictionary<string, string> expected = StoreModel.Visible(model.Now, Now);
        Assert.Equal(expected, StoreTesting.ReadAll(store));
        for (int key = 0; key < StoreStep.Keys; key++) Assert.Equal(
            model.Find(NameOf(key), Now), store.Get(NameOf(key)));
        Assert.InRange(store.Count, expected.Count, model.Now.Count);
        foreach ((StoreSnapshot snapshot, var content) in snapshots) CheckSnapshot(snapshot, content);
        StoreStatistics statistics = store.GetStatistics();
        Assert.Equal(store.Count, statistics.Segments.Sum(segment => segment.LiveRecords));
        Assert.All(
            statistics.Segments,
            segment => Assert.InRange(
                segment.LiveBytes + segment.DeadBytes + segment.TombstoneBytes, 0, segment.Bytes));
    }
}
