using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Races;

/// What else may happen while segments are merged.
public sealed class MergeRaceTests
{
    private const string Directory = "/kv";

    public static TheoryData<MergePoint, KeydirKind> Points
    {
        get
        {
            var points = new TheoryData<MergePoint, KeydirKind>();
            foreach (MergePoint point in Enum.GetValues<MergePoint>())
            {
                points.Add(point, KeydirKind.Compact);
                // The ordered keydir has the keys: it reads nothing when they move.
                if (point != MergePoint.Move) points.Add(point, KeydirKind.Ordered);
            }

            return points;
        }
    }

    [Theory]
    [MemberData(nameof(Points))]
    public void ADeleteDuringAMergeIsNotUndoneByIt(MergePoint point, KeydirKind keydir) =>
        Race(point, keydir, store => store.Delete("k1"));

    [Theory]
    [MemberData(nameof(Points))]
    public void APutDuringAMergeIsNotUndoneByIt(MergePoint point, KeydirKind keydir) =>
        Race(point, keydir, store => store.Put("k1", "new"));

    [Theory]
    [MemberData(nameof(Points))]
    public void APutOfADeletedKeyDuringAMergeStays(MergePoint point, KeydirKind keydir) =>
        Race(point, keydir, store => store.Put("gone", "back"));

    [Theory]
    [MemberData(nameof(Points))]
    public void ABatchDuringAMergeStaysWhole(MergePoint point, KeydirKind keydir) =>
        Race(point, keydir, store =>
    {
        var batch = new WriteBatch();
        for (int i = 0; i < 4; i++) batch.Put(StoreTesting.Bytes($"k{i}"), StoreTesting.Bytes($"batch{i}"));
        batch.Delete(StoreTesting.Bytes("k4"));
        batch.Put(StoreTesting.Bytes("gone"), StoreTesting.Bytes("back"));
        store.Write(batch);
        Assert.True(store.Delete("gone"));
    });

    [Theory]
    [MemberData(nameof(Points))]
    public void WhatIsPutAndDeletedDuringAMergeIsGone(MergePoint point, KeydirKind keydir) =>
        Race(point, keydir, store =>
    {
        store.Put("k1", "for a moment");
        store.Delete("k1");
        store.Put("k2", "for a moment");
        store.Delete("k2");
        store.Put("k2", "stays");
    });

    /// The segment that is written is sealed for the merge; what comes then goes to the next one.
    [Theory]
    [MemberData(nameof(Points))]
    public void SegmentsThatBeginAndEndDuringAMergeStay(MergePoint point, KeydirKind keydir) =>
        Race(point, keydir, store =>
    {
        for (int i = 0; i < 8; i++) store.Put($"k{i}", StoreTesting.Padded($"large{i}", 1500));
        for (int i = 0; i < 4; i++) store.Delete($"k{i}");
    });

    [Theory]
    [InlineData(MergePoint.Copy)]
    [InlineData(MergePoint.Hint)]
    public void ACheckpointDuringAMergeIsWhole(MergePoint point)
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using BitcaskStore store = Fill(host, KeydirKind.Compact);
        string expected = StoreTesting.Describe(store);
        MergePoints.Interleave(host.Disk, point, () => store.Checkpoint("/copy"));

        store.Merge(MergeScope.All);

