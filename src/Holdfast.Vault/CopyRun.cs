using Holdfast.Log;
using Holdfast.Vault.Copying;

namespace Holdfast.Vault;

/// <summary>Copies restore points from one vault to another.</summary>
/// <remarks>
/// A copied point has the time, host, roots, tags and counts of the one it was made of, and says which that was: so the next
/// copy knows that it is there. A copy that is cut off leaves whole points only, and what it uploaded of the next is found by
/// the next run. The vault that is copied to may be in use by others; so may the other, but a point that is forgotten and
/// pruned there meanwhile cannot be copied.
/// </remarks>
public static class CopyRun
{
    /// <summary>Copies what the vault lacks, oldest first.</summary>
    /// <param name="vault">Where to: opened with a key that makes points.</param>
    /// <param name="request">What, and from where.</param>
    /// <param name="cancellationToken">Heeded between chunks; points that were copied by then stay.</param>
    /// <returns>What was done. When it returns, it is durable.</returns>
    /// <exception cref="HoldfastException">
    /// Kind WrongKey: a key may not. Kind Usage: both are the same vault. Others: a store failed; damage of single points does not end it.
    /// </exception>
    public static Task<CopySummary> RunAsync(OpenVault vault, CopyRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        vault.Require(VaultUse.Backup);
        // What is sealed under keys that both have goes over as it is.
        var keys = SharedKeys.Of(request.From, vault);
        request.From.Require(keys is { AreAll: true } ? VaultUse.SeePoints : VaultUse.ReadData);
        if (string.Equals(vault.Id, request.From.Id, StringComparison.Ordinal))
        {
            throw new HoldfastException(
                ErrorKind.Usage, $"{request.From.Address}: is the vault {vault.Address} itself, or a plain copy of it", "name another vault to copy from");
        }

        return new CopyWork(vault, request, keys).RunAsync(cancellationToken);
    }
}
