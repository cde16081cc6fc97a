using Holdfast.Databases.RocksDb;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests.RocksDb;

public sealed class OutsideCaptureTests : RocksTest
{
    private static readonly CaptureOptions Patient = new() { MaxAttempts = 500 };

    /// Goal: what is accepted is a prefix of the operations that holds all that were acknowledged before the call.
    /// Method: another process writes, with flushes and compactions; the copy must be all that its number of operations make.
    [Theory]
    [InlineData(1)]
    public void ACopyFromOutsideIsTheDatabaseAtOneInstantOfTheCall(int seed) => Assert.Equal(4, RunRounds(seed, rounds: 4, Patient));

    [Theory, Trait("Category", "Long")]
    [InlineData(700)]
    public void HundredsOfCopiesFromOutsideAreEachTheDatabaseAtOneInstant(int seed)
    {
        const int Rounds = 300;
        // An owner at full speed on a busy machine is too busy for some: that is told, and nothing wrong is accepted.
        int copied = RunRounds(seed, Rounds, new CaptureOptions { MaxAttempts = 60 });
        Assert.True(copied > Rounds / 3, $"seed {seed}: only {copied} of {Rounds} came about");
    }

    /// The owner is killed again and again; what it had acknowledged is in the copy, and the database is as it was.
    [Theory]
    [InlineData(2)]
    public void AKilledOwnersDatabaseIsCopiedWithAllThatWasAcknowledgedAndNotTouched(int seed)
    {
        var workload = new Workload(seed);
        for (int round = 0; round < 3; round++)
        {
            string wals = $"{Root}/wals";
            using (var owner = new WriterProcess(DatabasePath, $"{Root}/acknowledged", seed, wals))
            {
                owner.Await(more: 700);
                owner.Kill();
                string before = Describe(DatabasePath, wals);
                string path = NewCopyPath();
                Capture capture = Engine.Find(DatabasePath).Capture(path, new CaptureOptions(), Cancellation);
                Assert.Equal(CaptureWay.Closed, capture.Way);
                Assert.Equal(before, Describe(DatabasePath, wals));

                AssertSound(path, $"seed {seed}, round {round}");
                Assert.Equal(before, Describe(DatabasePath, wals));
                using RocksDatabase copy = OpenCopy(path);
                Assert.InRange(Workload.NumberOf(copy), owner.Acknowledged, owner.Acknowledged + 1);
                workload.Compare(copy, $"seed {seed}, round {round}");
            }
        }
    }

    [Fact]
    public void ALiveDatabaseIsGuardedAndAClosedOneClosed()
    {
        ICheckpointSource source;
        using (RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options))
        {
            database.Put("a"u8, "1"u8);
            source = Engine.Find(DatabasePath);
            Capture live = source.Capture(NewCopyPath(), new CaptureOptions(), Cancellation);
            Assert.Equal(CaptureWay.Guarded, live.Way);
            Assert.Equal(1UL, live.Sequence);
            // Asking took no lock away.
            Assert.Equal(ErrorKind.Busy, Assert.Throws<HoldfastException>(() => RocksDatabase.Open(DatabasePath)).Kind);
        }

