using System.Globalization;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Storage.Tests;

public sealed class DirectoryStoreCrashTests
{
    private const string Root = "/srv/store";
    private static readonly CancellationToken None = CancellationToken.None;

    /// Goal: what a put or delete has answered holds, and no object is half visible, whichever disk call is the last and
    /// whatever of those before it arrived.
    /// Method: a small workload, once; before each disk call all states that a power cut may leave are taken, and each is
    /// looked at through a new store. What is legal: <see cref="SimulatedDisk"/>.
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(20260101, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public async Task AnsweredPutsAndDeletesSurviveEveryPowerCut(int seed, bool stagesByName)
    {
        var disk = new SimulatedDisk(seed) { StagesByName = stagesByName };
        PowerCuts<Journal> cuts = await RunWorkloadAsync(disk, disk, seed, steps: 40);
        IReadOnlyList<PowerCut<Journal>> found = cuts.End();

        Assert.True(cuts.IsAll);
        Assert.InRange(found.Count, 30, 1000);
        foreach (PowerCut<Journal> cut in found) await CompareAsync(cut, seed);
    }

    /// The test before can fail: each kind of carelessness is seen by it.
    [Theory]
    [InlineData("content")]
    [InlineData("names")]
    [InlineData("directories")]
    [InlineData("order")]
    public async Task CarelessnessIsSeen(string about)
    {
        const int seed = 5;
        var disk = new SimulatedDisk(seed);
        var lying = new LyingDisk(disk)
        {
            SkipsSync = _ => about == "content",
            SkipsDirectorySync = path => about == (path.Length > Root.Length + 2 ? "names" : "directories"),
            PublishesFirst = about == "order",
        };
        PowerCuts<Journal> cuts = await RunWorkloadAsync(disk, lying, seed, steps: 4);

        Exception? seen = null;
        foreach (PowerCut<Journal> cut in cuts.End())
        {
            seen ??= await Record.ExceptionAsync(() => CompareAsync(cut, seed));
        }

        Assert.NotNull(seen);
    }

    /// The answer "it is there" is relied upon as much as "written": also when another writer, who may be about to
    /// sync, made the object or its directory.
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task AnAnswerAboutAnothersObjectSurvivesAPowerCut(int seed, bool isSameContent)
    {
        byte[] first = Content("a/b/c", seed), second = isSameContent ? first : Content("a/b/c", seed + 1);
        for (int pausedAt = 1; ; pausedAt++)
        {
            var disk = new SimulatedDisk(seed);
            string? winner = null;
            var cuts = new PowerCuts<string?>(disk, () => Volatile.Read(ref winner));
            int calls = 0;
            // The one stops before its n-th call; the other puts and has its answer; then the one goes on.
            var paused = new LyingDisk(disk)
            {
                BeforeCall = () =>
                {
                    if (Interlocked.Increment(ref calls) == pausedAt) Put(disk, second, "second");
                },
            };

            Put(paused, first, "first");

            bool wasPaused = calls >= pausedAt;
            foreach (PowerCut<string?> cut in cuts.End())
            {
                var store = new DirectoryStore(cut.Disk, new SimulatedClock(), Root);
                byte[]? found = await store.TryGetAsync("a/b/c", 1 << 20, None);
                string where = string.Create(
                    CultureInfo.InvariantCulture, $"seed {seed}, paused at call {pausedAt}, {cut}");
                bool isFirst = AreSame(first, found);
                bool isSecond = AreSame(second, found);
                Assert.True(found is null || isFirst || isSecond, where);
                foreach (string? known in cut.Moments)
                {
                    Assert.True(known is null || (known == "first" ? isFirst : isSecond), $"{where}: {known} was told of");
                }
            }

            Assert.True(cuts.IsAll);
            if (!wasPaused) return;

            void Put(IDisk through, byte[] content, string name)
            {
                var store = new DirectoryStore(through, new SimulatedClock(), Root);
                PutOutcome outcome = store.PutIfAbsentAsync("a/b/c", content, None).GetAwaiter().GetResult();
                string other = name == "first" ? "second" : "first";
                Volatile.Write(ref winner, outcome == PutOutcome.Taken ? other : name);
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

    /// <summary>Puts new and known objects, with known and other content, and deletes them.</summary>
    private static async Task<PowerCuts<Journal>> RunWorkloadAsync(SimulatedDisk disk, IDisk through, int seed, int steps)
    {
        var random = new Random(seed);
        var journal = new Journal(new Dictionary<string, byte[]>(StringComparer.Ordinal), null, null);
        var cuts = new PowerCuts<Journal>(disk, () => Volatile.Read(ref journal));
        for (int step = 0; step < steps; step++)
        {
            // Now and then another process.
            var store = new DirectoryStore(through, new SimulatedClock(), Root);
            for (int i = random.Next(5); i >= 0; i--)
            {
                string name = $"{(char)('a' + random.Next(2))}/{random.Next(2)}/{random.Next(3)}";
                var present = new Dictionary<string, byte[]>(journal.Present, StringComparer.Ordinal);
                if (random.Next(3) == 0)
                {
                    Volatile.Write(ref journal, journal with { Pending = name, PendingContent = null });
                    Assert.Equal(present.Remove(name), await store.DeleteAsync(name, None));
                }
                else
                {
                    byte[] content = Content(name, seed + random.Next(2));
                    Volatile.Write(ref journal, journal with { Pending = name, PendingContent = content });
                    PutOutcome expected = present.TryAdd(name, content) ? PutOutcome.Written
                        : AreSame(present[name], content) ? PutOutcome.SameContent : PutOutcome.Taken;
                    Assert.Equal(expected, await store.PutIfAbsentAsync(name, content, None));
                }

                Volatile.Write(ref journal, new Journal(present, null, null));
            }
        }

        return cuts;
    }

    private static async Task CompareAsync(PowerCut<Journal> cut, int seed)
    {
        var store = new DirectoryStore(cut.Disk, new SimulatedClock(), Root);
        var found = new Dictionary<string, byte[]?>(StringComparer.Ordinal);
        await foreach (ObjectEntry entry in store.ListAsync("", None))
        {
            found[entry.Name] = await store.TryGetAsync(entry.Name, 1 << 20, None);
        }

        foreach (Journal journal in cut.Moments)
        {
            foreach (string name in found.Keys.Union(journal.Present.Keys))
            {
                byte[]? expected = journal.Present.GetValueOrDefault(name);
                byte[]? content = found.GetValueOrDefault(name);
                // The call under way may have taken effect or not; all others are known.
                bool mayChange = name == journal.Pending && (expected is null || journal.PendingContent is null);
                Assert.True(
                    AreSame(expected, content) || (mayChange && AreSame(journal.PendingContent, content)),
                    $"seed {seed}, {cut}: {name}: {content?.Length} bytes, {expected?.Length} expected");
            }
        }
    }

    private static bool AreSame(byte[]? one, byte[]? other) =>
        one is null ? other is null : other is not null && one.AsSpan().SequenceEqual(other);

    /// <summary>0 to 5,000 bytes that follow from the name.</summary>
    private static byte[] Content(string name, int seed)
    {
        var random = new Random((int)Crc32C.Compute(System.Text.Encoding.ASCII.GetBytes(name)) ^ seed);
        byte[] content = new byte[random.Next(5000)];
        random.NextBytes(content);
        return content;
    }

    /// <summary>
    /// What had been answered at a moment, and the call under way: a put, or without content a delete.
    /// </summary>
    private sealed record Journal(Dictionary<string, byte[]> Present, string? Pending, byte[]? PendingContent);
}
