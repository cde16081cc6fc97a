using System.Globalization;
using Holdfast.Storage;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Faults;

/// Goal: a backup that returned is never lost, and no half of another is taken for one, whichever disk call is the last
/// and whatever of the calls before it reached the disk.
///
/// Method: a vault is made and backed up into three times, once, with the power on. Before each disk call, and at the
/// end, every state is taken that a power cut may leave of the disk; each that differs from the others is opened,
/// checked with all its data, all its points are read, and backed up into again.
///
/// What is legal (Holdfast.Testing, SimulatedDisk): of writes to a file since its last fsync each 512-byte sector arrives
/// or not, and of lengths any since then; of changes to a directory since its last fsync each arrives or not, but none to
/// a name without the earlier ones to that name. A file without a name (O_TMPFILE) is gone. This is what POSIX promises.
/// ext4 and XFS promise more, since their journals keep the order of names; so they leave some of these states and no others.
///
/// There are few states: an object is written to a file without a name, synced, linked and its directory synced, so that
/// next to nothing is ever between. What lies in a file without a name is one state, whatever arrived of it. No prefix of
/// the calls has so many combinations that some were left out; that is asserted.
public sealed class PowerCutTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(20260101, 1, true)]
    [InlineData(7, 2, false)]
    public Task PointsSurviveEveryPowerCutInEveryOrder(int seed, int workers, bool stagesByName) => CutEverywhereAsync(seed, workers, stagesByName);

    /// Packs are put side by side, and which of them is how far is a matter of chance. Here all are at their last step at
    /// once, synced only when the index is begun: whatever chance does leaves one of these states.
    [Theory]
    [InlineData(8, 1)]
    [InlineData(9, 3)]
    public Task PointsSurviveWhicheverOfThePacksAreThere(int seed, int workers) => CutEverywhereAsync(
        seed, workers, stagesByName: false, disk => new LyingDisk(disk) { PostponesDirectorySync = IsOfPacks });

    /// The same from many seeds: with several workers packs are put side by side, in another order each time.
    [Theory, Trait("Category", "Long")]
    [InlineData(100)]
    [InlineData(200)]
    [InlineData(300)]
    [InlineData(400)]
    public async Task PointsSurviveEveryPowerCutFromManySeeds(int firstSeed)
    {
        for (int seed = firstSeed; seed < firstSeed + 12; seed++) await CutEverywhereAsync(seed, workers: 1 + (seed % 4), stagesByName: seed % 3 == 0);
    }

    /// The power fails again while the vault recovers: in the next backup, of each state that the first cut left.
    [Theory, Trait("Category", "Long")]
    [InlineData(1)]
    [InlineData(2)]
    public async Task PointsSurviveASecondPowerCutInTheNextBackup(int seed)
    {
        using var world = new PowerCutWorld(seed);
        var disk = new SimulatedDisk(seed, clock: world.Clock);
        IReadOnlyList<PowerCut<int>> first = (await world.RunAsync(disk)).End();
        // The states after the first backup and within the second: 0 is the making.
        PowerCut<int>[] between = [.. first.Where(cut => cut.Moments.Contains(2))];
        Assert.InRange(between.Length, 10, 100);
        foreach (PowerCut<int> cut in between)
        {
            SimulatedDisk again = cut.Disk.Fork();
            var cuts = new PowerCuts<int>(again, () => cut.Moments[^1]);
            using (OpenVault vault = world.Open(again, new DirectoryStore(again, world.Clock, PowerCutWorld.Root), seed + 1000))
            {
                await world.BackupUncountedAsync(vault, source: 2);
            }

            foreach (PowerCut<int> second in cuts.End())
            {
                await world.CheckAsync(second.Disk.Fork(), cut.Moments[^1], cut.Moments[0] + 2, $"seed {seed}, {cut}; then {second}");
            }
        }
    }

    [Fact]
    public async Task AnInitThatWasCutOffLeavesNoVaultOrAWholeOne()
    {
        const int seed = 5;
        using VaultSecret secret = VaultFixture.Secret();
        var disk = new SimulatedDisk(seed);
        bool isDone = false;
        var cuts = new PowerCuts<bool>(disk, () => isDone);
        (await OpenVault.InitAsync(Host(disk, seed), Store(disk), secret, "first", Token)).Dispose();
        isDone = true;

        bool hasTriedAgain = false;
        foreach (PowerCut<bool> cut in cuts.End())
        {
            DirectoryStore store = Store(cut.Disk);
            if (await store.StatAsync(VaultDescriptor.Name, Token) is not null)
            {
                using OpenVault vault = await OpenVault.OpenAsync(Host(cut.Disk, seed), store, secret, cancellationToken: Token);
                Assert.Empty((await CheckRun.RunAsync(vault, new CheckRequest(), Token)).Damages);
                continue;
            }

            Assert.True(!cut.Moments[^1], $"seed {seed}, {cut}");
            // What is left stands in the way of nothing. A slot is the most that can be left; deriving keys is slow.
            await OpenVault.RequireEmptyAsync(store, Token);
            if (hasTriedAgain || (await store.ListPageAsync("keys/", null, Token)).Entries.Count == 0) continue;
            hasTriedAgain = true;
            (await OpenVault.InitAsync(Host(cut.Disk, seed + 1), store, secret, "second", Token)).Dispose();
            (await OpenVault.OpenAsync(Host(cut.Disk, seed), store, secret, cancellationToken: Token)).Dispose();
        }

        Assert.True(cuts.IsAll && hasTriedAgain);
    }

    /// Goal: at no moment is there no password that opens the vault, and one that was taken away stays away.
    /// Method: each slot is opened once, since deriving a key is slow; in every state the slots that are there must be
    /// those, to the byte.
    [Fact]
    public async Task PasswordsAreAddedChangedAndRemovedAsAWhole()
    {
        const int seed = 6;
        var disk = new SimulatedDisk(seed);
        DirectoryStore store = Store(disk);
        using VaultSecret first = VaultFixture.Secret("first"), added = VaultFixture.Secret("added"), changed = VaultFixture.Secret("changed");
        using OpenVault vault = await OpenVault.InitAsync(Host(disk, seed), store, first, "first", Token);
        // Which passwords open it for certain, and which may.
        (string Must, string May) now = ("first", "first added");
        var slots = new Dictionary<string, (string Word, byte[] Content)>(StringComparer.Ordinal);
        await RememberAsync(first, "first");
        var cuts = new PowerCuts<(string Must, string May)>(disk, () => now);

        string id = await VaultKeys.AddAsync(vault, added, "added", Token);
        now = ("first added", "first added");
        await RememberAsync(added, "added");
        now = ("first added", "first added changed");
        await VaultKeys.ChangePasswordAsync(vault, changed, Token);
        now = ("added changed", "added changed");
        await RememberAsync(changed, "changed");
        now = ("changed", "added changed");
        await VaultKeys.RemoveAsync(vault, id, Token);
        now = ("changed", "changed");

        IReadOnlyList<PowerCut<(string Must, string May)>> found = cuts.End();
        Assert.True(cuts.IsAll);
        Assert.InRange(found.Count, 5, 20);
        foreach (PowerCut<(string Must, string May)> cut in found)
        {
            var opening = new List<string>();
            await foreach (ObjectEntry entry in Store(cut.Disk).ListAsync("keys/", Token))
            {
                (string word, byte[] content) = slots[entry.Name];
                Assert.Equal(content, await Store(cut.Disk).TryGetAsync(entry.Name, content.Length + 1, Token));
                opening.Add(word);
            }

            string where = $"seed {seed}, {cut}: opened by {string.Join(", ", opening)}";
            Assert.True(opening.Count > 0, where);
            foreach ((string must, string may) in cut.Moments)
            {
                // Within the change of the password one of the two is enough.
                bool isReplaced = may.EndsWith("changed", StringComparison.Ordinal) && opening.Contains("changed");
                string[] needed = [.. must.Split(' ').Where(word => word != "first" || !isReplaced)];
                Assert.True(!needed.Except(opening).Any() && !opening.Except(may.Split(' ')).Any(), where);
            }
        }

        async Task RememberAsync(VaultSecret secret, string word)
        {
            using OpenVault opened = await OpenVault.OpenAsync(Host(disk, seed), store, secret, cancellationToken: Token);
            string name = "keys/" + opened.KeySlotId;
            slots.Add(name, (word, (await store.TryGetAsync(name, 1 << 16, Token))!));
        }
    }

    private static bool IsOfPacks(string directory) =>
        directory.StartsWith(PowerCutWorld.Root + "/data", StringComparison.Ordinal)
        || directory.StartsWith(PowerCutWorld.Root + "/trees", StringComparison.Ordinal);

    private static async Task CutEverywhereAsync(int seed, int workers, bool stagesByName, Func<SimulatedDisk, Log.IDisk>? through = null)
    {
        using var world = new PowerCutWorld(seed, extraFiles: workers == 1 ? 0 : 300) { Workers = workers };
        var disk = new SimulatedDisk(seed, clock: world.Clock) { StagesByName = stagesByName };
        PowerCuts<int> cuts = await world.RunAsync(disk, through?.Invoke(disk));
        IReadOnlyList<PowerCut<int>> found = cuts.End();

        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {disk.CallCount} disk calls, {found.Count} states"));
        Assert.True(cuts.IsAll, $"seed {seed}: too many states at once");
        // Each object alone makes two.
        Assert.InRange(found.Count, 30, 1000);
        foreach (PowerCut<int> cut in found) await world.CheckAsync(cut);
    }

    private static Log.Host Host(SimulatedDisk disk, int seed) => new(disk, TimeProvider.System, new SimulatedEntropy(seed));

    private static DirectoryStore Store(SimulatedDisk disk) => new(disk, TimeProvider.System, PowerCutWorld.Root);
}
