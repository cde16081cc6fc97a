using Holdfast.Log;
using Holdfast.Vault.Pruning;

namespace Holdfast.Vault;

/// <summary>Deletes what no restore point needs any more, beside backups that are at work.</summary>
/// <remarks>
/// Whatever happens meanwhile, and wherever it is cut off: every point that is not forgotten restores as before. What one
/// prune leaves, the next one does. Protocol: docs/formats/vault.md, "Pruning beside others".
/// </remarks>
public static class PruneRun
{
    /// <summary>What a prune would do. Nothing is written, so a key of any role may ask.</summary>
    /// <exception cref="HoldfastException">As <see cref="RunAsync"/>.</exception>
    public static Task<PrunePlan> PlanAsync(OpenVault vault, PruneRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        vault.Require(VaultUse.SeePoints);
        return PruneWork.PlanAsync(vault, request, cancellationToken);
    }

    /// <summary>Prunes.</summary>
    /// <returns>What was done. When it returns, that is durable.</returns>
    /// <exception cref="HoldfastException">
    /// Kind Damage: something cannot be read, or is missing, without which it is not known what points need; nothing is deleted then.
    /// </exception>
    public static async Task<PruneSummary> RunAsync(OpenVault vault, PruneRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        vault.Require(VaultUse.Prune);
        if (request.Rewraps) vault.Require(VaultUse.Rewrap);
        if (!vault.Store.Capabilities.CreateOnce)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{vault.Address}: this store cannot tell who wrote an object first, so nothing can be deleted safely", "use a store that creates an object only once");
        }

        PruneWork work = await PruneWork.BeginAsync(vault, request, cancellationToken).ConfigureAwait(false);
        await using (work.ConfigureAwait(false)) return await work.RunAsync(cancellationToken).ConfigureAwait(false);
    }
}
