using Holdfast.Vault.Repairing;

namespace Holdfast.Vault;

/// <summary>Repairs a damaged vault as far as that can be done without losing anything that is still there.</summary>
/// <remarks>
/// Nothing is removed before what replaces it is durable, and nothing that is damaged before a copy of it lies in
/// quarantine. A repair that is cut off anywhere leaves the vault no worse, and the next one goes on. It may take a second
/// one to finish: what was brought back may lead to more that is lost.
/// </remarks>
public static class RepairRun
{
    /// <summary>Looks for damage and says what would be done about it. Nothing is written.</summary>
    /// <param name="vault">Which. Opened anew for each repair.</param>
    /// <param name="request">What is looked for, and where lost content may come from.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <exception cref="Log.HoldfastException">As for a check; kind WrongKey: the key is of another role than admin.</exception>
    public static async Task<RepairPlan> PlanAsync(OpenVault vault, RepairRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        vault.Require(VaultUse.Repair);
        using var planner = new RepairPlanner(vault, request);
        return await planner.PlanAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Does what a plan says.</summary>
    /// <param name="vault">The one that was planned for.</param>
    /// <param name="plan">What to do.</param>
    /// <param name="request">The one that was planned for.</param>
    /// <param name="cancellationToken">Heeded between steps.</param>
    /// <returns>What was done. When it returns, it is durable.</returns>
    public static Task<RepairSummary> ApplyAsync(OpenVault vault, RepairPlan plan, RepairRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(request);
        vault.Require(VaultUse.Repair);
        return new RepairWork(vault, plan.Order, request).RunAsync(cancellationToken);
    }
}
