using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>Golden vaults whose points were made in another vault.</summary>
internal static class GoldenCopies
{
    public static Dictionary<string, Func<CancellationToken, Task<MemoryObjectStore>>> All { get; } = new(StringComparer.Ordinal)
    {
        ["copied"] = MakeCopiedAsync,
        ["copied-as-sealed"] = static stop => MakeSealedAsync(643, GoldenFiles.Password, stop),
        ["copied-unverified"] = static stop => MakeSealedAsync(644, nameof(KeyRole.Prune), stop),
        ["imported"] = MakeImportedAsync,
    };

    /// <summary>To a vault with other keys, where a point of its own is, and one of the copies goes on as the base of another.</summary>
    private static async Task<MemoryObjectStore> MakeCopiedAsync(CancellationToken stop)
    {
        using GoldenWorld from = await MakeSourceAsync(640, stop);
        using GoldenWorld to = await GoldenWorld.CreateAsync(641, stop);
        to.Write("own", 700);
        await to.BackupAsync(stop);
        await CopyAsync(from, to, GoldenFiles.Password, stop);
        from.Write("later", 900);
        await from.BackupAsync(stop);
        await CopyAsync(from, to, GoldenFiles.Password, stop);
        return to.Store;
    }

    /// <summary>To a vault with the same keys, with a key that verifies what it copies or with one that opens nothing.</summary>
    private static async Task<MemoryObjectStore> MakeSealedAsync(int seed, string label, CancellationToken stop)
    {
        using GoldenWorld from = await MakeSourceAsync(642, stop);
        using GoldenWorld to = await GoldenWorld.CreateTwinAsync(seed, from, stop);
        await CopyAsync(from, to, label, stop);
        return to.Store;
    }

    /// <summary>A whole export, and one of what changed since.</summary>
    private static async Task<MemoryObjectStore> MakeImportedAsync(CancellationToken stop)
    {
        using GoldenWorld from = await MakeSourceAsync(645, stop);
        using GoldenWorld to = await GoldenWorld.CreateAsync(646, stop);
        to.Clock.SetTimeOfDay(from.Clock.GetUtcNow());
        using OpenVault source = await from.OpenAsync(stop);
        using OpenVault target = await to.OpenAsync(stop);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(source, stop);
        using VaultSecret secret = GoldenWorld.Secret("export");
        RestorePoint? since = null;
        foreach (RestorePoint point in points)
        {
            using var export = new MemoryStream();
            await ExportRun.RunAsync(source, point, since, export, secret, new WorkProgress(), stop);
            export.Position = 0;
            await ImportRun.RunAsync(target, export, secret, new ImportRequest { Name = "golden", Host = "golden" }, stop);
            since = point;
        }

        return to.Store;
    }

    /// <summary>Two points of the first admin and one of another key.</summary>
    private static async Task<GoldenWorld> MakeSourceAsync(int seed, CancellationToken stop)
    {
        GoldenWorld world = await GoldenWorld.CreateAsync(seed, stop);
        await world.AddKeyAsync(KeyRole.Add, nameof(KeyRole.Add), stop);
        await world.AddKeyAsync(KeyRole.Prune, nameof(KeyRole.Prune), stop);
        world.Write("first", 2500);
        world.Write("deep/same", 1500);
        await world.BackupAsync(stop);
        world.Write("second", 1200);
        await world.BackupAsync(stop);
        world.Delete("first");
        world.Write("third", 1300);
        await world.BackupAsync(stop, nameof(KeyRole.Add));
        return world;
    }

    private static async Task CopyAsync(GoldenWorld from, GoldenWorld to, string label, CancellationToken stop)
    {
        to.Clock.SetTimeOfDay(from.Clock.GetUtcNow());
        using OpenVault source = await from.OpenAsync(stop, label);
        using OpenVault target = await to.OpenAsync(stop);
        await CopyRun.RunAsync(target, new CopyRequest { From = source, Host = "golden", Workers = 1 }, stop);
    }
}