        host.Disk.BeforeCall = null;
        VerifyReport verified = BitcaskStore.Verify(host, "/copy", all: true, CancellationToken.None);
        Assert.True(verified.IsWhole, string.Join("; ", verified.Damages));
        Assert.Equal(expected, StoreTesting.With(host, "/copy", StoreTesting.Small, StoreTesting.Describe));
        Assert.Equal(expected, StoreTesting.Describe(store));
    }

    [Theory]
    [MemberData(nameof(Points))]
    public void ASnapshotTakenDuringAMergeStaysAsItWas(MergePoint point, KeydirKind keydir)
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using BitcaskStore store = Fill(host, keydir);
        string expected = StoreTesting.Describe(store);
        StoreSnapshot? snapshot = null;
        MergePoints.Interleave(host.Disk, point, () => snapshot = store.Snapshot());
        store.Merge(MergeScope.All);
        host.Disk.BeforeCall = null;

        foreach (string key in StoreTesting.ReadAll(store).Keys) store.Delete(key);
        store.Merge(MergeScope.All);

        Assert.Equal(expected, StoreTesting.Describe(StoreTesting.ReadAll(snapshot!)));
        Assert.Equal("", StoreTesting.Describe(store));
        snapshot!.Dispose();
    }

    [Theory]
    [InlineData(KeydirKind.Compact)]
    [InlineData(KeydirKind.Ordered)]
    public void SegmentsThatASnapshotHoldsAreMergedAgainAndAgainWithoutHarm(KeydirKind keydir)
    {
        SimulatedHost host = SimulatedHost.Create(1);
        BitcaskOptions options = StoreTesting.Small with { Keydir = keydir };
        using (BitcaskStore store = Fill(host, keydir))
        {
            using (StoreSnapshot first = store.Snapshot())
            {
                string before = StoreTesting.Describe(store);
                for (int round = 0; round < 5; round++)
                {
                    store.Put("k1", $"round {round}");
                    store.Delete($"k{round + 2}");
                    store.Merge(MergeScope.All);
                    Assert.Equal(before, StoreTesting.Describe(StoreTesting.ReadAll(first)));
                    // Neither is what was replaced back after a crash, nor is a tombstone missing that is still needed.
                    CheckAfterPowerCut(host, options, StoreTesting.Describe(store));
                }
            }

            store.Merge(MergeScope.All);
            store.Maintain();
            CheckAfterPowerCut(host, options, StoreTesting.Describe(store));
            int files = host.Disk.Paths().Count(path => path.EndsWith(".log", StringComparison.Ordinal));
            Assert.InRange(files, 1, store.GetStatistics().Segments.Count + 1);
        }
    }

    /// A merge that another process makes while a reader opens: at each of the reader's calls to the disk once.
    [Fact]
    public void AReaderThatOpensDuringAMergeOfTheOwnerMissesNothing()
    {
        for (int mergeAt = 1; ; mergeAt++)
        {
            SimulatedHost host = SimulatedHost.Create(1);
            using BitcaskStore owner = Fill(host, KeydirKind.Compact);
            owner.Sync();
            string expected = StoreTesting.Describe(owner);
            int call = 0;
            bool isMerging = false;
            host.Disk.BeforeCall = _ =>
            {
                if (isMerging || ++call != mergeAt) return;
                isMerging = true;
                owner.Merge(MergeScope.All);
                owner.Put("k0", "later");
                owner.Merge(MergeScope.All);
                isMerging = false;
            };

            using BitcaskStore reader = BitcaskStore.Open(host, Directory, StoreTesting.Small with { ReadOnly = true });

            host.Disk.BeforeCall = null;
            string later = StoreTesting.Describe(owner);
            string found = StoreTesting.Describe(reader);
            Assert.True(found == expected || found == later, $"merge at call {mergeAt}: {found}");
            Assert.Empty(reader.Damages);
            if (call < mergeAt) return;
        }
    }

    private static BitcaskStore Fill(SimulatedHost host, KeydirKind keydir)
    {
        BitcaskStore store = BitcaskStore.Open(host, Directory, StoreTesting.Small with { Keydir = keydir });
        store.Put("gone", "x");
        for (int i = 0; i < 10; i++) store.Put($"k{i}", StoreTesting.Padded($"old{i}", i * 150));
        for (int i = 0; i < 10; i += 3) store.Put($"k{i}", StoreTesting.Padded($"less old{i}", 100));
        store.Delete("gone");
        store.Delete("k9");
        return store;
    }

    private static void Race(MergePoint point, KeydirKind keydir, Action<BitcaskStore> action)
    {
        // What comes out when the two do not meet, whichever is first.
        SimulatedHost apart = SimulatedHost.Create(1);
        using BitcaskStore expected = Fill(apart, keydir);
        action(expected);

        SimulatedHost host = SimulatedHost.Create(1);
        BitcaskOptions options = StoreTesting.Small with { Keydir = keydir };
        bool wasThere = false;
        string content = StoreTesting.Describe(expected);
        List<(uint, long, long)> usage;
        using (BitcaskStore store = Fill(host, keydir))
        {
            MergePoints.Interleave(host.Disk, point, () =>
            {
                wasThere = true;
                action(store);
            });
            store.Merge(MergeScope.All);
            host.Disk.BeforeCall = null;
            Assert.True(wasThere, "the merge did not come by there");
            Assert.Equal(content, StoreTesting.Describe(store));
            usage = Usage(store);
            store.Sync();
            CheckAfterPowerCut(host, options, content);
        }

        using (BitcaskStore store = BitcaskStore.Open(host, Directory, options))
        {
            Assert.Equal(content, StoreTesting.Describe(store));
            Assert.Equal(usage, Usage(store));
            store.Merge(MergeScope.All);
            Assert.Equal(content, StoreTesting.Describe(store));
        }
    }

    private static List<(uint Segment, long Records, long Bytes)> Usage(BitcaskStore store) =>
        [.. store.GetStatistics().Segments.Where(s => s.LiveRecords > 0).Select(
            s => (s.Number, s.LiveRecords, s.LiveBytes))];

    private static void CheckAfterPowerCut(SimulatedHost host, BitcaskOptions options, string expected)
    {
        for (int outcome = 0; outcome < 6; outcome++)
        {
            SimulatedHost after = host with { Disk = host.Disk.Fork(outcome) };
            using BitcaskStore store = BitcaskStore.Open(after, Directory, options);
            Assert.Equal(expected, StoreTesting.Describe(store));
            store.Merge(MergeScope.All);
            Assert.Equal(expected, StoreTesting.Describe(store));
        }
    }
}
