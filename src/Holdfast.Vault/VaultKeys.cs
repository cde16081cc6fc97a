using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault;

/// <summary>A key of a vault as a list shows it.</summary>
/// <param name="Id">16 hex digits.</param>
/// <param name="Created">When the store received it.</param>
/// <param name="IsCurrent">Whether it is the one that opened the vault.</param>
/// <param name="Label">Its name; null for keys of other passwords, whose labels are sealed.</param>
/// <param name="Role">What it may do; null as the label.</param>
public sealed record VaultKey(string Id, DateTimeOffset Created, bool IsCurrent, string? Label, string? Role);

/// <summary>The passwords of a vault.</summary>
public static class VaultKeys
{
    /// <summary>All keys.</summary>
    public static async Task<IReadOnlyList<VaultKey>> ListAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        var keys = new List<VaultKey>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(KeyDirectory.Prefix, cancellationToken).ConfigureAwait(false))
        {
            string id = entry.Name[KeyDirectory.Prefix.Length..];
            bool current = string.Equals(id, vault.KeySlotId, StringComparison.Ordinal);
            KeyRing ring = vault.Sealer.Ring;
            keys.Add(new VaultKey(id, entry.Stored, current, current ? ring.Label : null, current ? ring.Role.ToString().ToLowerInvariant() : null));
        }

        return keys;
    }

    /// <summary>Adds a password that opens the same keys.</summary>
    /// <returns>The new key's id.</returns>
    public static Task<string> AddAsync(OpenVault vault, VaultSecret secret, string label, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        KeyRing ring = vault.Sealer.Ring.WithLabel(label, vault.Host.Clock.GetUtcNow());
        return KeyDirectory.AddAsync(vault.Host, vault.Store, vault.VaultId, ring, secret, cancellationToken);
    }

    /// <summary>Removes a key: its password opens the vault no more. Refuses the one in use, and so the last.</summary>
    /// <param name="vault">The vault, opened with another key.</param>
    /// <param name="idOrPrefix">The key's id, or an unambiguous beginning of it.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <remarks>Who copied the key slot and knows the password can still read what was written until now.</remarks>
    public static async Task<string> RemoveAsync(OpenVault vault, string idOrPrefix, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        IReadOnlyList<VaultKey> keys = await ListAsync(vault, cancellationToken).ConfigureAwait(false);
        VaultKey[] meant = [.. keys.Where(key => idOrPrefix.Length > 0 && key.Id.StartsWith(idOrPrefix, StringComparison.Ordinal))];
        if (meant.Length != 1)
        {
            throw new HoldfastException(
                ErrorKind.Usage, meant.Length == 0 ? $"key {idOrPrefix}: there is none" : $"key {idOrPrefix}: {meant.Length} keys begin so",
                "see \"holdfast key list\"");
        }

        if (meant[0].IsCurrent)
        {
            throw new HoldfastException(ErrorKind.Refused, $"key {meant[0].Id}: is the one you use now", "open the vault with another key to remove it");
        }

        // The one in use may have been removed by somebody else meanwhile.
        if (keys.Count == 1)
        {
            throw new HoldfastException(
                ErrorKind.Refused, $"key {meant[0].Id}: is the last one", "without it nobody could open the vault: add another first");
        }

        await vault.Store.DeleteAsync(KeyDirectory.Prefix + meant[0].Id, cancellationToken).ConfigureAwait(false);
        return meant[0].Id;
    }

    /// <summary>Replaces the password in use by another. The old key goes only after the new one is durable.</summary>
    /// <returns>The new key's id.</returns>
    public static async Task<string> ChangePasswordAsync(OpenVault vault, VaultSecret secret, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        string id = await AddAsync(vault, secret, vault.Sealer.Ring.Label, cancellationToken).ConfigureAwait(false);
        string old = vault.KeySlotId;
        vault.KeySlotId = id;
        await vault.Store.DeleteAsync(KeyDirectory.Prefix + old, cancellationToken).ConfigureAwait(false);
        return id;
    }
}
