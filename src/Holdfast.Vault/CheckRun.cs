using Holdfast.Vault.Checking;

namespace Holdfast.Vault;

/// <summary>Verifies that a vault is whole, and says what is lost where it is not.</summary>
/// <remarks>
/// Nothing is written but records: of what was found broken, and of what was verified when, each on request. Damage never
/// ends a check: it is reported, and the rest is checked all the same. About 45 bytes
/// of memory a chunk (36 for id and length, 8 to find it), and 5 for each time a distinct tree names one; reading content
/// takes 9 MiB a worker whatever the vault holds. So 10⁷ chunks (600 GB) take half a gigabyte, and 10⁹ (60 TB) 50: the
/// table, not the content, bounds what one check can do. Its numbers end at 2³¹ chunks.
/// </remarks>
public static class CheckRun
{
    /// <summary>Checks a vault.</summary>
    /// <param name="vault">Which. Its caches are not believed: all is read from the store.</param>
    /// <param name="request">What of it, and how.</param>
    /// <param name="cancellationToken">Stops the check; there is no report then.</param>
    /// <exception cref="Log.HoldfastException">The store cannot be reached, or the key does not allow reading.</exception>
    public static async Task<CheckReport> RunAsync(OpenVault vault, CheckRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        if (request.Subset is <= 0 or > 1 or double.NaN) throw new ArgumentException("a subset is above 0 and at most 1", nameof(request));
        vault.Require(request.ReadData ? VaultUse.ReadData : VaultUse.ReadTrees);
        if (request.Part is { } part && (part.Number < 1 || part.Number > part.Count)) throw new ArgumentException("a part is from 1 to their number", nameof(request));
        using var work = new CheckWork(vault, request);
        return await work.RunAsync(cancellationToken).ConfigureAwait(false);
    }
}
