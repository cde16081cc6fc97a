using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Log;

namespace Holdfast.System.Tests;

/// The key-value store through the real binary: what was acknowledged is there, whoever is killed and whatever is full.
[Collection(LoopDisk.Collection)]
public sealed class KeyValueTests : IDisposable
{
    private const int LargeBytes = 4 << 20;

    private readonly SystemFixture world = new();

    private string Store => world.PathOf("store");

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task AnyBytesGoInByStandardInputAndComeOut()
    {
        byte[] value = RandomBytes(1, 3_000_000);
        HoldfastResult put = await world.RunWithAsync(value, "kv", "put", Store, "caf\uDCE9");
        Assert.True(put.Code == 0, put.ToString());
        Assert.Equal("", put.Output + put.Error);
        Assert.Equal(value, (await world.ExpectAsync(0, "kv", "get", Store, "caf\uDCE9")).OutputBytes);
        Assert.Equal(value, (await world.ExpectAsync(0, "kv", "get", Store, "Y2Fm6Q==", "--base64")).OutputBytes);
        await world.ExpectAsync(0, "kv", "put", Store, "empty", "");
        Assert.Empty((await world.ExpectAsync(0, "kv", "get", Store, "empty")).OutputBytes);
    }

    [Fact]
    public Task KillsOfPutsAtRandomMomentsLoseNothingAcknowledged() => KillPutsAsync(seed: 20_261_121, rounds: 20);

    [Theory, InlineData(1), InlineData(2), Trait("Category", "Long")]
    public Task ManyKillsOfPutsAtRandomMomentsLoseNothingAcknowledged(int seed) => KillPutsAsync(seed, rounds: 100);

    [Fact]
    public async Task ASecondWriterIsToldWhichProcessHasTheStoreAndNeedNotWaitForADeadOne()
    {
        Directory.CreateDirectory(world.PathOf("bench"));
        using HoldfastProcess holder = world.Start("kv", "bench", world.PathOf("bench"), "--records", "100000000");
        string? held = null;
        await UntilAsync(() =>
            (held = Directory.GetDirectories(world.PathOf("bench")).SingleOrDefault()) is not null
            && File.Exists(Path.Combine(held, "00000001.log")));

        HoldfastResult second = await world.ExpectAsync(11, "kv", "put", held!, "a", "1");
        Assert.StartsWith($"holdfast: {held}: in use by process {holder.Id} (", second.Error, StringComparison.Ordinal);
        foreach (string verb in new[] { "checkpoint", "backup" })
        {
            HoldfastResult copy = await world.ExpectAsync(11, "kv", verb, held!, world.PathOf("copy"), "--json");
            Assert.Contains($"process {holder.Id} ", copy.Records("error").Single().GetProperty("message").GetString(), StringComparison.Ordinal);
        }

        await world.ExpectAsync(0, "kv", "stats", held!);
        Assert.False(holder.HasExited);
        holder.Kill();
        await holder.WaitAsync();
        await world.ExpectAsync(0, "kv", "put", held!, "a", "1");
        Assert.Equal("1", (await world.ExpectAsync(0, "kv", "get", held!, "a")).Output);
    }

    [Fact]
    public async Task ASignalEndsABenchmarkWhichRemovesWhatItMade()
    {
        Directory.CreateDirectory(world.PathOf("bench"));
        using HoldfastProcess process = world.Start("kv", "bench", world.PathOf("bench"), "--records", "100000000");
        await UntilAsync(() => Directory.EnumerateFiles(world.PathOf("bench"), "*.log", SearchOption.AllDirectories).Any());
        process.Signal(2);
        HoldfastResult result = await process.WaitAsync();
        Assert.True(result.Code == 130, result.ToString());
        Assert.Empty(Directory.GetFileSystemEntries(world.PathOf("bench")));
    }

    [Fact]
    public async Task ASignalEndsAPutThatWaitsForItsValueAndChangesNothing()
    {
        using HoldfastProcess process = world.Start("kv", "put", Store, "a");
        await process.Input.WriteAsync(new byte[100_000]);
        await process.Input.FlushAsync();
        process.Signal(2);
        Assert.Equal(130, (await process.WaitAsync()).Code);
        Assert.False(Directory.Exists(Store));
    }

