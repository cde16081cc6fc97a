using Holdfast.Bitcask;
using Holdfast.Databases.Agents;
using Holdfast.Databases.Bitcask;
using Holdfast.Databases.Checkpoints;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests.Bitcask;

/// Copies of a key-value store while a writer is at work: each is the store at one instant between call and return.
public sealed class BitcaskCheckpointTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly Host host = Host.CreateReal();

    private string StorePath => $"{directory.Path}/store";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(CaptureWay.Owner, 5)]
    [InlineData(CaptureWay.Agent, 5)]
    [InlineData(CaptureWay.Shared, 5)]
    public void ACopyIsTheStoreAtOneInstantOfTheCall(CaptureWay way, int rounds) => CopyWhileWriting(way, rounds);

    [Theory]
    [InlineData(CaptureWay.Owner, 100)]
    [InlineData(CaptureWay.Agent, 100)]
    [InlineData(CaptureWay.Shared, 100)]
    [Trait("Category", "Long")]
    public void ACopyIsTheStoreAtOneInstantOfTheCallInHundredsOfRounds(CaptureWay way, int rounds) => CopyWhileWriting(way, rounds);

    [Fact]
    public void ASegmentIsReadOnceInItsLife()
    {
        using (BitcaskStore store = Open())
        {
            for (int i = 0; i < 5000; i++) store.Put(BitConverter.GetBytes(i), new byte[200]);
        }

        var checkpointer = new DatabaseCheckpointer(host, $"{directory.Path}/state");
        CheckpointManifest first = checkpointer.Checkpoint(Find(), Target(1), cancellationToken: Stop);
        CheckpointFile[] immutable = [.. first.Files.Where(file => file.Identity is not null)];
        Assert.True(immutable.Length > 3);
        Assert.Equal(immutable.Length, immutable.Select(file => file.Identity).Distinct().Count());
        Assert.All(immutable, file => Assert.Equal(FileTransfer.Linked, file.Transfer));

        // Another process, as it were: what it knows comes from the state directory, here a hash that cannot be.
        string state = Directory.GetFiles($"{directory.Path}/state").Single();
        KnownHashes known = KnownHashes.Load(host.Disk, state);
        known.Add(immutable[0].Identity!, immutable[0].Bytes, "00");
        known.Save(host, state);
        CheckpointManifest second = new DatabaseCheckpointer(host, $"{directory.Path}/state").Checkpoint(Find(), Target(2), cancellationToken: Stop);
        Assert.Equal("00", second.Files.Single(file => file.Name == immutable[0].Name).Hash);

        // Unless all is to be read.
        var damage = Assert.Throws<HoldfastException>(() => new DatabaseCheckpointer(host, $"{directory.Path}/state")
            .Checkpoint(Find(), Target(3), new CheckpointOptions { ReadAll = true }, Stop));
        Assert.Equal(ErrorKind.Damage, damage.Kind);
        Assert.False(Directory.Exists(Target(3)));
        Assert.Empty(Directory.GetDirectories(directory.Path, ".*"));
    }

    [Fact]
    public void AStoreThatNobodyHasOpenIsNotWrittenTo()
    {
        using (BitcaskStore store = Open())
        {
            for (int i = 0; i < 100; i++) store.Put(BitConverter.GetBytes(i), new byte[200]);
        }

        // As a crash leaves it: the last segment is not sealed, and its last record is torn.
        using (FileStream last = File.OpenWrite(Directory.GetFiles(StorePath, "*.log").Order(StringComparer.Ordinal).Last())) last.SetLength(last.Length - 70);
        Dictionary<string, (DateTime, long)> before = Facts();

        CheckpointManifest manifest = new DatabaseCheckpointer(host).Checkpoint(Find(), Target(1), cancellationToken: Stop);

        Assert.Equal(before, Facts());
        Assert.Equal(CaptureWay.Shared, manifest.Way);
        using BitcaskStore copy = BitcaskStore.Open(Target(1));
        Assert.True(copy.Count is > 90 and <= 100);
    }

    [Fact]
    public void ADamagedStoreIsReportedAtCaptureAndLeavesNoCopy()
    {
        using (BitcaskStore store = Open())
        {
            for (int i = 0; i < 5000; i++) store.Put(BitConverter.GetBytes(i), new byte[200]);
        }

        using (FileStream file = File.OpenWrite(Directory.GetFiles(StorePath, "*.log").Order(StringComparer.Ordinal).First()))
        {
            file.Position = 300;
            file.WriteByte(0xA5);
        }

        var damage = Assert.Throws<HoldfastException>(() => new DatabaseCheckpointer(host).Checkpoint(Find(), Target(1), cancellationToken: Stop));

        Assert.Equal(ErrorKind.Damage, damage.Kind);
        Assert.Contains(".log", damage.Message, StringComparison.Ordinal);
        Assert.Equal(["store"], Directory.GetFileSystemEntries(directory.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void WhatMayNotBeReplacedStays()
    {
        using (BitcaskStore store = Open()) store.Put("a"u8, "1"u8);
        var checkpointer = new DatabaseCheckpointer(host);
        checkpointer.Checkpoint(Find(), Target(1), cancellationToken: Stop);

        Assert.Equal(ErrorKind.Refused, Refused(Target(1), replace: false).Kind);
        Directory.CreateDirectory(Target(2));
        File.WriteAllText($"{Target(2)}/mine", "x");
        Assert.Equal(ErrorKind.NotThere, Refused(Target(2), replace: true).Kind);
        Assert.Equal(ErrorKind.Refused, Refused(StorePath, replace: true).Kind);
        Assert.Equal(ErrorKind.Refused, Refused($"{StorePath}/inside", replace: true).Kind);
        Assert.Equal(ErrorKind.Refused, Refused(directory.Path, replace: true).Kind);
        Assert.True(File.Exists($"{Target(2)}/mine"));
        using (BitcaskStore.Open(Target(1))) Assert.Equal(ErrorKind.Busy, Refused(Target(1), replace: true).Kind);

        using (BitcaskStore store = Open()) store.Put("a"u8, "2"u8);
        checkpointer.Checkpoint(Find(), Target(1), new CheckpointOptions { Replace = true }, Stop);
        using BitcaskStore replaced = BitcaskStore.Open(Target(1));
        Assert.Equal("2"u8.ToArray(), replaced.Get("a"u8));

        HoldfastException Refused(string target, bool replace) => Assert.Throws<HoldfastException>(
            () => checkpointer.Checkpoint(Find(), target, new CheckpointOptions { Replace = replace }, Stop));
    }

    [Fact]
    public void WhereThereIsNoStoreThatIsSaid()
    {
        Directory.CreateDirectory(StorePath);
        Assert.Equal(ErrorKind.NotThere, Assert.Throws<HoldfastException>(() => Find()).Kind);
    }

    private void CopyWhileWriting(CaptureWay way, int rounds)
    {
        using BitcaskStore store = Open(segmentBytes: 8 << 20);
        using CheckpointAgent? agent = way == CaptureWay.Agent ? CheckpointAgent.Start(new BitcaskSource(store)) : null;
        ICheckpointSource source = way == CaptureWay.Owner ? new BitcaskSource(store) : Find();
        var checkpointer = new DatabaseCheckpointer(host);
        using var writer = new StoreWriter(store);
        SpinWait.SpinUntil(() => writer.Written > 1000);
        for (int round = 0; round < rounds; round++)
        {
            long before = writer.Written;
            CheckpointManifest manifest = checkpointer.Checkpoint(source, Target(round), cancellationToken: Stop);
            long after = writer.Written;

            Assert.Equal(way, manifest.Way);
            Assert.Equal(store.Id.ToString(), manifest.Database);
            long count = StoreWriter.CountIn(Target(round));
            // A reader from outside does not see what the owner has only in memory.
            Assert.True((count >= before || way == CaptureWay.Shared) && count <= after + 1, $"round {round}: {count}, expected {before} to {after}");
            Directory.Delete(Target(round), recursive: true);
            if (round % 3 == 0) store.Merge(MergeScope.All, Stop);
        }
    }

    private BitcaskStore Open(uint segmentBytes = 256 << 10) => BitcaskStore.Open(StorePath, new BitcaskOptions
    {
        SegmentBytes = segmentBytes,
        SealAtCloseBytes = 4 << 10,
        Durability = Durability.None,
        MaintainInBackground = false,
    });

    private ICheckpointSource Find() => DatabaseEngines.Get("bitcask").Find(StorePath);

    private string Target(int number) => $"{directory.Path}/copy{number}";

    private Dictionary<string, (DateTime, long)> Facts() =>
        new DirectoryInfo(StorePath).GetFiles().ToDictionary(file => file.Name, file => (file.LastWriteTimeUtc, file.Length), StringComparer.Ordinal);
}
