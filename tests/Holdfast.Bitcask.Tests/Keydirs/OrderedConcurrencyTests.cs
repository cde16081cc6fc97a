using System.Buffers.Binary;
using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

/// <summary>Readers beside a writer. What a location says must fit its key, whenever it is read.</summary>
public sealed class OrderedConcurrencyTests
{
    private const int Keys = 4000;
    private const int Changes = 150_000;

    [Theory, InlineData(1), InlineData(2)]
    public async Task ReadersSeeNoTornLeafAndMissNoKey(int seed)
    {
        var keydir = new OrderedKeydir();
        // Even keys are always there, odd ones come and go.
        for (int i = 0; i < Keys; i += 2) keydir.Set(0, KeyOf(i), LocationOf(i, 0), NoMatch.Instance, out _);
        using var stop = new CancellationTokenSource();
        Task reader = Task.Run(() => Read(keydir, seed, stop.Token));
        Task otherReader = Task.Run(() => Read(keydir, -seed, stop.Token));
        Task mover = Task.Run(() => Move(keydir, seed, stop.Token));

        var random = new Random(seed);
        for (int change = 1; change <= Changes; change++)
        {
            int i = random.Next(Keys);
            byte[] key = KeyOf(i);
            if (i % 2 == 0 || random.Next(2) == 0) keydir.Set(0, key, LocationOf(i, (uint)change), NoMatch.Instance, out _);
            else keydir.Remove(0, key, NoMatch.Instance, out _);
            if (change % 1000 == 0) keydir.Snapshot().Dispose();
        }

        await stop.CancelAsync();
        await Task.WhenAll(reader, otherReader, mover);
    }

    [Theory, InlineData(1)]
    public async Task ASnapshotStaysWhileTheKeydirChanges(int seed)
    {
        var model = new OrderedModel();
        for (int i = 0; i < Keys; i++) model.Set(KeyOf(i));
        using var stop = new CancellationTokenSource();
        var snapshot = (OrderedSnapshot)model.Keydir.Snapshot();
        Task reader = Task.Run(() =>
        {
            do OrderedModel.AssertSame(snapshot, model.Expected, $"seed {seed}");
            while (!stop.IsCancellationRequested);
        });

        var random = new Random(seed);
        for (int change = 0; change < Changes; change++)
        {
            byte[] key = KeyOf(random.Next(2 * Keys));
            if (random.Next(2) == 0) model.Keydir.Set(0, key, LocationOf(1, 1), NoMatch.Instance, out _);
            else model.Keydir.Remove(0, key, NoMatch.Instance, out _);
            if (change % 16 != 0 || !model.Keydir.TryFind(0, key, NoMatch.Instance, out Location at)) continue;
            model.Keydir.MarkVerified(0, key, at);
        }

        await stop.CancelAsync();
        await reader;
    }

    private static void Read(OrderedKeydir keydir, int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        while (!stop.IsCancellationRequested)
        {
            int i = random.Next(Keys);
            byte[] key = KeyOf(i);
            bool isFound = keydir.TryFind(0, key, NoMatch.Instance, out Location location);
            if (i % 2 == 0) Assert.True(isFound, $"seed {seed}: key {i}");
            if (!isFound) continue;
            // All three parts name the key: a mixture of two locations is seen.
            Assert.Equal(((uint)i + 1, location.Segment ^ location.Offset), (location.Segment, location.Length));
            keydir.MarkVerified(0, key, location);
        }
    }

    private static void Move(OrderedKeydir keydir, int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        while (!stop.IsCancellationRequested)
        {
            int i = random.Next(Keys);
            if (!keydir.TryFind(0, KeyOf(i), NoMatch.Instance, out Location location)) continue;
            if (i % 3 == 1 && i % 2 == 1) keydir.TryRemove(0, KeyOf(i), location);
            else keydir.TryMove(0, KeyOf(i), location, LocationOf(i, (uint)random.Next(1 << 20)));
        }
    }

    private static Location LocationOf(int i, uint version)
    {
        uint segment = (uint)i + 1, offset = version * 8;
        return new Location(segment, offset, segment ^ offset);
    }

    private static byte[] KeyOf(int i)
    {
        byte[] key = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(key, i * 0x1234567L);
        return key;
    }
}
