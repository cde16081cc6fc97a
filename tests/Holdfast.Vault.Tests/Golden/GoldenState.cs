using Holdfast.Storage;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>What a vault says of its points, packs and keys beside the points themselves, as lines of text.</summary>
internal static class GoldenState
{
    public static async Task AddAsync(OpenVault vault, Action<string> line, CancellationToken stop)
    {
        line($"undelete window: {(await VaultSettings.ReadAsync(vault, stop)).UndeleteWindow}");
        foreach (ForgottenPoint point in await RestorePoints.ListForgottenAsync(vault, stop)) line($"forgotten {point.Point.Id} since {Time(point.Since)}");
        foreach ((SessionId point, DateTimeOffset since) in (await PointState.ListPrunedAsync(vault, stop)).OrderBy(static pruned => pruned.Key))
        {
            line($"condemned {point} since {Time(since)}");
        }

        foreach ((SessionId point, _) in vault.UnreadablePoints.OrderBy(static point => point.Key)) line($"unreadable {point}");
        await AddRemovalsAsync(vault, line, stop);
        await AddPacksAsync(vault, line, stop);
        line($"key epochs {string.Join(' ', vault.Sealer.Ring.Epochs.Select(static epoch => epoch.Number))}");
        foreach (VaultKey key in await VaultKeys.ListAsync(vault, stop))
        {
            string ends = key.Revoked is { } revoked ? $", revoked {Time(revoked)}" : key.IsCurrent ? ", in use" : "";
            line($"key {key.Id} {key.Label}: {key.Role} {key.Writer}{ends}{(key.Damage is null ? "" : ", damaged")}");
        }
    }

    private static async Task AddRemovalsAsync(OpenVault vault, Action<string> line, CancellationToken stop)
    {
        Removals removals = await Removals.ReadAsync(vault, null, stop);
        line($"removals: {removals.RecordCount}, next {removals.Next}, {removals.Replaced.Count} replaced");
        foreach ((PackId pack, PackRemoval removal) in removals.Packs.OrderBy(static pack => pack.Key))
        {
            line($"  {removal.Verdict} {pack} since {removal.Since}, {removal.ChunkCount} chunks");
            foreach (ChunkRun run in removal.Runs) line($"    moved to {run.Pack} of {run.PackChunks}: {run.First}+{run.Count}");
        }

        foreach ((SessionId list, ReferencesRemoval removal) in removals.References.OrderBy(static list => list.Key)) line($"  {removal.Verdict} refs/{list} since {removal.Since}");
    }

    /// <summary>Who answers for what packs hold, and in which epochs their keys are sealed.</summary>
    private static async Task AddPacksAsync(OpenVault vault, Action<string> line, CancellationToken stop)
    {
        foreach (ObjectKind kind in (ObjectKind[])[ObjectKind.DataPack, ObjectKind.TreePack])
        {
            await foreach (ObjectEntry entry in vault.Store.ListAsync(PackId.Prefix(kind), stop))
            {
                PackFooter? footer = PackId.TryParse(entry.Name, out PackId pack) ? await vault.Index.TryGetFooterAsync(pack, stop) : null;
                string[] groups = [.. footer is null ? [] : footer.Groups.Select(group => $"{WriterStatement.IdText(footer.OriginOf(group))} in epoch {footer.KeyOf(group).Epoch}").Distinct()];
                line($"{entry.Name}: {footer?.Chunks.Length} chunks of {string.Join(", ", groups)}");
            }
        }
    }

    private static string Time(DateTimeOffset time) => $"{time:yyyy-MM-dd'T'HH:mm:ss'Z'}";
}
