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

    // In a message.
    private const int MostNamed = 3;

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

    /// <summary>Refuses a password that opens a slot already: whose keys it would open from then on, nobody could say.</summary>
    /// <exception cref="HoldfastException">Kind Usage.</exception>
    /// <remarks>Costs a derivation for each slot.</remarks>
    public static async Task ThrowIfTakenAsync(IObjectStore store, byte[] vaultId, VaultSecret secret, CancellationToken cancellationToken)
    {
        KeySearch search = await SearchAsync(store, vaultId, secret, static _ => true, DefaultMaxWork, cancellationToken).ConfigureAwait(false);
        if (search.Found is not { } found) return;
        throw new HoldfastException(
            ErrorKind.Usage, $"the new password is that of key {found.Slot} already, and a password opens one key", "choose another password");
    }

    /// <summary>Opens the slot that a password fits.</summary>
    /// <param name="store">The vault's.</param>
    /// <param name="vaultId">The vault.</param>
    /// <param name="secret">The password.</param>
    /// <param name="cancellationToken">Heeded between slots.</param>
    /// <param name="isEnough">
    /// Whether a ring does for what it is wanted for; null for any. Only where one does not are further slots tried, as a vault may
    /// have several with the same password; where none does, it is the first that opened.
    /// </param>
    /// <param name="maxWork">Bytes of memory times passes, for all slots that are tried.</param>
    /// <remarks>
    /// Nothing in a slot can be believed before it opens. Cheap ones are tried first and the work for all is bounded, so
    /// that slots which somebody else put there cost little time and no memory.
    /// </remarks>
    public static async Task<(string Slot, KeyRing Ring)> OpenAsync(
        IObjectStore store, byte[] vaultId, VaultSecret secret, CancellationToken cancellationToken, Func<KeyRing, bool>? isEnough = null,
        ulong maxWork = DefaultMaxWork)
    {
        KeySearch search = await SearchAsync(store, vaultId, secret, isEnough ?? (static _ => true), maxWork, cancellationToken).ConfigureAwait(false);
        if (search.Found is { } found) return found;
        if (search.Unreadable is not null) throw search.Unreadable;
        if (search.Damaged.Count > 0)
        {
            (string Slot, string What)[] some = [.. search.Damaged.Take(MostNamed)];
            string more = search.Damaged.Count > some.Length ? "; …" : "";
            throw new HoldfastException(
                ErrorKind.Damage, $"{store.Address}: this password opens none of the keys that are whole; damaged: {string.Join("; ", some.Select(static slot => $"{slot.Slot}: {slot.What}"))}{more}",
                $"use another password, or bring {string.Join(" or ", some.Select(static slot => slot.Slot))} back: \"holdfast repair --from\" a copy of the vault does it, or copy the file from there");
        }

        if (search.SlotCount == 0)
        {
            throw new HoldfastException(
                ErrorKind.Damage, $"{store.Address}: the vault has no key slot left", "bring one back from a copy of the vault: \"holdfast repair --from\" the copy, or copy its directory keys/");
        }

        throw new HoldfastException(ErrorKind.WrongKey, $"{store.Address}: wrong password", "it fits none of the vault's keys");
    }

    private static async Task<KeySearch> SearchAsync(
        IObjectStore store, byte[] vaultId, VaultSecret secret, Func<KeyRing, bool> isEnough, ulong maxWork, CancellationToken cancellationToken)
    {
        var search = new KeySearch();
        List<(string Id, byte[] Content, ulong Work)> slots = await ReadAsync(store, search, cancellationToken).ConfigureAwait(false);
        search.SlotCount = slots.Count;
        ulong done = 0;
        foreach ((string id, byte[] content, ulong work) in slots.OrderBy(static slot => slot.Work))
        {
            done += work;
            if (done > maxWork)
            {
                search.Unreadable ??= new DamageException(Prefix + id, "asks for more work than is left for a password, as do those that were not tried");
                break;
            }

            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (KeySlot.TryOpen(content, secret, vaultId, id) is not { } ring) continue;
                if (isEnough(ring))
                {
                    search.Found = (id, ring);
                    break;
                }

                search.Found ??= (id, ring);
            }
            catch (HoldfastException error)
            {
                // Another slot may still fit; if none does, this is the reason to name.
                search.Unreadable = error;
            }
        }

        return search;
    }

    /// <summary>The slots that look like some; why others do not is noted.</summary>
    private static async Task<List<(string Id, byte[] Content, ulong Work)>> ReadAsync(IObjectStore store, KeySearch search, CancellationToken cancellationToken)
    {
        var slots = new List<(string Id, byte[] Content, ulong Work)>();
        int met = 0;
        await foreach (ObjectEntry entry in store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (++met > MaxSlots)
            {
                search.Unreadable = new DamageException(store.Address, $"has more than {MaxSlots} key slots, of which only so many are tried");
                break;
            }

            try
            {
                string id = entry.Name[Prefix.Length..];
                byte[]? slot = await store.TryGetAsync(entry.Name, KeySlot.MaxBytes, cancellationToken).ConfigureAwait(false);
                if (slot is not null) slots.Add((id, slot, KeySlot.ThrowIfMalformed(slot, id)));
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                search.Damaged.Add((entry.Name, error is DamageException damage ? damage.What : error.Message));
            }
            catch (HoldfastException error)
            {
                search.Unreadable = error;
            }
        }

        return slots;
    }

    /// <summary>What came of trying a password on the slots of a vault.</summary>
    private sealed class KeySearch
    {
        public (string Slot, KeyRing Ring)? Found { get; set; }

        public int SlotCount { get; set; }

        public List<(string Slot, string What)> Damaged { get; } = [];

        /// <summary>Why another slot was not tried, or could not be.</summary>
        public HoldfastException? Unreadable { get; set; }
    }
}
