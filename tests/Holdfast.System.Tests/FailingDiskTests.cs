using System.Text.Json;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// Goal: a disk that is full, or fails, in the middle of work costs that work and nothing else.
/// Method: a small file system on a loop device holds the vault, the source or the target, and gives way.
[Collection(LoopDisk.Collection)]
public sealed class FailingDiskTests : IDisposable
{
    private const string NeedsRoot = "needs root and loop devices, to mount a small file system";
    private const int LargeFiles = 6;
    private const int LargeBytes = 8 << 20;
    private static readonly TreeCompareOptions ExceptRoot = new() { IgnoreRootAttributes = true };

    private readonly SystemFixture world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task AVaultWithoutSpaceKeepsWhatItHasAndTheNextBackupUsesWhatWasUploaded()
    {
        using LoopDisk? disk = LoopDisk.TryMount(world.PathOf("disk"), megabytes: 64);
        Assert.SkipWhen(disk is null, NeedsRoot);
        (string point, TreeSnapshot before) = await BeginOnAsync("disk");
        File.WriteAllBytes(world.PathOf("disk/ballast"), new byte[20 << 20]);
        AddLargeFiles();

        ExpectFailure(await world.RunAsync("backup", world.Source), world.PathOf("disk/vault"), "no space left on device");

        // Still full: what only reads needs no space.
        await ExpectUnharmedAsync(point, before);
        File.Delete(world.PathOf("disk/ballast"));
        await ExpectNextBackupUsesWhatWasUploadedAsync(point, before);
    }

    [Fact]
    public async Task AVaultOnADiskThatFailsKeepsWhatItHasAndTheNextBackupUsesWhatWasUploaded()
    {
        using LoopDisk? disk = LoopDisk.TryMount(world.PathOf("disk"), megabytes: 96);
        Assert.SkipWhen(disk is null, NeedsRoot);
        (string point, TreeSnapshot before) = await BeginOnAsync("disk");
        AddLargeFiles();
        // Where the file system puts files is its own affair: until some of them lie before what fails.
        for (int megabytes = 32; UploadedBytes() <= LargeBytes; megabytes += 8)
        {
            disk.FailBehind(megabytes);

            ExpectFailure(await world.RunAsync("backup", world.Source), world.PathOf("disk/vault"), "input/output error");

            await ExpectUnharmedAsync(point, before);
            disk.Heal();
            disk.Remount();
            await ExpectUnharmedAsync(point, before);
        }

        await ExpectNextBackupUsesWhatWasUploadedAsync(point, before);
    }

    [Fact]
    public async Task AVaultThatTurnsReadOnlyIsToldOfAndCanBeRead()
    {
        using LoopDisk? disk = LoopDisk.TryMount(world.PathOf("disk"), megabytes: 64);
        Assert.SkipWhen(disk is null, NeedsRoot);
        (string point, TreeSnapshot before) = await BeginOnAsync("disk");
        AddLargeFiles();
        disk.MakeReadOnly();

        ExpectFailure(await world.RunAsync("backup", world.Source), world.PathOf("disk/vault"), "read-only file system");

        await ExpectUnharmedAsync(point, before);
        disk.MakeWritable();
        await world.BackupAsync();
    }

