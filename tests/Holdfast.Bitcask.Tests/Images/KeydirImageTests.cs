using System.Globalization;
using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Images;

/// Goal: a store that is opened from the image of its keydir is the store that is opened from its hints, whatever came
/// after the image; an image that is damaged, or of other segments, changes nothing.
public sealed class KeydirImageTests
{
    private const string Directory = "/kv";
    private const string Image = "/kv/keydir";

    private static readonly BitcaskOptions Options = StoreTesting.Small with { MinImageKeys = 1 };

    [Fact]
    public void AClosedStoreIsOpenedFromItsImage()
    {
        SimulatedHost host = Filled();
        using BitcaskStore store = BitcaskStore.Open(host, Directory, Options);
        Assert.True(store.IsFromImage);
        Assert.Equal("v1", store.Get("k1"));
        Assert.Null(store.Get("k0"));
        Assert.Equal(99, store.Count);
    }

    [Fact]
    public void WhatCameAfterTheImageIsEnteredIntoIt()
    {
        SimulatedHost host = Filled();
        Change(host, Options);
        using (BitcaskStore store = BitcaskStore.Open(host, Directory, Options))
        {
            Assert.True(store.IsFromImage);
            Assert.Equal("new", store.Get("k1"));
            Assert.Null(store.Get("k2"));
            Assert.Equal("another", store.Get("fresh"));
        }

        AssertSameAsFromHints(host);
    }

    /// The image is neither made anew for little, nor kept when much is missing.
    [Fact]
    public void AnImageIsWrittenWhenAnEighthOfTheKeysIsNotInIt()
    {
        SimulatedHost host = Filled();
        byte[] first = Read(host);
        Change(host, Options);
        Assert.Equal(first, Read(host));
        using (BitcaskStore store = BitcaskStore.Open(host, Directory, Options))
        {
            for (int i = 0; i < 20; i++) store.Put($"more{i}", "value");
        }

        Assert.NotEqual(first, Read(host));
        using BitcaskStore opened = BitcaskStore.Open(host, Directory, Options);
        Assert.True(opened.IsFromImage);
        Assert.Equal("value", opened.Get("more7"));
    }

    [Fact]
    public void MoreChangesThanCanBeReadOneByOneAreTakenFromTheHints()
    {
        SimulatedHost host = Filled();
        BitcaskOptions without = Options with { MinImageKeys = long.MaxValue };
        using (BitcaskStore store = BitcaskStore.Open(host, Directory, without))
        {
            for (int i = 0; i < 1100; i++) store.Put($"more{i}", "value");
        }

        using BitcaskStore opened = BitcaskStore.Open(host, Directory, without);
        Assert.False(opened.IsFromImage);
        Assert.Equal(1199, opened.Count);
    }

    [Fact]
    public void AnImageOfSegmentsThatWereMergedIsRemoved()
    {
        SimulatedHost host = Filled();
        BitcaskOptions without = Options with { MinImageKeys = long.MaxValue };
        StoreTesting.With(host, Directory, without, store => store.Merge(MergeScope.All));
        Assert.NotNull(host.Disk.TryStat(Image));
        using BitcaskStore opened = BitcaskStore.Open(host, Directory, without);
        Assert.False(opened.IsFromImage);
        Assert.Null(host.Disk.TryStat(Image));
        Assert.Equal(99, opened.Count);
    }

    [Fact]
    public void AnImageWithoutTheHintOfASegmentIsNotUsed()
    {
        SimulatedHost host = Filled();
        host.Disk.TryDelete("/kv/00000001.hint");
        using BitcaskStore opened = BitcaskStore.Open(host, Directory, Options);
        Assert.False(opened.IsFromImage);
        Assert.Equal(99, opened.Count);
    }

    [Fact]
    public void AReaderUsesAnImageAndLeavesIt()
    {
        SimulatedHost host = Filled();
        BitcaskOptions reading = Options with { ReadOnly = true };
        Assert.True(StoreTesting.With(host, Directory, reading, static store => store.IsFromImage));
        byte[] damaged = Read(host);
        damaged[^1] ^= 1;
        Write(host, damaged);
        Assert.False(StoreTesting.With(host, Directory, reading, static store => store.IsFromImage));
        Assert.Equal(damaged, Read(host));
    }

    [Fact]
    public void TheOrderedKeydirLeavesAnImageAlone()
    {
        SimulatedHost host = Filled();
        byte[] image = Read(host);
        BitcaskOptions ordered = Options with { Keydir = KeydirKind.Ordered };
        Assert.Equal("v1", StoreTesting.With(host, Directory, ordered, static store => store.Get("k1")));
        Assert.Equal(image, Read(host));
    }

    [Fact]
    public void ACheckpointHasNoImage()
    {
        SimulatedHost host = Filled();
        StoreTesting.With(host, Directory, Options, static store => store.Checkpoint("/copy"));
        Assert.Null(host.Disk.TryStat("/copy/keydir"));
    }

