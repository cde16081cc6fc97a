using System.Security.Cryptography;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Copying;

/// <summary>The key epochs that two vaults have in common: what is sealed under them in one opens in the other.</summary>
internal sealed class SharedKeys
{
    private readonly HashSet<uint> epochs;

    private SharedKeys(HashSet<uint> epochs, bool areAll)
    {
        this.epochs = epochs;
        AreAll = areAll;
    }

    /// <summary>Whether nothing there is sealed under keys that are not known here.</summary>
    public bool AreAll { get; }

    /// <summary>What two vaults have in common; null where some content there may have a name that is not known here.</summary>
    /// <remarks>
    /// Epochs of the same number may differ: both vaults can be rotated after one got the keys of the other. An epoch is made as a
    /// whole, so that <i>b</i>, which every role has, tells whether two are the same.
    /// </remarks>
    public static SharedKeys? Of(OpenVault from, OpenVault to)
    {
        var epochs = new HashSet<uint>();
        bool areAll = true;
        foreach (KeyEpoch there in from.Sealer.Ring.Epochs)
        {
            if (to.Sealer.Ring.Epochs.Any(here => here.Number == there.Number && AreSame(here.Index, there.Index)))
            {
                epochs.Add(there.Number);
                continue;
            }

            areAll = false;
            // Whoever only rotates goes on with the names that there are.
            if (!to.Sealer.Ring.Epochs.Any(here => AreSame(here.Identity, there.Identity))) return null;
        }

        return epochs.Count == 0 ? null : new SharedKeys(epochs, areAll);
    }

    /// <summary>Whether groups under a key of a pack there can be opened here.</summary>
    public bool Opens(PackKey key) => epochs.Contains(key.Epoch);

    private static bool AreSame(byte[]? one, byte[]? other) => one is not null && other is not null && CryptographicOperations.FixedTimeEquals(one, other);
}
