using Holdfast.Testing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Tests.Points;

public sealed class PointCodecTests
{
    private static readonly SessionId Id = new(0, 0x55);
    private static readonly DateTimeOffset Received = new(2026, 5, 5, 5, 5, 5, TimeSpan.Zero);

    [Fact]
    public void PointsComeBackAsTheyWere()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            RestorePoint point = Point(new Random(seed));

            RestorePoint read = PointCodec.Decode(PointCodec.Encode(point), Id, Received, byAdmin: seed % 2 == 0);

            Assert.Equal(point.Time, read.Time);
            Assert.Equal(Received, read.Received);
            Assert.Equal(seed % 2 == 0 ? point.Time : Received, read.EffectiveTime);
            Assert.Equal(
                (point.Kind, point.Base, point.References, point.Host, point.Program, point.Origin, point.Database),
                (read.Kind, read.Base, read.References, read.Host, read.Program, read.Origin, read.Database));
            Assert.True(read.IsOfSource(point.Source), $"seed {seed}");
            Assert.Equal(point.Tags, read.Tags);
            Assert.True(point.Tree.SameAs(read.Tree) && point.Changes.SameAs(read.Changes), $"seed {seed}");
            Assert.Equal(point.Counts, read.Counts);
            Assert.Equal(PointCodec.Encode(point), PointCodec.Encode(read));
        }
    }

    [Fact]
    public void MutatedPointsAreReadOrRefusedAndNothingElseHappens()
    {
        const int seed = 4711;
        var random = new Random(seed);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] mutated = TestKeys.Mutate(random, PointCodec.Encode(Point(new Random(i % 10))));
            try
            {
                _ = PointCodec.Decode(mutated, Id, Received, byAdmin: false);
            }
            catch (DamageException)
            {
                // Refused.
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}, round {i}: {error}");
            }
        }
    }

    [Fact]
    public async Task APointThatCannotBeReadIsToldOfAndHidesNoOther()
    {
        var store = new MemoryObjectStore();
        var host = SimulatedHost.Create(1);
        var sealer = TestKeys.Sealer();
        using OpenVault vault = OpenVault.Open(host, store, TestKeys.Content(16), "0000000000000000", sealer.Ring, 1 << 20);
        RestorePoint point = Point(new Random(3));
        byte[] good = sealer.Seal(Holdfast.Vault.Sealing.ObjectKind.Point, PointCodec.Name(Id), PointCodec.Encode(point));
        store.Overwrite(PointCodec.Name(Id), good);
        store.Overwrite(PointCodec.Name(new SessionId(0, 1)), good);
        store.Overwrite(PointCodec.Name(new SessionId(0, 2)), new byte[PointCodec.MaxBytes + 1]);
        store.Overwrite(PointCodec.Name(new SessionId(0, 3)), []);
        store.Overwrite("points/other", [1]);

        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, TestContext.Current.CancellationToken);

        Assert.Equal(Id, Assert.Single(points).Id);
        Assert.Equal(3, vault.Damages.Count);
    }

    /// <summary>An absolute path of any bytes, behind those of smaller numbers.</summary>
    private static byte[] Root(Random random, int i) =>
        [(byte)'/', (byte)('a' + i), .. TestKeys.Random(random, random.Next(50)).Where(value => value is not (0 or (byte)'/'))];

    private static RestorePoint Point(Random random) => new()
    {
        Id = Id,
        Origin = random.Next(2) == 0 ? null : new PointOrigin(Convert.ToHexStringLower(TestKeys.Random(random, 16)), new SessionId((ulong)random.NextInt64(), 3)),
        Database = random.Next(3) switch
        {
            0 => null,
            1 => new PointDatabase("rocksdb", "f3b1", (ulong)random.NextInt64(), CheckDepth.All),
            _ => new PointDatabase("sqlite", null, null, CheckDepth.New),
        },
        Time = DateTimeOffset.UnixEpoch.AddTicks(random.NextInt64(-1L << 55, 1L << 55)),
        Received = default,
        EffectiveTime = default,
        Kind = (PointKind)random.Next(1, 4),
        Base = random.Next(2) == 0 ? null : new SessionId(0, (ulong)random.NextInt64(1, long.MaxValue)),
        References = new SessionId(0, (ulong)random.NextInt64()),
        Host = random.Next(2) == 0 ? "" : "näme",
        Roots = [.. Enumerable.Range(0, random.Next(4)).Select(i => (ReadOnlyMemory<byte>)Root(random, i))],
        Tags = [.. Enumerable.Range(0, random.Next(4)).Select(i => $"tag {i}")],
        Program = "holdfast 0.1",
        Tree = new Content(1, [ContentItem.Chunk(TestKeys.RandomId(random), 500)]),
        Changes = random.Next(2) == 0 ? Content.Empty : new Content(0, [ContentItem.Chunk(TestKeys.RandomId(random), 5)]),
        Counts = new BackupCounts
        {
            Files = random.NextInt64(),
            Directories = 1,
            Others = 2,
            Bytes = long.MaxValue,
            FilesNew = 3,
            FilesChanged = 4,
            FilesUnmodified = 5,
            FilesDeleted = 6,
            BytesRead = 7,
            BytesAdded = 8,
            BytesStored = 9,
            Errors = 10,
            Duration = TimeSpan.FromMilliseconds(random.Next()),
        },
    };
}
