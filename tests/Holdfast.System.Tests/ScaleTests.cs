using System.Globalization;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault;

namespace Holdfast.System.Tests;

/// What looks after a vault keeps within its memory, whatever the vault's size.
public sealed class ScaleTests : IDisposable
{
    private const int Chunks = 6_000_000;
    private const long BudgetBytes = 256 << 20;
    private const int Files = 400_000;
    private const int FilesPerFolder = 500;

    private readonly SystemFixture world = new();

    /// The table of so many chunks alone would take 270 MB.
    [Fact, Trait("Category", "Long")]
    public async Task CheckAndPruneOfSixMillionChunksKeepWithinTheirMemory()
    {
        await world.InitAsync();
        world.Write("file", "content");
        await world.BackupPointAsync();
        Host host = Host.CreateReal();
        using (var secret = new VaultSecret("correct horse"u8))
        using (OpenVault vault = await OpenVault.OpenAsync(host, ObjectStores.Open(world.Vault, host), secret))
        {
            new HollowPacks(vault, world.Vault, seed: 1).Add(Chunks, static _ => { });
        }

        foreach (string[] verb in (string[][])[["check"], ["prune", "--dry-run"], ["prune"], ["check"]])
        {
            long peak = await PeakOfAsync(verb);
            Assert.True(peak <= BudgetBytes, $"{string.Join(' ', verb)}: {peak >> 20} MiB");
        }
    }

    /// What a backup holds of so many chunks of its own took as much again as the vault's budget.
    [Fact, Trait("Category", "Long")]
    public async Task PointsOfVeryManyFilesKeepWithinTheirMemory()
    {
        await world.InitAsync();
        for (int folder = 0; folder < Files / FilesPerFolder; folder++)
        {
            for (int i = 0; i < FilesPerFolder; i++) world.Write($"{folder:d5}/{i:d3}", $"{folder} {i}");
        }

        string target = world.PathOf("target");
        foreach (string[] verb in (string[][])[["backup", world.Source], ["backup", world.Source], ["check"], ["restore", "latest", "--to", target]])
        {
            long peak = await PeakOfAsync([.. verb, "--memory", "192M"]);
            Assert.True(peak <= 192 << 20, $"{string.Join(' ', verb)}: {peak >> 20} MiB");
        }
    }

    public void Dispose() => world.Dispose();

    /// Most memory that was resident at once, by the kernel's own count.
    private async Task<long> PeakOfAsync(string[] verb)
    {
        using HoldfastProcess process = world.Start(verb);
        process.Input.Close();
        Task<HoldfastResult> ended = process.WaitAsync();
        long peak = 0;
        // The count goes with the process: what is read last is what it had.
        while (!ended.IsCompleted)
        {
            peak = Math.Max(peak, PeakNow(process.Id));
            await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(10), TestContext.Current.CancellationToken));
        }

        HoldfastResult result = await ended;
        Assert.True(result.Code == 0, result.ToString());
        return peak;
    }

    private static long PeakNow(int process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.AsSpan("VmHWM:".Length, line.Length - "VmHWM: kB".Length), CultureInfo.InvariantCulture) << 10;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