    [Fact]
    public async Task AVaultThatCannotBeReadInPartsGivesBackTheRest()
    {
        using LoopDisk? disk = LoopDisk.TryMount(world.PathOf("disk"), megabytes: 96);
        Assert.SkipWhen(disk is null, NeedsRoot);
        (string first, TreeSnapshot before) = await BeginOnAsync(".");
        AddLargeFiles();
        string second = await world.BackupPointAsync();
        TreeSnapshot after = TreeSnapshot.Take(world.Source);
        // Content last and the larger packs behind the smaller ones, so that of it alone a part is lost.
        string[] objects = Directory.GetFiles(world.Vault, "*", SearchOption.AllDirectories);
        foreach (string path in objects.OrderBy(path => new FileInfo(path).Length)) Copy(path, Path.Combine(world.PathOf("disk"), Path.GetRelativePath(world.Root, path)));
        world.Variables["HOLDFAST_VAULT"] = world.PathOf("disk/vault");
        disk.Remount();
        disk.FailBehind(24);

        HoldfastResult check = await world.ExpectAsync(13, "check", "--read-data", "--json");
        JsonElement[] damages = [.. check.Records("damage")];
        Assert.NotEmpty(damages);
        Assert.All(damages, damage => Assert.Contains("input/output error", damage.GetProperty("message").GetString(), StringComparison.Ordinal));
        JsonElement[] affected = [.. damages.SelectMany(damage => damage.GetProperty("affected").EnumerateArray())];
        Assert.All(affected, item => Assert.Equal(second, item.GetProperty("point").GetString()));
        string[] lost = [.. affected.Select(item => Path.GetFileName(item.GetProperty("path").GetString()!)).Distinct().Order(StringComparer.Ordinal)];
        Assert.InRange(lost.Length, 1, LargeFiles);
        Assert.Equal([first, second], await world.PointsAsync());
        await world.ExpectRestoredAsync(first, before, ExceptRoot);
        HoldfastResult restore = await world.ExpectAsync(13, "restore", second, "--to", world.PathOf("to"), "--json");
        // A read may fail that a later one gets: the kernel reads ahead in pieces that reach into what fails.
        AssertAreOf(lost, restore.Records("error").Select(error => error.GetProperty("path").GetString()!));
        TreeCompare.AssertEqual(after, TreeSnapshot.Take(world.PathOf("to")), ExceptRoot with { Only = (path, _) => !lost.Contains(path) });

        // Zeros instead of errors now: bytes that fail their check.
        disk.Heal();
        disk.Remount();
        HoldfastResult zeros = await world.ExpectAsync(13, "check", "--read-data", "--json");
        AssertAreOf(lost, zeros.Records("damage").SelectMany(damage => damage.GetProperty("affected").EnumerateArray())
            .Select(item => Path.GetFileName(item.GetProperty("path").GetString()!)));
    }

    private static void AssertAreOf(string[] lost, IEnumerable<string> named)
    {
        HashSet<string> names = [.. named];
        Assert.NotEmpty(names);
        Assert.Subset(lost.ToHashSet(StringComparer.Ordinal), names);
    }

    [Fact]
    public async Task AFileThatCannotBeReadInItsMiddleIsNamedAndTheRestIsBackedUp()
    {
        using LoopDisk? disk = LoopDisk.TryMount(world.PathOf("disk"), megabytes: 64);
        Assert.SkipWhen(disk is null, NeedsRoot);
        await world.InitAsync();
        string source = world.PathOf("disk/source");
        Directory.CreateDirectory(source);
        for (int i = 0; i < 3; i++) File.WriteAllBytes(Path.Combine(source, $"small{i}"), RandomBytes(i, 300_000));
        disk.Remount();
        File.WriteAllBytes(Path.Combine(source, "large"), RandomBytes(9, 24 << 20));
        disk.Remount();
        disk.FailBehind(16);

        HoldfastResult backup = await world.ExpectAsync(3, "backup", source, "--json");

        JsonElement error = backup.Records("error").Single();
        Assert.Equal(Path.Combine(source, "large"), error.GetProperty("path").GetString());
        Assert.Contains("input/output error", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, backup.Summary.GetProperty("errors").GetInt64());
        await world.ExpectAsync(0, "restore", "latest", "--to", world.PathOf("to"));
        // Half of it under its name would be taken for the whole.
        Assert.Equal(["small0", "small1", "small2"], Directory.GetFiles(world.PathOf("to")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        for (int i = 0; i < 3; i++) Assert.Equal(RandomBytes(i, 300_000), File.ReadAllBytes(world.PathOf($"to/small{i}")));
        await world.ExpectAsync(0, "check", "--read-data");

        disk.Heal();
        disk.Remount();
        HoldfastResult next = await world.ExpectAsync(0, "backup", source, "--json");
        Assert.Equal((1, 3), (next.Summary.GetProperty("filesNew").GetInt32(), next.Summary.GetProperty("filesUnmodified").GetInt32()));
        await world.ExpectRestoredAsync("latest", TreeSnapshot.Take(source));
    }

    [Fact]
    public async Task ATargetWithoutSpaceEndsTheRestoreAndTheSameOneGoesOnLater()
    {
        using LoopDisk? disk = LoopDisk.TryMount(world.PathOf("disk"), megabytes: 64);
        Assert.SkipWhen(disk is null, NeedsRoot);
        TreeSnapshot expected = await BackUpLargeFilesAsync();
        File.WriteAllBytes(world.PathOf("disk/ballast"), new byte[32 << 20]);

        ExpectFailure(await world.RunAsync("restore", "latest", "--to", world.PathOf("disk/to")), "large", "no space left on device");

        // What is there is whole.
        foreach (string file in Directory.GetFiles(world.PathOf("disk/to")))
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(world.Source, Path.GetFileName(file))), File.ReadAllBytes(file));
        }

