using Holdfast.Log;
using Holdfast.Storage;

namespace Holdfast.Vault.Keys;

/// <summary>The key slots of a vault: objects under <c>keys/</c>.</summary>
internal static class KeyDirectory
{
    public const string Prefix = "keys/";

    /// <summary>Bytes of a slot's id.</summary>
    public const int IdBytes = 8;

    /// <summary>No vault has more: each costs whoever opens it a derivation.</summary>
    public const int MaxSlots = 64;

    // Bytes of memory times passes, for all slots together: a hundred slots as they are made, some ten seconds.
    private const ulong DefaultMaxWork = 24UL << 30;

    /// <summary>Draws the id of a new slot: 16 hex digits.</summary>
    public static string NewId(IEntropy entropy)
    {
        Span<byte> drawn = stackalloc byte[IdBytes];
        entropy.Fill(drawn);
        return Convert.ToHexStringLower(drawn);
    }

    /// <summary>Puts a ring into a new slot under a password.</summary>
    public static async Task AddAsync(
        Host host, IObjectStore store, byte[] vaultId, string id, KeyRing ring, VaultSecret secret, CancellationToken cancellationToken)
    {
        await ThrowIfFullAsync(store, cancellationToken).ConfigureAwait(false);
        byte[] slot = KeySlot.Seal(ring, secret, vaultId, id, PasswordKey.CalibratePasses(host.Clock), host.Entropy);
        PutOutcome outcome = await store.PutIfAbsentAsync(Prefix + id, slot, cancellationToken).ConfigureAwait(false);
        if (outcome == PutOutcome.Taken) throw new HoldfastException(ErrorKind.Failed, $"{Prefix}{id}: the name is taken", "run it again");
    }

    /// <summary>Refuses a vault that has as many keys as can be.</summary>
    public static async Task ThrowIfFullAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        int slots = 0;
        await foreach (ObjectEntry _ in store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false)) slots++;
        if (slots < MaxSlots) return;
        throw new HoldfastException(ErrorKind.Refused, $"{store.Address}: has {slots} keys, which is as many as a vault can have", "remove one first (holdfast key remove)");
    }

    /// <summary>Opens the slot that a password fits.</summary>
    /// <param name="store">The vault's.</param>
    /// <param name="vaultId">The vault.</param>
    /// <param name="secret">The password.</param>
    /// <param name="cancellationToken">Heeded between slots.</param>
    /// <param name="maxWork">Bytes of memory times passes, for all slots that are tried.</param>
    /// <remarks>
    /// Nothing in a slot can be believed before it opens. Cheap ones are tried first and the work for all is bounded, so
    /// that slots which somebody else put there cost little time and no memory.
    /// </remarks>
    public static async Task<(string Slot, KeyRing Ring)> OpenAsync(
        IObjectStore store, byte[] vaultId, VaultSecret secret, CancellationToken cancellationToken, ulong maxWork = DefaultMaxWork)
    {
        (List<(string Id, byte[] Content, ulong Work)> slots, HoldfastException? unreadable) =
            await ReadAsync(store, cancellationToken).ConfigureAwait(false);
        ulong done = 0;
        foreach ((string id, byte[] content, ulong work) in slots.OrderBy(static slot => slot.Work))
        {
            done += work;
            if (done > maxWork)
            {
                unreadable ??= new DamageException(Prefix + id, "asks for more work than is left for a password, as do those that were not tried");
                break;
            }

            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (KeySlot.TryOpen(content, secret, vaultId, id) is { } ring) return (id, ring);
            }
            catch (HoldfastException error)
            {
                // Another slot may still fit; if none does, this is the reason to name.
                unreadable = error;
            }
        }

        if (unreadable is not null) throw unreadable;
        if (slots.Count == 0) throw new DamageException(store.Address, "the vault has no key slot left");
        throw new HoldfastException(ErrorKind.WrongKey, $"{store.Address}: wrong password", "it fits none of the vault's keys");
    }

    /// <summary>The slots that look like some, and why others do not.</summary>
    private static async Task<(List<(string Id, byte[] Content, ulong Work)> Slots, HoldfastException? Unreadable)> ReadAsync(
        IObjectStore store, CancellationToken cancellationToken)
    {
        var slots = new List<(string Id, byte[] Content, ulong Work)>();
        HoldfastException? unreadable = null;
        int met = 0;
        await foreach (ObjectEntry entry in store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (++met > MaxSlots)
            {
                unreadable = new DamageException(store.Address, $"has more than {MaxSlots} key slots, of which only so many are tried");
                break;
            }

            try
            {
                string id = entry.Name[Prefix.Length..];
                byte[]? slot = await store.TryGetAsync(entry.Name, KeySlot.MaxBytes, cancellationToken).ConfigureAwait(false);
                if (slot is not null) slots.Add((id, slot, KeySlot.ThrowIfMalformed(slot, id)));
            }
            catch (HoldfastException error)
            {
                unreadable = error;
            }
        }

        return (slots, unreadable);
    }
}
