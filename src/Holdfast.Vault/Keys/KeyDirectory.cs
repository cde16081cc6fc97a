using Holdfast.Log;
using Holdfast.Storage;

namespace Holdfast.Vault.Keys;

/// <summary>The key slots of a vault: objects under <c>keys/</c>.</summary>
internal static class KeyDirectory
{
    public const string Prefix = "keys/";

    /// <summary>Puts a ring into a new slot under a password.</summary>
    /// <returns>The slot's id: 16 hex digits.</returns>
    public static async Task<string> AddAsync(
        Host host, IObjectStore store, byte[] vaultId, KeyRing ring, VaultSecret secret, CancellationToken cancellationToken)
    {
        byte[] drawn = new byte[8];
        host.Entropy.Fill(drawn);
        string id = Convert.ToHexStringLower(drawn);
        byte[] slot = KeySlot.Seal(ring, secret, vaultId, id, PasswordKey.CalibratePasses(host.Clock), host.Entropy);
        PutOutcome outcome = await store.PutIfAbsentAsync(Prefix + id, slot, cancellationToken).ConfigureAwait(false);
        if (outcome == PutOutcome.Taken) throw new HoldfastException(ErrorKind.Failed, $"{Prefix}{id}: the name is taken", "run it again");
        return id;
    }

    /// <summary>Opens the slot that a password fits.</summary>
    public static async Task<(string Slot, KeyRing Ring)> OpenAsync(
        IObjectStore store, byte[] vaultId, VaultSecret secret, CancellationToken cancellationToken)
    {
        int slots = 0;
        HoldfastException? unreadable = null;
        await foreach (ObjectEntry entry in store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            slots++;
            try
            {
                byte[]? slot = await store.TryGetAsync(entry.Name, KeySlot.MaxBytes, cancellationToken).ConfigureAwait(false);
                string id = entry.Name[Prefix.Length..];
                if (slot is not null && KeySlot.TryOpen(slot, secret, vaultId, id) is { } ring) return (id, ring);
            }
            catch (HoldfastException error)
            {
                // Another slot may still fit; if none does, this is the reason to name.
                unreadable = error;
            }
        }

        if (unreadable is not null) throw unreadable;
        if (slots == 0) throw new DamageException(store.Address, "the vault has no key slot left");
        throw new HoldfastException(ErrorKind.WrongKey, $"{store.Address}: wrong password", "it fits none of the vault's keys");
    }
}