    [Fact]
    public void AnImageOfAnotherStoreIsNotUsed()
    {
        byte[] other = Read(Filled(seed: 2));
        SimulatedHost host = Filled();
        Write(host, other);
        using BitcaskStore opened = BitcaskStore.Open(host, Directory, Options);
        Assert.False(opened.IsFromImage);
        Assert.Equal("v1", opened.Get("k1"));
    }

    /// What a record was read through in this process says nothing of the next.
    [Fact]
    public void RecordsThatWereReadAreNotMarkedAsReadInTheImage()
    {
        SimulatedHost host = SimulatedHost.Create(1);
        using (BitcaskStore store = Fill(host))
        {
            for (int i = 1; i < 100; i++) Assert.Equal($"v{i}", store.Get($"k{i}"));
        }

        using BitcaskStore opened = BitcaskStore.Open(host, Directory, Options);
        Assert.True(opened.IsFromImage);
    }

    [Fact]
    public void AnImageThatIsDamagedAnywhereIsNotUsed()
    {
        SimulatedHost host = Filled();
        byte[] whole = Read(host);
        for (int place = 0; place < 64; place++)
        {
            byte[] damaged = [.. whole];
            int at = (int)((long)whole.Length * place / 64) + (place % 16);
            damaged[at] ^= (byte)(1 << (place % 8));
            Check(damaged, $"bit {place % 8} of byte {at}");
        }

        for (int length = 0; length < whole.Length; length += 997) Check(whole[..length], $"{length} bytes");
        Check([.. whole, 0], "a byte more");
        Check(new byte[whole.Length], "zeros");

        void Check(byte[] image, string what)
        {
            Write(host, image);
            using BitcaskStore store = BitcaskStore.Open(host, Directory, Options with { MinImageKeys = long.MaxValue });
            Assert.False(store.IsFromImage, what);
            Assert.True(store.Count == 99 && store.Get("k99") == "v99", what);
            Assert.True(host.Disk.TryStat(Image) is null, what);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void AnyHistoryIsTheSameFromTheImageAndFromTheHints(int seed)
    {
        SimulatedHost host = SimulatedHost.Create(seed);
        var random = new Random(seed);
        int loaded = 0;
        for (int session = 0; session < 30; session++)
        {
            using (BitcaskStore store = BitcaskStore.Open(host, Directory, Options))
            {
                if (store.IsFromImage) loaded++;
                int changes = random.Next(session % 3 == 0 ? 60 : 6);
                for (int i = 0; i < changes; i++)
                {
                    string key = string.Create(CultureInfo.InvariantCulture, $"k{random.Next(80)}");
                    if (random.Next(4) == 0) store.Delete(key);
                    else store.Put(key, StoreTesting.Padded($"{session}.{i}", random.Next(200)));
                }

                if (random.Next(3) == 0) store.Maintain();
            }

            AssertSameAsFromHints(host);
        }

        Assert.True(loaded > 5, $"seed {seed}: {loaded} opened from an image");
    }

    private static SimulatedHost Filled(int seed = 1)
    {
        SimulatedHost host = SimulatedHost.Create(seed);
        Fill(host).Dispose();
        return host;
    }

    private static BitcaskStore Fill(SimulatedHost host)
    {
        BitcaskStore store = BitcaskStore.Open(host, Directory, Options);
        for (int i = 0; i < 100; i++) store.Put($"k{i}", $"v{i}");
        store.Delete("k0");
        store.Maintain();
        return store;
    }

    private static void Change(SimulatedHost host, BitcaskOptions options)
    {
        using BitcaskStore store = BitcaskStore.Open(host, Directory, options);
        store.Put("k1", "newer");
        store.Put("k1", "new");
        store.Delete("k2");
        store.Put("k3", "gone");
        store.Delete("k3");
        store.Put("fresh", "another");
    }

    // Reads only, so that both find the same.
    private static void AssertSameAsFromHints(SimulatedHost host)
    {
        BitcaskOptions reading = Options with { ReadOnly = true };
        (string content, string tallies) = StoreTesting.With(host, Directory, reading, Describe);
        if (host.Disk.TryStat(Image) is null) return;
        byte[] image = Read(host);
        host.Disk.TryDelete(Image);
        Assert.Equal(StoreTesting.With(host, Directory, reading, Describe), (content, tallies));
        Write(host, image);
    }

    private static (string Content, string Tallies) Describe(BitcaskStore store) => (
        StoreTesting.Describe(store),
        string.Join(' ', store.GetStatistics().Segments.Select(
            static segment => $"{segment.Number}: {segment.LiveRecords} {segment.LiveBytes}").Append($"{store.Count} {store.Sequence}")));

    private static byte[] Read(SimulatedHost host)
    {
        using IDiskFile file = host.Disk.TryOpen(Image, DiskAccess.Read)!;
        byte[] bytes = new byte[file.Length];
        _ = file.Read(0, bytes);
        return bytes;
    }

    private static void Write(SimulatedHost host, byte[] content)
    {
        host.Disk.TryDelete(Image);
        using IDiskFile file = host.Disk.CreateUnnamed(Directory);
        file.Write(0, content);
        file.Sync();
        Assert.True(host.Disk.TryPublish(file, Image));
    }
}
