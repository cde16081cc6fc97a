namespace Holdfast.Vault.Pruning;

/// <summary>Waits until what was put or deleted is seen by all, as far as the store promises that.</summary>
internal static class StoreWait
{
    /// <param name="vault">Whose store and clock.</param>
    /// <param name="times">So often the staleness that the store declares; nothing is waited where it declares none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static Task ForStalenessAsync(OpenVault vault, int times, CancellationToken cancellationToken)
    {
        TimeSpan staleness = vault.Store.Capabilities.Staleness;
        return staleness == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(staleness * times, vault.Host.Clock, cancellationToken);
    }
}