    [Fact]
    public async Task ACheckpointHasEverythingAndStaysAsItIs()
    {
        for (int i = 0; i < 5; i++) await world.ExpectAsync(0, "kv", "put", Store, $"key{i}", $"value{i}");
        await world.ExpectAsync(0, "kv", "checkpoint", Store, world.PathOf("copy"));
        byte[] before = (await world.ExpectAsync(0, "kv", "scan", Store, "--sorted")).OutputBytes;
        await world.ExpectAsync(0, "kv", "delete", Store, "key3");
        await world.ExpectAsync(0, "kv", "put", Store, "key4", "changed");
        await world.ExpectAsync(0, "kv", "merge", Store, "--all");
        await world.ExpectAsync(0, "kv", "verify", world.PathOf("copy"));
        Assert.Equal(before, (await world.ExpectAsync(0, "kv", "scan", world.PathOf("copy"), "--sorted")).OutputBytes);
        Assert.Equal(
            "key0\tvalue0\nkey1\tvalue1\nkey2\tvalue2\nkey4\tchanged\n", (await world.ExpectAsync(0, "kv", "scan", Store, "--sorted")).Output);
    }

    [Fact]
    public async Task AFullDiskEndsAPutAndNothingIsLost()
    {
        using LoopDisk? disk = LoopDisk.TryMount(world.PathOf("disk"), megabytes: 48);
        Assert.SkipWhen(disk is null, "needs root and loop devices, to mount a small file system");
        string store = world.PathOf("disk/store");
        File.WriteAllBytes(world.PathOf("disk/ballast"), new byte[16 << 20]);
        int kept = 0;
        HoldfastResult result;
        while ((result = await PutAsync(store, $"key{kept}", RandomBytes(kept, LargeBytes))).Code == 0 && kept < 12) kept++;

        Assert.InRange(kept, 3, 11);
        ExpectFullDisk(result);
        // Still full: the same again, and all that was there can be read.
        ExpectFullDisk(await PutAsync(store, "again", RandomBytes(99, LargeBytes)));
        await ExpectKeptAsync(store, kept);
        await world.ExpectAsync(1, "kv", "get", store, $"key{kept}");
        await world.ExpectAsync(0, "kv", "verify", store);
        HoldfastResult backup = await world.RunAsync("kv", "backup", store, world.PathOf("disk/copy"));
        ExpectFullDisk(backup);
        Assert.Equal(["ballast", "lost+found", "store"], Directory.GetFileSystemEntries(world.PathOf("disk")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        File.Delete(world.PathOf("disk/ballast"));
        Assert.Equal(0, (await PutAsync(store, $"key{kept}", RandomBytes(kept, LargeBytes))).Code);
        disk.Remount();
        await ExpectKeptAsync(store, kept + 1);
        await world.ExpectAsync(0, "kv", "verify", store);
    }

    private static byte[] RandomBytes(int seed, int bytes)
    {
        byte[] content = new byte[bytes];
        new Random(seed).NextBytes(content);
        return content;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), "the moment did not come");
            await Task.Delay(2);
        }
    }

    private static void ExpectFullDisk(HoldfastResult result)
    {
        Assert.True(result.Code == 1, result.ToString());
        Assert.Contains("no space left on device", result.Error, StringComparison.Ordinal);
        Assert.InRange(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 1, 2);
    }

    private Task<HoldfastResult> PutAsync(string store, string key, byte[] value) => world.RunWithAsync(value, "kv", "put", store, key);

    private async Task ExpectKeptAsync(string store, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(RandomBytes(i, LargeBytes), (await world.ExpectAsync(0, "kv", "get", store, $"key{i}")).OutputBytes);
        }
    }

    /// Goal: a put that ended with exit code 0 is there for good, one that was killed is there whole or not at all.
    /// Method: in each round one put dies at a seeded moment, from its start to a little after its usual end, and one ends by itself;
    /// keys are few, so most puts overwrite, and values from some bytes to megabytes, so that kills meet all parts of the work.
    private async Task KillPutsAsync(int seed, int rounds)
    {
        var random = new Random(seed);
        var acknowledged = new Dictionary<string, string>();
        int killed = 0;
        TimeSpan usual = TimeSpan.Zero;
        for (int round = 0; round < rounds; round++)
        {
            string about = $"seed {seed}, round {round}";
            (string key, byte[] value) = Draw(random, round, "kept");
            var clock = Stopwatch.StartNew();
            HoldfastResult put = await PutAsync(Store, key, value);
            Assert.True(put.Code == 0, $"{about}: {put}");
            if (round % 8 == 0) usual = clock.Elapsed;
            acknowledged[key] = TextOf(value);

            (key, value) = Draw(random, round, "killed");
            double share = random.NextDouble();
            using HoldfastProcess process = world.Start("kv", "put", Store, key);
            await SendAsync(process, value);
            // The value is read whole before the store is opened: every other kill comes once it is held.
            if (round % 2 == 0) await UntilAsync(() => process.HasExited || IsHeldBy(process));
            await Task.Delay(TimeSpan.FromMilliseconds(share * (round % 2 == 0 ? 40 : usual.TotalMilliseconds * 1.1)));
            process.Kill();
            HoldfastResult result = await process.WaitAsync();
            Assert.True(result.Code is 0 or 137, $"{about}: {result}");
            if (result.Code == 137) killed++;
            HoldfastResult scan = await world.ExpectAsync(0, "kv", "scan", Store, "--json");
            Dictionary<string, string> found = scan.Records("entry").ToDictionary(entry => entry.GetProperty("key").GetString()!, TextOf);
            string? before = acknowledged.GetValueOrDefault(key);
            string? after = found.GetValueOrDefault(key);
            Assert.True(after == TextOf(value) || (result.Code == 137 && after == before), $"{about}: {key} is neither what it was nor what was put");
            // What is seen from now on stays: it was read back, so whoever opens the store next makes it durable.
            if (after is not null) acknowledged[key] = after;
            Assert.True(acknowledged.Count == found.Count, $"{about}: {found.Count} keys, expected {acknowledged.Count}");
            foreach ((string each, string expected) in acknowledged) Assert.True(found.GetValueOrDefault(each) == expected, $"{about}: {each}");
        }

        await world.ExpectAsync(0, "kv", "verify", Store);
        Assert.True(killed > rounds / 4, $"seed {seed}: only {killed} of {rounds} were killed");
    }

    private static (string Key, byte[] Value) Draw(Random random, int round, string what)
    {
        int bytes = random.Next(3) switch { 0 => random.Next(10), 1 => random.Next(5_000), _ => random.Next(1_000_000) };
        byte[] value = new byte[bytes];
        random.NextBytes(value);
        byte[] mark = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{what}{round} "));
        return ($"key{random.Next(6)}", [.. mark, .. value]);
    }

    // Whoever was killed may not have read all of it.
    private static async Task SendAsync(HoldfastProcess process, byte[] value)
    {
        try
        {
            await process.Input.WriteAsync(value);
            process.Input.Close();
        }
        catch (IOException)
        {
            Assert.True(process.HasExited, "standard input was closed by a process that runs");
        }
    }

    private bool IsHeldBy(HoldfastProcess process)
    {
        // Not by .NET's own means, which would lock the file.
        using IDiskFile? file = new HostDisk().TryOpen(Path.Combine(Store, "lock"), DiskAccess.Read);
        byte[] text = new byte[1024];
        return file is not null && Encoding.UTF8.GetString(text, 0, file.Read(0, text)).Contains($"process {process.Id} ", StringComparison.Ordinal);
    }

    private static string TextOf(byte[] value) => Convert.ToBase64String(value);

    private static string TextOf(JsonElement entry) => entry.TryGetProperty("valueBase64", out JsonElement base64)
        ? base64.GetString()!
        : Convert.ToBase64String(Encoding.UTF8.GetBytes(entry.GetProperty("value").GetString()!));
}