        string path = NewCopyPath();
        Assert.Equal(CaptureWay.Closed, source.Capture(path, new CaptureOptions(), Cancellation).Way);
        using RocksDatabase copy = OpenCopy(path);
        Assert.Equal("1"u8.ToArray(), copy.Get("a"u8)!);
    }

    [Fact]
    public void OnAnotherFileSystemFilesAreCopiedAndIdentifiedAllTheSame()
    {
        MakeDatabase(operations: 3000);
        using var elsewhere = new TemporaryDirectory(inMemory: true);
        string path = $"{elsewhere.Path}/copy";
        Capture copied = Engine.Find(DatabasePath).Capture(path, new CaptureOptions(), Cancellation);
        Capture linked = Engine.Find(DatabasePath).Capture(NewCopyPath(), new CaptureOptions(), Cancellation);
        Assert.Equal(linked.Files.Select(file => (file.Name, file.Identity)), copied.Files.Select(file => (file.Name, file.Identity)));
        CapturedFile[] tables = [.. copied.Files.Where(file => file.Identity is not null)];
        Assert.NotEmpty(tables);
        Assert.All(tables, file => Assert.Equal(FileTransfer.Copied, file.Transfer));
        AssertSound(path, "copied");
    }

    [Fact]
    public void WhatIsMissingOrCutOffIsReportedWhenItIsCaptured()
    {
        MakeDatabase(operations: 3000);
        string table = Directory.GetFiles(DatabasePath, "*.sst")[0];
        byte[] content = File.ReadAllBytes(table);
        File.WriteAllBytes(table, content[..^1]);
        AssertDamage(Path.GetFileName(table));
        File.Delete(table);
        AssertDamage(Path.GetFileName(table));
        File.WriteAllBytes(table, content);

        string blob = Directory.GetFiles(DatabasePath, "*.blob")[0];
        content = File.ReadAllBytes(blob);
        File.WriteAllBytes(blob, [.. content, 0]);
        AssertDamage(Path.GetFileName(blob));
        File.WriteAllBytes(blob, content);

        File.WriteAllText($"{DatabasePath}/CURRENT", "nonsense");
        AssertDamage("CURRENT");
    }

    [Fact]
    public void ADatabaseThatNeverRestsIsTooBusy()
    {
        MakeDatabase(operations: 3000);
        // A flush an attempt: what the guard watches is never twice the same.
        string manifest = Directory.GetFiles(DatabasePath, "MANIFEST-*").Single();
        var options = new CaptureOptions
        {
            MaxAttempts = 3,
            OnCopied = (_, _) =>
            {
                using FileStream file = File.Open(manifest, FileMode.Append);
                file.WriteByte(0);
            },
        };
        HoldfastException busy =
            Assert.Throws<HoldfastException>(() => Engine.Find(DatabasePath).Capture(NewCopyPath(), options, Cancellation));
        Assert.Equal(ErrorKind.Busy, busy.Kind);
        Assert.Contains("agent", busy.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void ADirectoryWithoutCurrentIsNoDatabase()
    {
        Directory.CreateDirectory(DatabasePath);
        Assert.Equal(ErrorKind.NotThere, Assert.Throws<HoldfastException>(() => Engine.Find(DatabasePath)).Kind);
        Assert.Equal(ErrorKind.NotThere, Assert.Throws<HoldfastException>(() => Engine.Hold(DatabasePath)).Kind);
        Assert.Equal(ErrorKind.NotThere, Assert.Throws<HoldfastException>(() => Engine.Check(DatabasePath, null, Cancellation)).Kind);
    }

    [Fact]
    public void TheOwnersAgentIsAskedFirst()
    {
        MakeDatabase(operations: 10);
        var agent = new RocksOutsideSource(new HostDisk(), "/elsewhere", new RocksFileIdentities(new HostDisk()));
        var engine = new RocksDbEngine(path => path == DatabasePath ? agent : null);
        Assert.Same(agent, engine.Find(DatabasePath));
    }

    private void MakeDatabase(int operations)
    {
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options);
        database.CreateColumnFamily(Workload.SecondFamily);
        var workload = new Workload(seed: 5);
        using var batch = new RocksBatch();
        for (int number = 1; number <= operations; number++) workload.Apply(database, batch, number);
        foreach (RocksColumnFamily family in database.ColumnFamilies) database.Flush(family);
    }

    private void AssertDamage(string name)
    {
        HoldfastException damage = Assert.Throws<HoldfastException>(
            () => Engine.Find(DatabasePath).Capture(NewCopyPath(), new CaptureOptions(), Cancellation));
        Assert.Equal(ErrorKind.Damage, damage.Kind);
        Assert.Contains(name, damage.Message, StringComparison.Ordinal);
    }

    /// <summary>How many copies came about; the others were given up since the owner was too busy.</summary>
    private int RunRounds(int seed, int rounds, CaptureOptions options)
    {
        int copied = 0;
        var workload = new Workload(seed);
        using var owner = new WriterProcess(DatabasePath, $"{Root}/acknowledged", seed, pauseEvery: 50);
        owner.Await(more: 2000);
        for (int round = 0; round < rounds; round++)
        {
            string explanation = $"seed {seed}, round {round}";
            owner.Await(more: 300);
            string path = NewCopyPath();
            long before = owner.Acknowledged;
            Capture capture;
            try
            {
                capture = Engine.Find(DatabasePath).Capture(path, options, Cancellation);
            }
            catch (HoldfastException busy) when (busy.Kind == ErrorKind.Busy)
            {
                Directory.Delete(path, recursive: true);
                continue;
            }

            copied++;
            long after = owner.Acknowledged + 1;
            Assert.Equal(CaptureWay.Guarded, capture.Way);
            AssertSound(path, explanation);
            using (RocksDatabase copy = OpenCopy(path))
            {
                Assert.InRange(Workload.NumberOf(copy), before, after);
                Assert.True(copy.LatestSequence == capture.Sequence, $"{explanation}: {copy.LatestSequence}, {capture.Sequence}");
                workload.Compare(copy, explanation);
            }

            Directory.Delete(path, recursive: true);
        }

        return copied;
    }
}
