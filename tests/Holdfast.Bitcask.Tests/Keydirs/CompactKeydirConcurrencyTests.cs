using System.Collections.Concurrent;
using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

/// <summary>Readers, one writer and one who moves records, all at once.</summary>
public class CompactKeydirConcurrencyTests
{
    private const int StableKeys = 400;
    private const int Keys = 1_600;
    private const int Changes = 60_000;
    private const int MaxRecords = 4_000_000;

    /// Goal: a key that is always there is always found, with a record of its own; a snapshot stays as it was.
    /// Method: some keys are written and moved, but never removed; beside them others come and go in the same few
    /// partitions, so that tables grow, shrink, shift and are shared with snapshots. A record that was replaced or
    /// moved is gone at once.
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    public void AKeyThatIsNeverRemovedIsAlwaysFound(int seed, bool withFewFingerprints)
    {
        new Contest(seed, withFewFingerprints).Run();
    }

    private sealed class Contest(int seed, bool withFewFingerprints)
    {
        private readonly ReadEpochs epochs = new();
        private readonly CompactRecords records = new(MaxRecords);
        private readonly ConcurrentQueue<string> failures = new();
        private CompactKeydir keydir = null!;
        private bool isOver;

        public void Run()
        {
            keydir = new CompactKeydir(epochs);
            for (int key = 0; key < StableKeys; key++)
            {
                Set(key);
            }

            Thread[] threads =
            [
                Start(() => Read(new Random(seed + 1))), Start(() => Read(new Random(seed + 2))),
                Start(() => Move(new Random(seed + 3))),
            ];
            Guard(() => Write(new Random(seed)));
            Volatile.Write(ref isOver, true);
            Array.ForEach(threads, thread => thread.Join());

            Assert.True(failures.IsEmpty, $"seed {seed}: {string.Join("; ", failures.Take(3))}");
            long found = 0;
            for (int key = 0; key < Keys; key++)
            {
                found += keydir.TryFind(HashOf(key), CompactRecords.KeyBytes(key), records, out _) ? 1 : 0;
            }

            Assert.Equal(found, keydir.Count);
            keydir.Dispose();
            epochs.Drain();
            Assert.Equal(0, keydir.MemoryBytes);
        }

        private ulong HashOf(int key)
        {
            ulong hash = KeyHash.Of(CompactRecords.KeyBytes(key), (ulong)seed);
            return hash & (withFewFingerprints ? 0x0048_8880_0000_0000UL : ~(0x3FEUL << 54));
        }

        private Thread Start(Action work)
        {
            var thread = new Thread(() => Guard(work));
            thread.Start();
            return thread;
        }

        private void Guard(Action work)
        {
            try
            {
                work();
            }
            catch (Exception e)
            {
                // Any failure of any thread fails the test.
                failures.Enqueue(e.ToString());
                Volatile.Write(ref isOver, true);
            }
        }

        private void Set(int key)
        {
            if (keydir.Set(HashOf(key), CompactRecords.KeyBytes(key), records.Add(key), records, out Location replaced))
            {
                records.Drop(replaced);
            }
        }

        private void Write(Random random)
        {
            KeydirSnapshot? snapshot = null;
            long countAtSnapshot = 0;
            for (int i = 0; i < Changes && !Volatile.Read(ref isOver) && !records.IsNearlyFull; i++)
            {
                bool isGrowing = i / 5_000 % 2 == 0;
                int key = random.Next(Keys);
                if (key < StableKeys || random.Next(100) < (isGrowing ? 80 : 20))
                {
                    Set(key);
                }
                else if (keydir.Remove(HashOf(key), CompactRecords.KeyBytes(key), records, out Location removed))
                {
                    records.Drop(removed);
                }

                if (i % 500 == 0)
                {
                    if (snapshot != null)
                    {
                        CheckSnapshot(snapshot, countAtSnapshot);
                        snapshot.Dispose();
                    }

                    countAtSnapshot = keydir.Count;
                    snapshot = keydir.Snapshot();
                }
            }

            snapshot?.Dispose();
        }

        private void CheckSnapshot(KeydirSnapshot snapshot, long count)
        {
            var owners = new Owners(records);
            int found = 0;
            for (int key = 0; key < Keys; key++)
            {
                byte[] bytes = CompactRecords.KeyBytes(key);
                bool isThere = snapshot.TryFind(HashOf(key), bytes, owners, out Location location);
                found += isThere ? 1 : 0;
                if (!isThere && key < StableKeys)
                {
                    failures.Enqueue($"key {key} is not in a snapshot");
                }

                if (isThere && !snapshot.IsCurrent(HashOf(key), bytes, location))
                {
                    failures.Enqueue($"key {key} is not current in a snapshot");
                }
            }

            if (found != count || snapshot.Count != count)
            {
                failures.Enqueue($"{found} keys in a snapshot that says {snapshot.Count}, taken of {count}");
            }
        }

        private void Move(Random random)
        {
            while (!Volatile.Read(ref isOver) && !records.IsNearlyFull)
            {
                int key = random.Next(Keys);
                byte[] bytes = CompactRecords.KeyBytes(key);
                int token = epochs.Enter();
                bool isThere = keydir.TryFind(HashOf(key), bytes, records, out Location from);
                epochs.Exit(token);
                if (isThere && keydir.TryMove(HashOf(key), bytes, from, records.Add(key)))
                {
                    records.Drop(from);
                }
            }
        }

        private void Read(Random random)
        {
            while (!Volatile.Read(ref isOver))
            {
                int key = random.Next(4) == 0 ? random.Next(Keys) : random.Next(StableKeys);
                byte[] bytes = CompactRecords.KeyBytes(key);
                int token = epochs.Enter();
                bool isThere = keydir.TryFind(HashOf(key), bytes, records, out Location location);
                epochs.Exit(token);
                if (!isThere && key < StableKeys)
                {
                    failures.Enqueue($"key {key} was not found");
                    return;
                }

                if (isThere && records.KeyOf(location) != key)
                {
                    failures.Enqueue($"key {key} was found at a record of {records.KeyOf(location)}");
                    return;
                }

                if (isThere)
                {
                    keydir.MarkVerified(HashOf(key), bytes, location);
                }
            }
        }
    }

    /// <summary>Matches records that are gone, too: a snapshot keeps them readable.</summary>
    private sealed class Owners(CompactRecords records) : IRecordMatch
    {
        public bool Matches(Location location, ReadOnlySpan<byte> key) =>
            records.KeyOf(location) == BitConverter.ToInt32(key);
    }
}
