using System.Globalization;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Points;

namespace Holdfast.Vault;

/// <summary>A key of a vault as a list shows it.</summary>
/// <param name="Id">16 hex digits; of a revoked key those that it had.</param>
/// <param name="Created">When the store received it; of a revoked key when it was made, by the clock of who made it.</param>
/// <param name="IsCurrent">Whether it is the one that opened the vault.</param>
/// <param name="Label">Its name; null where no certificate tells.</param>
/// <param name="Role">What it may do; null as the label.</param>
/// <param name="Writer">Who signs what is written with it: 16 hex digits; null as the label.</param>
/// <param name="Revoked">Since when it is trusted no more, by the clock of who revoked it; null where it is.</param>
public sealed record VaultKey(
    string Id, DateTimeOffset Created, bool IsCurrent, string? Label, KeyRole? Role, string? Writer, DateTimeOffset? Revoked)
{
    /// <summary>What is wrong with its slot, so that no password opens it; null where nothing is seen.</summary>
    public string? Damage { get; init; }
}

/// <summary>The keys of a vault: passwords, what each may do, and key epochs.</summary>
public static class VaultKeys
{
    /// <summary>All keys that open the vault, and those that were revoked.</summary>
    public static async Task<IReadOnlyList<VaultKey>> ListAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        await vault.RefreshWritersAsync(cancellationToken).ConfigureAwait(false);
        WriterBook book = vault.Sealer.Writers;
        var keys = new List<VaultKey>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(KeyDirectory.Prefix, cancellationToken).ConfigureAwait(false))
        {
            string id = entry.Name[KeyDirectory.Prefix.Length..];
            bool isCurrent = string.Equals(id, vault.KeySlotId, StringComparison.Ordinal);
            KeyRing ring = vault.Sealer.Ring;
            // What is said of our own slot, the slot itself tells best.
            WriterCertificate? certificate = isCurrent ? WriterCertificate.Of(ring, id) : book.OfSlot(id);
            string? damage = await FindDamageAsync(vault.Store, entry.Name, id, cancellationToken).ConfigureAwait(false);
            keys.Add(Describe(id, entry.Stored, isCurrent, certificate, book) with { Damage = damage });
        }

        HashSet<string> there = [.. keys.Select(static key => key.Id)];
        foreach (KnownWriter writer in book.Writers.Where(static writer => writer.IsRevoked))
        {
            string[] slots = [.. book.SlotsOf(writer.Id)];
            if (slots.Any(there.Contains)) continue;
            WriterCertificate last = book.OfSlot(slots[^1])!;
            keys.Add(Describe(slots[^1], DateTimeOffset.FromUnixTimeSeconds(last.Seconds), isCurrent: false, last, book));
        }

        return keys;
    }

    /// <summary>Adds a password that opens the same keys.</summary>
    /// <returns>The new key's id.</returns>
    /// <exception cref="HoldfastException">Kind Usage: the password opens a key already.</exception>
    public static async Task<string> AddAsync(OpenVault vault, VaultSecret secret, string label, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        await ThrowIfTakenAsync(vault, secret, cancellationToken).ConfigureAwait(false);
        KeyRing ring = vault.Sealer.Ring.WithLabel(label, vault.Host.Clock.GetUtcNow());
        return await AddSlotAsync(vault, ring, secret, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds a key of a role, with a writer of its own: what it writes can be told from what others write, and revoked.</summary>
    /// <param name="vault">Opened with the first admin's key.</param>
    /// <param name="secret">The new key's password.</param>
    /// <param name="role">What it may do.</param>
    /// <param name="label">A name for it.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <returns>The new key's id.</returns>
    /// <exception cref="HoldfastException">Kind WrongKey: the vault was opened with another key. Kind Usage: the password opens a key already.</exception>
    public static async Task<string> AddAsync(OpenVault vault, VaultSecret secret, KeyRole role, string label, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        vault.Require(VaultUse.ManageKeys);
        await ThrowIfTakenAsync(vault, secret, cancellationToken).ConfigureAwait(false);
        KeyRing ring = vault.Sealer.Ring.NewMember(role, label, vault.Host.Entropy, vault.Host.Clock.GetUtcNow());
        string id = await AddSlotAsync(vault, ring, secret, cancellationToken).ConfigureAwait(false);
        // An epoch that began meanwhile did not know the new key.
        KeyRing newest = await TakeInAsync(vault, cancellationToken).ConfigureAwait(false);
        await KeyEpochs.DeliverMissingAsync(vault, newest, static _ => true, cancellationToken).ConfigureAwait(false);
        return id;
    }

    /// <summary>Removes a key: its password opens the vault no more. With the last password of a writer, the writer is revoked.</summary>
    /// <param name="vault">The vault, opened with another key; with the first admin's where it is not a further password of the same key.</param>
    /// <param name="idOrPrefix">The key's id, or an unambiguous beginning of it.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <returns>The key; <see cref="VaultKey.Revoked"/> says whether its writer was revoked.</returns>
    /// <remarks>
    /// Who copied the key slot and knows the password can still read what was written until now, and what is written from now on
    /// until a new epoch begins (<see cref="RotateAsync"/>).
    /// </remarks>
    public static async Task<VaultKey> RemoveAsync(OpenVault vault, string idOrPrefix, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        IReadOnlyList<VaultKey> keys = await ListAsync(vault, cancellationToken).ConfigureAwait(false);
        VaultKey[] meant = [.. keys.Where(key => idOrPrefix.Length > 0 && key.Id.StartsWith(idOrPrefix, StringComparison.Ordinal))];
        if (meant.Length != 1)
        {
            // Who may remove none learns that first.
            vault.Require(VaultUse.ManageKeys);
            throw new HoldfastException(
                ErrorKind.Usage, meant.Length == 0 ? $"key {idOrPrefix}: there is none" : $"key {idOrPrefix}: {meant.Length} keys begin so",
                "see \"holdfast key list\"");
        }

        VaultKey key = meant[0];
        if (key.IsCurrent)
        {
            throw new HoldfastException(ErrorKind.Refused, $"key {key.Id}: is the one you use now", "open the vault with another key to remove it");
        }

        // The one in use may have been removed by somebody else meanwhile.
        if (keys.Count(static other => other.Revoked is null) == 1)
        {
            throw new HoldfastException(
                ErrorKind.Refused, $"key {key.Id}: is the last one", "without it nobody could open the vault: add another first");
        }

        string own = WriterStatement.IdText(vault.Sealer.WriterId);
        if (!string.Equals(key.Writer, own, StringComparison.Ordinal)) vault.Require(VaultUse.ManageKeys);
        bool isLast = key.Writer is not null && !keys.Any(other => other.Id != key.Id && string.Equals(other.Writer, key.Writer, StringComparison.Ordinal));
        if (isLast && key.Writer != own && key.Revoked is null)
        {
            ulong writer = ulong.Parse(key.Writer!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            key = key with { Revoked = await RevokeAsync(vault, writer, cancellationToken).ConfigureAwait(false) };
        }

        await vault.Store.DeleteAsync(KeyDirectory.Prefix + key.Id, cancellationToken).ConfigureAwait(false);
        return key;
    }

    /// <summary>Replaces the password in use by another. The old key goes only after the new one is durable.</summary>
    /// <returns>The new key's id.</returns>
    /// <exception cref="HoldfastException">Kind Usage: the password opens a key already, be it the same.</exception>
    public static async Task<string> ChangePasswordAsync(OpenVault vault, VaultSecret secret, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        await ThrowIfTakenAsync(vault, secret, cancellationToken).ConfigureAwait(false);
        return await ReplaceSlotAsync(vault, vault.Sealer.Ring, secret, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Begins a new key epoch: what is written from then on, a revoked key cannot read. Everybody else gets the new keys at the next
    /// opening of the vault, with the password that they have.
    /// </summary>
    /// <param name="vault">Opened with the first admin's key. It goes on with the keys it has: open it anew to write with the new ones.</param>
    /// <param name="secret">The password that opened it: the key slot is sealed anew.</param>
    /// <param name="renewIdentity">
    /// Whether chunks get other ids too, so that who had a key cannot tell by guessing what is stored from then on; nothing new is
    /// deduplicated against what is there.
    /// </param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <returns>The epoch's number, and the new id of the key in use.</returns>
    /// <exception cref="HoldfastException">Kind WrongKey: the vault was opened with another key. Kind Busy: somebody else began an epoch just now.</exception>
    public static async Task<(uint Epoch, string Key)> RotateAsync(
        OpenVault vault, VaultSecret secret, bool renewIdentity, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        vault.Require(VaultUse.ManageKeys);
        KeyRing ring = await KeyEpochs.BeginAsync(vault, renewIdentity, cancellationToken).ConfigureAwait(false);
        // From here on the new keys are in two places: who loses the one object can still open with the slot.
        string key = await ReplaceSlotAsync(vault, ring, secret, cancellationToken).ConfigureAwait(false);
        await KeyEpochs.DeliverMissingAsync(vault, ring, static _ => true, cancellationToken).ConfigureAwait(false);
        return (ring.Current.Number, key);
    }

    private static Task ThrowIfTakenAsync(OpenVault vault, VaultSecret secret, CancellationToken cancellationToken) =>
        KeyDirectory.ThrowIfTakenAsync(vault.Store, vault.VaultId, secret, cancellationToken);

    private static async Task<string?> FindDamageAsync(IObjectStore store, string name, string id, CancellationToken cancellationToken)
    {
        try
        {
            if (await store.TryGetAsync(name, KeySlot.MaxBytes, cancellationToken).ConfigureAwait(false) is { } slot) KeySlot.ThrowIfMalformed(slot, id);
            return null;
        }
        catch (HoldfastException error) when (error is not ObjectStoreException { IsRetriable: true })
        {
            return error is DamageException damage ? damage.What : error.Message;
        }
    }

    private static VaultKey Describe(string id, DateTimeOffset created, bool isCurrent, WriterCertificate? certificate, WriterBook book)
    {
        if (certificate is null) return new VaultKey(id, created, isCurrent, null, null, null, null);
        KnownWriter? writer = book.Find(certificate.WriterId);
        DateTimeOffset? revoked = writer is { IsRevoked: true } ? DateTimeOffset.FromUnixTimeSeconds(writer.RevokedSeconds) : null;
        return new VaultKey(id, created, isCurrent, certificate.Label, writer?.Role ?? certificate.Role, WriterStatement.IdText(certificate.WriterId), revoked);
    }

    private static async Task<string> ReplaceSlotAsync(OpenVault vault, KeyRing ring, VaultSecret secret, CancellationToken cancellationToken)
    {
        string id = await AddSlotAsync(vault, ring, secret, cancellationToken).ConfigureAwait(false);
        string old = vault.KeySlotId;
        vault.KeySlotId = id;
        await vault.Store.DeleteAsync(KeyDirectory.Prefix + old, cancellationToken).ConfigureAwait(false);
        return id;
    }

    /// <summary>The certificate first: what a key wrote that nobody knows could not be read.</summary>
    private static async Task<string> AddSlotAsync(OpenVault vault, KeyRing ring, VaultSecret secret, CancellationToken cancellationToken)
    {
        await KeyDirectory.ThrowIfFullAsync(vault.Store, cancellationToken).ConfigureAwait(false);
        string id = KeyDirectory.NewId(vault.Host.Entropy);
        await WriterStatement.PutAsync(vault.Store, vault.Sealer, WriterCertificate.Of(ring, id), cancellationToken).ConfigureAwait(false);
        await KeyDirectory.AddAsync(vault.Host, vault.Store, vault.VaultId, id, ring, secret, cancellationToken).ConfigureAwait(false);
        return id;
    }

    private static async Task<KeyRing> TakeInAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        var entries = new List<ObjectEntry>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(EpochDelivery.Prefix, cancellationToken).ConfigureAwait(false)) entries.Add(entry);
        return (await KeyEpochs.TakeInAsync(vault.Store, vault.Sealer.Ring, vault.Host.Entropy, entries, vault.TellOfDamage, cancellationToken).ConfigureAwait(false)).Ring;
    }

    /// <summary>Says that a writer is trusted no more, and which of its points and decisions stand.</summary>
    internal static async Task<DateTimeOffset> RevokeAsync(OpenVault vault, ulong writerId, CancellationToken cancellationToken)
    {
        DateTimeOffset now = vault.Host.Clock.GetUtcNow();
        PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        Removals removals = await Removals.ReadAsync(vault, null, cancellationToken).ConfigureAwait(false);
        List<RestorePoint> points = await RestorePoints.ReadAllAsync(vault, static _ => true, cancellationToken).ConfigureAwait(false);
        SessionId[] standing = [.. points.Where(point => point.WriterId == writerId).Select(static point => point.Id).Order()];
        // One object at least, also for who made no point.
        foreach (SessionId[] part in standing.Length == 0 ? [[]] : standing.Chunk(WriterRevocation.MaxPoints))
        {
            var revocation = new WriterRevocation(writerId, now.ToUnixTimeSeconds(), marks.Next, removals.Next, part);
            await WriterStatement.PutAsync(vault.Store, vault.Sealer, revocation, cancellationToken).ConfigureAwait(false);
        }

        return DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
    }
}
