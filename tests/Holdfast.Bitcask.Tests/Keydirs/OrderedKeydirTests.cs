using System.Text;
using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

public sealed class OrderedKeydirTests
{
    [Theory]
    [InlineData(1, "few")]
    [InlineData(2, "random")]
    [InlineData(3, "prefixes")]
    [InlineData(4, "lengths")]
    [InlineData(5, "zeros")]
    [InlineData(20260101, "random")]
    public void RandomChangesLeaveWhatADictionaryHolds(int seed, string kind)
    {
        var random = new Random(seed);
        var model = new OrderedModel();
        var snapshots = new List<(OrderedSnapshot Snapshot, SortedDictionary<byte[], Location> Expected)>();
        var used = new List<byte[]>();
        int steps = kind == "lengths" ? 3000 : 30_000;
        // Grow, stay, shrink: nodes are split and joined.
        for (int step = 0; step < steps; step++)
        {
            int removals = step < steps / 3 ? 1 : step < steps * 2 / 3 ? 5 : 9;
            byte[] key = NextKey(random, kind);
            // Else hardly any key would be met a second time.
            if (used.Count > 0 && random.Next(2) == 0) key = used[random.Next(used.Count)];
            used.Add(key);
            if (random.Next(10) >= removals) model.Set(key);
            else model.Remove(key);

            if (random.Next(steps / 10) == 0)
            {
                snapshots.Add((
                    (OrderedSnapshot)model.Keydir.Snapshot(),
                    new SortedDictionary<byte[], Location>(model.Expected, ByteOrder.Instance)));
            }

            if (step % (steps / 10) == 0) model.AssertSame($"seed {seed}, step {step}");
        }

        model.AssertSame($"seed {seed}, at the end");
        foreach (var (snapshot, expected) in snapshots)
        {
            OrderedModel.AssertSame(snapshot, expected, $"seed {seed}, a snapshot of {expected.Count}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void EveryKeyCanBeRemovedAgain(int seed)
    {
        var random = new Random(seed);
        var model = new OrderedModel();
        long empty = model.Keydir.MemoryBytes;
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 20_000; i++) model.Set(NextKey(random, "random"));
            byte[][] keys = [.. model.Expected.Keys];
            if (round != 1) random.Shuffle(keys);
            foreach (byte[] key in keys) model.Remove(key);
            model.AssertSame($"seed {seed}, round {round}");
            Assert.Equal(empty, model.Keydir.MemoryBytes);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void KeysThatComeInOrderAreFound(bool isAscending)
    {
        var model = new OrderedModel();
        for (int i = 0; i < 50_000; i++)
        {
            model.Set(Encoding.Latin1.GetBytes($"user:{(isAscending ? i : 99_999 - i):d8}"));
        }

        model.AssertSame("in order");
    }

    [Fact]
    public void KeysThatComeInAscendingOrderFillTheLeaves()
    {
        var model = new OrderedModel();
        for (int i = 0; i < 50_000; i++) model.Set(Encoding.Latin1.GetBytes($"user:{i:d11}"));
        double bytes = (double)model.Keydir.MemoryBytes / model.Keydir.Count;
        Assert.True(bytes < 44, $"{bytes:F1} bytes per key");
    }

    [Fact]
    public void AKeyOf16BytesTakesAtMost60()
    {
        var random = new Random(1);
        var model = new OrderedModel();
        byte[] key = new byte[16];
        for (int i = 0; i < 300_000; i++)
        {
            random.NextBytes(key);
            model.Keydir.Set(0, key, new Location(1, 8, 8), NoMatch.Instance, out _);
        }

        double bytes = (double)model.Keydir.MemoryBytes / model.Keydir.Count;
        Assert.True(bytes < 60, $"{bytes:F1} bytes per key");
    }

    [Fact]
    public void TheLongestKeysAreHeld()
    {
        var model = new OrderedModel();
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            byte[] key = new byte[65_535 - (i % 3)];
            Array.Fill(key, (byte)'x');
            key[random.Next(key.Length)] = (byte)random.Next(256);
            model.Set(key);
            model.Set([(byte)i]);
        }

        model.AssertSame("long keys");
        foreach (byte[] key in model.Expected.Keys.ToArray()) model.Remove(key);
        model.AssertSame("none");
    }

    [Fact]
    public void OnlyARecordThatIsStillThereIsMoved()
    {
        var keydir = new OrderedKeydir();
        Location first = new(1, 8, 30), second = new(2, 16, 30), third = new(3, 24, 30);
        byte[] key = "key"u8.ToArray();
        Assert.False(keydir.TryMove(0, key, first, second));
        keydir.Set(0, key, first, NoMatch.Instance, out _);
        Assert.False(keydir.TryMove(0, key, second, third));
        Assert.True(keydir.TryMove(0, key, first.Verified, second));
        Assert.False(keydir.TryMove(0, key, first, third));
        Assert.Equal(second, Find(keydir, key));
        Assert.False(keydir.TryRemove(0, key, first));
        Assert.True(keydir.TryRemove(0, key, second));
        Assert.False(keydir.TryRemove(0, key, second));
        Assert.Equal(0, keydir.Count);
    }

    [Fact]
    public void OnlyTheRecordThatWasReadIsMarked()
    {
        var keydir = new OrderedKeydir();
        Location first = new(1, 8, 30), second = new(2, 16, 30);
        byte[] key = "key"u8.ToArray();
        keydir.MarkVerified(0, key, first);
        keydir.Set(0, key, first, NoMatch.Instance, out _);
        keydir.MarkVerified(0, key, second);
        Assert.False(Find(keydir, key).IsVerified);
        keydir.MarkVerified(0, key, first);
        Assert.True(Find(keydir, key).IsVerified);
        Assert.True(Find(keydir, key).IsSameAs(first));
        Assert.Equal(30u, Find(keydir, key).Length);
        keydir.Set(0, key, second, NoMatch.Instance, out Location replaced);
        Assert.True(replaced.IsSameAs(first));
        Assert.False(Find(keydir, key).IsVerified);
    }

    [Fact]
    public void ASnapshotSeesNoMove()
    {
        var keydir = new OrderedKeydir();
        Location first = new(1, 8, 30), second = new(2, 16, 30);
        byte[] key = "key"u8.ToArray();
        keydir.Set(0, key, first, NoMatch.Instance, out _);
        using KeydirSnapshot snapshot = keydir.Snapshot();
        keydir.MarkVerified(0, key, first);
        Assert.True(keydir.TryMove(0, key, first, second));
        Assert.True(snapshot.IsCurrent(0, key, first));
        Assert.False(snapshot.IsCurrent(0, key, second));
        Assert.False(snapshot.IsCurrent(0, "kez"u8, first));
        Assert.True(snapshot.TryFind(0, key, NoMatch.Instance, out Location found) && found.IsSameAs(first));
        Assert.Equal(second, Find(keydir, key));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 48)]
    [InlineData(4, 49)]
    [InlineData(5, 48 * 48)]
    [InlineData(6, (48 * 48) + 1)]
    [InlineData(7, 20_000)]
    public void AFilledKeydirIsLikeOneThatGrew(int seed, int count)
    {
        var random = new Random(seed);
        var model = new OrderedModel();
        while (model.Expected.Count < count) model.Expected[NextKey(random, "prefixes")] = model.NewLocation();
        OrderedFill fill = model.Keydir.BeginFill();
        foreach ((byte[] key, Location location) in model.Expected) fill.Append(key, location);
        fill.Complete();
        model.AssertSame($"seed {seed}");

        for (int i = 0; i < 2000; i++) model.Set(NextKey(random, "prefixes"));
        foreach (byte[] key in model.Expected.Keys.ToArray()) model.Remove(key);
        model.AssertSame($"seed {seed}, empty");
    }

    [Fact]
    public void LongKeysCanBeFilledIn()
    {
        var model = new OrderedModel();
        for (int i = 0; i < 300; i++)
        {
            byte[] key = [.. Enumerable.Repeat((byte)(i % 7), 1 + (i * 218))];
            model.Expected[key] = model.NewLocation();
        }

        OrderedFill fill = model.Keydir.BeginFill();
        foreach ((byte[] key, Location location) in model.Expected) fill.Append(key, location);
        fill.Complete();
        model.AssertSame("long keys");
    }

    [Fact]
    public void KeysOutOfOrderAreNotFilledIn()
    {
        OrderedFill fill = new OrderedKeydir().BeginFill();
        fill.Append("b"u8, new Location(1, 8, 30));
        Assert.Throws<ArgumentException>(() => fill.Append("b"u8, new Location(1, 8, 30)));
        Assert.Throws<ArgumentException>(() => fill.Append("a"u8, new Location(1, 8, 30)));
    }

    private static Location Find(OrderedKeydir keydir, byte[] key)
    {
        Assert.True(keydir.TryFind(0, key, NoMatch.Instance, out Location location));
        return location;
    }

    private static byte[] NextKey(Random random, string kind)
    {
        switch (kind)
        {
            case "few":
                return [(byte)random.Next(256)];
            case "prefixes":
                string prefix = random.Next(2) == 0 ? "users/of/one/town/" : "u";
                return Encoding.Latin1.GetBytes($"{prefix}{random.Next(100)}:{random.Next(10_000)}");
            case "zeros":
                // Zeros behind a key look like what a short key's head is filled up with.
                byte[] zeros = new byte[1 + random.Next(40)];
                if (random.Next(2) == 0) zeros[random.Next(zeros.Length)] = (byte)random.Next(2);
                return zeros;
            case "lengths":
                byte[] any = new byte[random.Next(4) == 0 ? random.Next(1, 65_536) : random.Next(1, 300)];
                random.NextBytes(any.AsSpan(Math.Max(0, any.Length - 3)));
                return any;
            default:
                byte[] key = new byte[16];
                random.NextBytes(key);
                return key;
        }
    }
}
