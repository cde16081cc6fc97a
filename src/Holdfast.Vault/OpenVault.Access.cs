using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault;

public sealed partial class OpenVault
{
    /// <summary>What the key that opened the vault may do.</summary>
    public KeyRole Role => Sealer.Ring.Role;

    /// <summary>Throws unless the key that opened the vault allows a use: for who wants to know before work begins.</summary>
    /// <exception cref="HoldfastException">Kind WrongKey: it does not.</exception>
    public void Require(VaultUse use)
    {
        if (!RoleRules.Allows(Role, use))
        {
            throw new HoldfastException(
                ErrorKind.WrongKey, $"this key has the role {RoleRules.NameOf(Role)}, which may not {RoleRules.Describe(use)}",
                use == VaultUse.ManageKeys
                    ? "use the first admin's, with which the vault was made"
                    : $"use a key of the role {RoleRules.WhoMay(use)} (see \"holdfast key list\")");
        }

        if (use == VaultUse.ManageKeys && !Sealer.Ring.IsOfFirstAdmin)
        {
            throw new HoldfastException(
                ErrorKind.WrongKey, $"this key may not {RoleRules.Describe(use)}: only the first admin's may, with which the vault was made", "use that key");
        }

        bool writes = use is VaultUse.Backup or VaultUse.MarkPoints or VaultUse.Prune or VaultUse.Rewrap or VaultUse.Repair or VaultUse.ManageKeys;
        if (!writes) return;
        RequireStanding(use);
        // A repair may bring it back.
        if (use != VaultUse.Repair) RequireNewestEpoch();
    }

    private static bool Suits(KeyRing ring, VaultUse use) => RoleRules.Allows(ring.Role, use) && (use != VaultUse.ManageKeys || ring.IsOfFirstAdmin);

    /// <summary>Throws where somebody began a key epoch that this key did not get: what it would write, keys that were removed could read.</summary>
    internal void RequireNewestEpoch()
    {
        if (Sealer.LackedEpoch is not 0 and uint epoch)
        {
            throw new HoldfastException(
                ErrorKind.WrongKey, $"{Address}: this key lacks key epoch {epoch}: what it wrote, keys that were removed could read",
                "run \"holdfast repair\" with the first admin's key, which delivers it, or \"holdfast repair --from\" a copy of the vault");
        }
    }

    /// <summary>Throws unless others count what this key writes.</summary>
    private void RequireStanding(VaultUse use)
    {
        if (!Sealer.Writers.IsRead || Sealer.WriterId == Sealer.AdminId) return;
        KnownWriter own = Sealer.Writers.Find(Sealer.WriterId)!;
        if (own.IsRevoked) throw new HoldfastException(ErrorKind.WrongKey, $"this key was revoked: it may not {RoleRules.Describe(use)}", "use another key");
        if (own.IsCertified) return;
        throw new HoldfastException(
            ErrorKind.WrongKey, "the certificate of this key is not in the vault: nobody else could read what it writes", "remove the key and add another (holdfast key)");
    }

    /// <summary>Looks again at who is known, trusted and revoked.</summary>
    internal async Task RefreshWritersAsync(CancellationToken cancellationToken)
    {
        List<ObjectEntry> entries = await ListAllAsync(Store, WriterStatement.Prefix, cancellationToken).ConfigureAwait(false);
        Sealer.Writers = await WriterBook.ReadAsync(Store, Sealer, entries, TellOfDamage, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a vault with a ring that was opened before: takes in what was said of epochs and writers since it was made.</summary>
    internal static async Task<OpenVault> OpenAsync(
        Host host, IObjectStore store, byte[] id, string slot, KeyRing ring, long cacheBytes, CancellationToken cancellationToken)
    {
        var damages = new List<Exception>();
        // Both at once: a distant store takes its time for each.
        Task<List<ObjectEntry>> writers = ListAllAsync(store, WriterStatement.Prefix, cancellationToken);
        Task<List<ObjectEntry>> epochs = ListAllAsync(store, EpochDelivery.Prefix, cancellationToken);
        await Task.WhenAll(writers, epochs).ConfigureAwait(false);
        (ring, uint newest) = await KeyEpochs.TakeInAsync(store, ring, host.Entropy, await epochs.ConfigureAwait(false), Tell, cancellationToken).ConfigureAwait(false);
        var vault = new OpenVault(host, store, id, slot, ring, cacheBytes);
        vault.Sealer.NoteEpoch(newest);
        vault.Sealer.Writers = await WriterBook.ReadAsync(
            store, vault.Sealer, await writers.ConfigureAwait(false), Tell, cancellationToken).ConfigureAwait(false);
        foreach (Exception damage in damages) vault.TellOfDamage(damage);
        return vault;

        void Tell(Exception damage)
        {
            lock (damages) damages.Add(damage);
        }
    }

    private static async Task<List<ObjectEntry>> ListAllAsync(IObjectStore store, string prefix, CancellationToken cancellationToken)
    {
        var entries = new List<ObjectEntry>();
        await foreach (ObjectEntry entry in store.ListAsync(prefix, cancellationToken).ConfigureAwait(false)) entries.Add(entry);
        return entries;
    }
}