        File.Delete(world.PathOf("disk/ballast"));
        await world.ExpectAsync(0, "restore", "latest", "--to", world.PathOf("disk/to"), "--verify");
        TreeCompare.AssertEqual(expected, TreeSnapshot.Take(world.PathOf("disk/to")), ExceptRoot);
    }

    [Fact]
    public async Task ATargetOnADiskThatFailsIsNotTakenForRestored()
    {
        using LoopDisk? disk = LoopDisk.TryMount(world.PathOf("disk"), megabytes: 96);
        Assert.SkipWhen(disk is null, NeedsRoot);
        TreeSnapshot expected = await BackUpLargeFilesAsync();
        disk.FailBehind(24);

        ExpectFailure(await world.RunAsync("restore", "latest", "--to", world.PathOf("disk/to")), "the target", "input/output error");

        disk.Heal();
        disk.Remount();
        await world.ExpectAsync(0, "restore", "latest", "--to", world.PathOf("disk/to"), "--verify");
        TreeCompare.AssertEqual(expected, TreeSnapshot.Take(world.PathOf("disk/to")), ExceptRoot);
    }

    private static byte[] RandomBytes(int seed, int bytes)
    {
        byte[] content = new byte[bytes];
        new Random(seed).NextBytes(content);
        return content;
    }

    /// Failed, and said in one line (and a hint) what, and why.
    private static void ExpectFailure(HoldfastResult result, string thing, string says)
    {
        Assert.True(result.Code == 1, result.ToString());
        string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(lines.Length, 1, 2);
        Assert.StartsWith("holdfast: " + thing, lines[0], StringComparison.Ordinal);
        Assert.Contains(says, lines[0], StringComparison.Ordinal);
    }

    private static void Copy(string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(path, target);
    }

    /// A vault in a directory of the test's, with one point.
    private async Task<(string Point, TreeSnapshot Source)> BeginOnAsync(string place)
    {
        world.Variables["HOLDFAST_VAULT"] = Path.Join(world.Root, place, "vault");
        await world.InitAsync();
        world.WriteRandom("small", 1, 1 << 20);
        world.Write("text", "kept\n");
        return (await world.BackupPointAsync(), TreeSnapshot.Take(world.Source));
    }

    private void AddLargeFiles()
    {
        for (int i = 0; i < LargeFiles; i++) world.WriteRandom($"large{i}", 10 + i, LargeBytes);
    }

    private async Task<TreeSnapshot> BackUpLargeFilesAsync()
    {
        await world.InitAsync();
        AddLargeFiles();
        await world.BackupAsync();
        return TreeSnapshot.Take(world.Source);
    }

    private async Task ExpectUnharmedAsync(string point, TreeSnapshot expected)
    {
        Assert.Equal([point], await world.PointsAsync());
        await world.ExpectAsync(0, "check", "--read-data");
        await world.ExpectRestoredAsync(point, expected, ExceptRoot);
    }

    // Random content is as long in its pack as in its file, but for what the pack adds; the first point's is no part of it.
    private long UploadedBytes() =>
        Directory.GetFiles(Path.Combine(world.Variables["HOLDFAST_VAULT"], "data"), "*", SearchOption.AllDirectories)
            .Sum(pack => new FileInfo(pack).Length) - (1 << 20);

    private async Task ExpectNextBackupUsesWhatWasUploadedAsync(string point, TreeSnapshot before)
    {
        long uploaded = UploadedBytes();
        Assert.True(uploaded > LargeBytes, $"{uploaded} bytes were uploaded: the disk failed too early to show anything");

        JsonElement next = await world.BackupAsync();

        Assert.Equal(LargeFiles, next.GetProperty("filesNew").GetInt64());
        Assert.InRange(next.GetProperty("bytesAdded").GetInt64(), 0, ((long)LargeFiles * LargeBytes) - (uploaded * 98 / 100));
        await world.ExpectAsync(0, "check", "--read-data");
        await world.ExpectRestoredAsync(point, before, ExceptRoot);
        await world.ExpectRestoredAsync("latest", TreeSnapshot.Take(world.Source), ExceptRoot);
    }
}
