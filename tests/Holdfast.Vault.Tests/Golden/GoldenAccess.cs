using System.Security.Cryptography;
using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>What keys can do with a golden vault, in short: as lines of text.</summary>
internal static class GoldenAccess
{
    /// <summary>What each other key sees of it, which opens with its label.</summary>
    public static async Task AddOthersAsync(OpenVault vault, MemoryObjectStore store, Action<string> line, CancellationToken stop)
    {
        foreach (VaultKey key in (await VaultKeys.ListAsync(vault, stop)).Where(static key => !key.IsCurrent).OrderBy(static key => key.Label, StringComparer.Ordinal))
        {
            if (!store.Names.Contains(KeyDirectory.Prefix + key.Id))
            {
                line($"with {key.Label}: its slot is gone");
                continue;
            }

            using (OpenVault other = await GoldenFiles.OpenSlotAsync(store, key.Id, key.Label!, stop))
            {
                line($"with {key.Label}: {other.Role}, key epochs {string.Join(' ', other.Sealer.Ring.Epochs.Select(static epoch => epoch.Number))}");
                await AddAsync(other, line, stop);
            }
        }
    }

    /// <summary>The same of the first admin, once a prune a day later has gone on with what was left.</summary>
    public static async Task AddAfterPruneAsync(MemoryObjectStore store, SimulatedClock clock, Action<string> line, CancellationToken stop)
    {
        clock.Advance(TimeSpan.FromDays(1));
        var host = new Host(new SimulatedDisk(2), clock, new SimulatedEntropy(2));
        using (OpenVault pruned = await GoldenFiles.OpenAsync(store, stop, host: host))
        {
            line($"a prune: {await TellAsync(() => PruneAsync(pruned, stop))}");
        }

        using OpenVault vault = await GoldenFiles.OpenAsync(store, stop, host: new Host(new SimulatedDisk(3), clock, new SimulatedEntropy(3)));
        await AddAsync(vault, line, stop);
    }

    private static async Task AddAsync(OpenVault vault, Action<string> line, CancellationToken stop)
    {
        foreach (RestorePoint point in await RestorePoints.ListAsync(vault, stop))
        {
            line($"  point {point.Id}: names {await TellAsync(() => NamesAsync(vault, point, stop))}; restore {await TellAsync(() => RestoreAsync(vault, point, stop))}");
        }

        foreach ((SessionId point, HoldfastException reason) in vault.UnreadablePoints.OrderBy(static point => point.Key)) line($"  unreadable {point}: {reason.Kind}");
        line($"  check {await TellAsync(() => CheckAsync(vault, readsData: true, stop))}; without data {await TellAsync(() => CheckAsync(vault, readsData: false, stop))}");
    }

    private static async Task<string> TellAsync(Func<Task<string>> what)
    {
        try
        {
            return await what();
        }
        catch (HoldfastException error)
        {
            return $"refused: {error.Kind}";
        }
    }

    private static async Task<string> NamesAsync(OpenVault vault, RestorePoint point, CancellationToken stop)
    {
        var names = new StringBuilder();
        await foreach (PointEntry entry in PointTree.ListAsync(vault, point, default, recursive: true, stop)) names.Append(BytePath.Display(entry.Path.Span)).Append('\n');
        return Digest(names);
    }

    private static async Task<string> RestoreAsync(OpenVault vault, RestorePoint point, CancellationToken stop)
    {
        using var target = new GoldenPlace();
        using DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(target.Path)).Value;
        RestoreSummary summary = await RestoreRun.RunAsync(vault, point, new RestoreRequest { Target = tree, KeepOwners = false }, stop);
        var files = new StringBuilder();
        foreach ((string name, Testing.TreeEntry entry) in TreeSnapshot.Take(target.Path).Entries) files.Append($"{entry.Kind} {name} {entry.Content}\n");
        return summary.Damaged == 0 ? $"whole, {Digest(files)}" : $"{summary.Damaged} damaged, {Digest(files)}";
    }

    private static async Task<string> PruneAsync(OpenVault vault, CancellationToken stop)
    {
        PruneSummary summary = await PruneRun.RunAsync(vault, new PruneRequest { Host = "later", MaxUnusedBytes = 0 }, stop);
        return $"{summary.Points} points, {summary.Packs} packs, {summary.MovedPacks} moved, {summary.WaitsFor.Count} waited for";
    }

    private static async Task<string> CheckAsync(OpenVault vault, bool readsData, CancellationToken stop)
    {
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = readsData }, stop);
        string damaged = string.Concat(report.Damages.Select(static damage => $" {damage.ObjectName}").Order(StringComparer.Ordinal));
        return $"{report.Points} points, {report.Packs} packs, damaged:{(damaged.Length == 0 ? " nothing" : damaged)}";
    }

    private static string Digest(StringBuilder lines) =>
        $"{lines.ToString().Count(static c => c == '\n')} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines.ToString())))[..16]}";
}
