using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

/// <summary>Random programs against a dictionary.</summary>
public class CompactKeydirModelTests
{
    /// <summary>How keys are spread: the fewer hashes there are, the more keys have the same.</summary>
    public enum Spread
    {
        /// <summary>As real keys are, over 3 partitions.</summary>
        Even,

        /// <summary>Over 8 fingerprints.</summary>
        Few,

        /// <summary>Over the 3 last fingerprints: all at the end of the table.</summary>
        Last,
    }

    public static TheoryData<int, Spread> Programs
    {
        get
        {
            var programs = new TheoryData<int, Spread>();
            for (int seed = 1; seed <= 8; seed++)
            {
                programs.Add(seed, Spread.Even);
                programs.Add(seed, Spread.Few);
                programs.Add(seed, Spread.Last);
            }

            return programs;
        }
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void RandomChangesAreThoseOfADictionary(int seed, Spread spread)
    {
        try
        {
            new Program(seed, spread).Run();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Assert.Fail($"seed {seed}, {spread}: {e}");
        }
    }

    private sealed class Program(int seed, Spread spread)
    {
        private const int Steps = 12_000;

        private readonly Random random = new(seed);
        private readonly ReadEpochs epochs = new();
        private readonly CompactRecords records = new(200 * Steps);
        private readonly Dictionary<int, Location> model = [];
        private readonly List<(KeydirSnapshot Snapshot, Dictionary<int, Location> Model)> snapshots = [];
        private readonly int keyCount = spread == Spread.Even ? 1_000 : 120;

        public void Run()
        {
            var keydir = new CompactKeydir(epochs);
            for (int step = 0; step < Steps; step++)
            {
                // Now more is added, now more is removed, so that tables grow and shrink.
                bool isGrowing = step / 2_000 % 2 == 0;
                Step(keydir, random.Next(100), random.Next(100) < (isGrowing ? 75 : 25));
                Assert.Equal(model.Count, keydir.Count);
            }

            Check(keydir);
            snapshots.ForEach(Check);
            snapshots.ForEach(taken => taken.Snapshot.Dispose());
            keydir.Dispose();
            epochs.Drain();
            Assert.Equal(0, keydir.MemoryBytes);
        }

        private static void AssertSame(bool expected, Location expectedLocation, bool actual, Location location)
        {
            Assert.Equal(expected, actual);
            Assert.True(!expected || location.IsSameAs(expectedLocation));
        }

        private ulong HashOf(int key) => spread switch
        {
            Spread.Even => KeyHash.Of(CompactRecords.KeyBytes(key), (ulong)seed) & ~(0x3FCUL << 54),
            Spread.Few => CompactRecords.Hash(key % 2, (uint)(key % 8) * 0x1234_5678),
            _ => CompactRecords.Hash(1, uint.MaxValue - (uint)(key % 3)),
        };

        private void Step(CompactKeydir keydir, int what, bool isAdding)
        {
            int key = random.Next(keyCount);
            byte[] bytes = CompactRecords.KeyBytes(key);
            ulong hash = HashOf(key);
            bool isThere = model.TryGetValue(key, out Location current);
            Location next = records.Add(key);
            switch (what)
            {
                case < 50 when isAdding:
                    bool isReplaced = keydir.Set(hash, bytes, next, records, out Location replaced);
                    AssertSame(isThere, current, isReplaced, replaced);
                    model[key] = next;
                    break;
                case < 50:
                    AssertSame(isThere, current, keydir.Remove(hash, bytes, records, out Location removed), removed);
                    model.Remove(key);
                    break;
                case < 60:
                    Assert.Equal(isThere, keydir.TryMove(hash, bytes, current, next));
                    if (isThere)
                    {
                        model[key] = next;
                    }

                    break;
                case < 63:
                    Assert.Equal(isThere, keydir.TryRemove(hash, bytes, current));
                    model.Remove(key);
                    break;
                case < 65:
                    Assert.False(keydir.TryMove(hash, bytes, next, next));
                    Assert.False(keydir.TryRemove(hash, bytes, next));
                    break;
                case < 70:
                    keydir.MarkVerified(hash, bytes, isThere ? current : next);
                    break;
                case 70:
                    StepSnapshot(keydir);
                    break;
                default:
                    AssertSame(isThere, current, keydir.TryFind(hash, bytes, records, out Location found), found);
                    break;
            }
        }

        private void StepSnapshot(CompactKeydir keydir)
        {
            if (snapshots.Count < 3)
            {
                snapshots.Add((keydir.Snapshot(), new Dictionary<int, Location>(model)));
                return;
            }

            int index = random.Next(snapshots.Count);
            Check(snapshots[index]);
            snapshots[index].Snapshot.Dispose();
            snapshots.RemoveAt(index);
        }

        private void Check(CompactKeydir keydir)
        {
            for (int key = 0; key < keyCount; key++)
            {
                bool isThere = model.TryGetValue(key, out Location current);
                bool isFound = keydir.TryFind(HashOf(key), CompactRecords.KeyBytes(key), records, out Location found);
                AssertSame(isThere, current, isFound, found);
            }
        }

        private void Check((KeydirSnapshot Snapshot, Dictionary<int, Location> Model) taken)
        {
            Assert.Equal(taken.Model.Count, taken.Snapshot.Count);
            for (int key = 0; key < keyCount; key++)
            {
                byte[] bytes = CompactRecords.KeyBytes(key);
                bool isThere = taken.Model.TryGetValue(key, out Location current);
                bool isFound = taken.Snapshot.TryFind(HashOf(key), bytes, records, out Location found);
                AssertSame(isThere, current, isFound, found);
                Assert.Equal(isThere, taken.Snapshot.IsCurrent(HashOf(key), bytes, current));
                Assert.False(taken.Snapshot.IsCurrent(HashOf(key), bytes, records.Add(-1)));
            }
        }
    }
}
