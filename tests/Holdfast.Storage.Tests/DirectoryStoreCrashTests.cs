using System.Globalization;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Storage.Tests;

public sealed class DirectoryStoreCrashTests
{
    private const string Root = "/srv/store";
    private static readonly CancellationToken None = CancellationToken.None;

    /// Goal: what a put or delete has answered holds, and no object is half visible, whichever disk call is the last.
    /// Method: run a small workload once per disk call with the power cut at that call; look at several of the states
    /// that the disk may be in then, through a new store.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(20260101)]
    public async Task AnsweredPutsAndDeletesSurviveAPowerCutAtEveryDiskCall(int seed)
    {
        for (int cutAt = 1; ; cutAt++)
        {
            var disk = new SimulatedDisk(seed, cutAt);
            var journal = new Journal();
            bool finished = await RunWorkloadAsync(disk, seed, journal);
            for (int outcome = 0; outcome < 8; outcome++)
            {
                SimulatedDisk after = disk.AfterPowerCut(outcome);
                string where = string.Create(
                    CultureInfo.InvariantCulture, $"seed {seed}, cut at disk call {cutAt}, outcome {outcome}");
                await CompareAsync(after, seed, journal, where);
            }

            if (finished) return;
        }
    }

    /// The answer "it is there" is relied upon as much as "written": also when another writer, who may be about to
    /// sync, made the object or its directory.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task AnAnswerAboutAnothersObjectSurvivesAPowerCut(int seed)
    {
        byte[] content = Content("a/b/c", seed);
        for (int syncsSkipped = 0; syncsSkipped < 8; syncsSkipped++)
        {
            var disk = new SimulatedDisk(seed);
            // The other writer stops at its n-th directory sync: everything before it is done.
            int syncs = 0;
            disk.Fault = call => call.Kind == DiskCallKind.SyncDirectory && ++syncs > syncsSkipped
                ? DiskException.InputOutput
                : null;
            var other = new DirectoryStore(disk, new SimulatedClock(), Root);
            await Record.ExceptionAsync(() => other.PutIfAbsentAsync("a/b/c", content, None));
            disk.Fault = null;

            var store = new DirectoryStore(disk, new SimulatedClock(), Root);
            await store.PutIfAbsentAsync("a/b/c", content, None);

            for (int outcome = 0; outcome < 20; outcome++)
            {
                var after = new DirectoryStore(disk.Fork(outcome), new SimulatedClock(), Root);
                byte[]? found = await after.TryGetAsync("a/b/c", content.Length, None);
                Assert.True(
                    found is not null && content.AsSpan().SequenceEqual(found),
                    $"seed {seed}, {syncsSkipped} syncs by the other writer, outcome {outcome}");
            }
        }
    }

    [Theory]
    [InlineData(DiskException.NoSpace)]
    [InlineData(DiskException.InputOutput)]
    public async Task AFailedDiskCallLeavesNoHalfObjectAndTheNextAttemptWorks(int errno)
    {
        for (int failAt = 1; ; failAt++)
        {
            var disk = new SimulatedDisk(seed: failAt);
            int failing = failAt;
            disk.Fault = call => call.Number == failing ? errno : null;
            var store = new DirectoryStore(disk, new SimulatedClock(), Root, "the-address");
            byte[] content = Content("a/b", 1);

            Exception? error = await Record.ExceptionAsync(() => store.PutIfAbsentAsync("a/b", content, None));

            disk.Fault = null;
            if (error is not null)
            {
                ObjectStoreException failure = Assert.IsType<ObjectStoreException>(error);
                Assert.Equal(errno, Assert.IsType<DiskException>(failure.InnerException).Errno);
                Assert.StartsWith("the-address: ", failure.Message, StringComparison.Ordinal);
                Assert.Equal(ErrorKind.Failed, failure.Kind);
                Assert.NotNull(failure.Hint);
                Assert.False(failure.IsRetriable);
            }

            byte[]? found = await store.TryGetAsync("a/b", content.Length, None);
            Assert.True(found is null || content.AsSpan().SequenceEqual(found), $"failed at disk call {failAt}");
            await store.PutIfAbsentAsync("a/b", content, None);
            Assert.Equal(content, await store.TryGetAsync("a/b", content.Length, None));
            if (error is null) return;
        }
    }

    private static async Task<bool> RunWorkloadAsync(SimulatedDisk disk, int seed, Journal journal)
    {
        var store = new DirectoryStore(disk, new SimulatedClock(), Root);
        var random = new Random(seed);
        try
        {
            for (int step = 0; step < 12; step++)
            {
                string name = $"{(char)('a' + random.Next(2))}/{random.Next(2)}/{random.Next(3)}";
                journal.Pending = name;
                if (random.Next(3) > 0)
                {
                    journal.PendingIsPut = true;
                    await store.PutIfAbsentAsync(name, Content(name, seed), None);
                    journal.Present.Add(name);
                }
                else
                {
                    journal.PendingIsPut = false;
                    await store.DeleteAsync(name, None);
                    journal.Present.Remove(name);
                }

                journal.Pending = null;
            }

            return true;
        }
        catch (PowerCutException)
        {
            return false;
        }
    }

    private static async Task CompareAsync(SimulatedDisk disk, int seed, Journal journal, string where)
    {
        var store = new DirectoryStore(disk, new SimulatedClock(), Root);
        var found = new HashSet<string>(StringComparer.Ordinal);
        await foreach (ObjectEntry entry in store.ListAsync("", None))
        {
            found.Add(entry.Name);
            byte[] expected = Content(entry.Name, seed);
            byte[]? content = await store.TryGetAsync(entry.Name, 1 << 20, None);
            bool isWhole = content is not null && expected.AsSpan().SequenceEqual(content);
            Assert.True(isWhole, $"{where}: {entry.Name} is not whole");
        }

        // The call under way may have taken effect or not; all others are known.
        string[] missing = [.. journal.Present.Except(found).Where(n => n != journal.Pending || journal.PendingIsPut)];
        string[] extra = [.. found.Except(journal.Present).Where(n => n != journal.Pending || !journal.PendingIsPut)];
        Assert.True(missing.Length == 0, $"{where}: lost {string.Join(' ', missing)}");
        Assert.True(extra.Length == 0, $"{where}: came back {string.Join(' ', extra)}");
    }

    /// <summary>0 to 5,000 bytes that follow from the name.</summary>
    private static byte[] Content(string name, int seed)
    {
        var random = new Random((int)Crc32C.Compute(System.Text.Encoding.ASCII.GetBytes(name)) ^ seed);
        byte[] content = new byte[random.Next(5000)];
        random.NextBytes(content);
        return content;
    }

    private sealed class Journal
    {
        public HashSet<string> Present { get; } = new(StringComparer.Ordinal);

        public string? Pending { get; set; }

        public bool PendingIsPut { get; set; }
    }
}
