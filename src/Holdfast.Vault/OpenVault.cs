using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault;

/// <summary>A vault that was opened with a key: what backup, restore and check work on. May be used from any thread.</summary>
public sealed partial class OpenVault : IDisposable
{
    /// <summary>How much the caches of an opened vault may hold unless said otherwise.</summary>
    public const long DefaultCacheBytes = 48 << 20;

    // A vault can be made to have any number.
    private const int MaxDamages = 1000;

    private readonly HashSet<string> damagesTold = new(StringComparer.Ordinal);
    private readonly List<string> damages = [];
    private readonly Dictionary<SessionId, HoldfastException> unreadablePoints = [];
    private readonly Lock gate = new();

    // Of two threads that make one, either will do.
    private ChunkIdentity? dataIdentity;
    private ChunkIdentity? treeIdentity;
    private Chunker? chunker;

    // As they were read last; what was read is not read again.
    private volatile Points.Removals? removals;

    private OpenVault(Host host, IObjectStore store, byte[] id, string keySlot, KeyRing ring, long cacheBytes)
    {
        Host = host;
        Store = store;
        VaultId = id;
        KeySlotId = keySlot;
        CacheBytes = cacheBytes;
        Sealer = new ObjectSealer(ring, host.Entropy);
        Index = new VaultIndex(store, Sealer, cacheBytes / 2, TellOfDamage);
        Index.RemovalSource = ReadRemovedAsync;
        DataProof = new ChunkProof([.. ring.Identities().Select(static epoch => epoch.DataIdentity())]);
        TreeProof = new ChunkProof([.. ring.Identities().Select(static epoch => epoch.TreeIdentity())]);
        TreeChunks = new ChunkFetcher(Index, ObjectKind.TreePack, TreeProof, cacheBytes / 4);
        DataChunks = new ChunkFetcher(Index, ObjectKind.DataPack, DataProof, cacheBytes / 4);
        Trees = new TreeReader(TreeChunks);
    }

    /// <summary>The key slot that opened it, as <c>key list</c> shows it.</summary>
    public string KeySlotId { get; internal set; }

    /// <summary>Whether that slot is a copy's: the vault's own is damaged or missing.</summary>
    internal bool IsOpenedByCopy { get; private set; }

    /// <summary>The vault's id: 32 hex digits.</summary>
    public string Id => Convert.ToHexStringLower(VaultId);

    /// <summary>Where it lies.</summary>
    public string Address => Store.Address;

    internal Host Host { get; }

    internal IObjectStore Store { get; }

    internal byte[] VaultId { get; }

    internal ObjectSealer Sealer { get; }

    /// <summary>How much its caches may hold.</summary>
    internal long CacheBytes { get; }

    internal VaultIndex Index { get; }

    /// <summary>Names new chunks of data. Made when it is asked for: not every key may.</summary>
    internal ChunkIdentity DataIdentity => dataIdentity ??= Sealer.Ring.Current.DataIdentity();

    internal ChunkIdentity TreeIdentity => treeIdentity ??= Sealer.Ring.Current.TreeIdentity();

    internal Chunker Chunker => chunker ??= Sealer.Ring.Current.Chunker();

    /// <summary>Verifies chunks of data that were read.</summary>
    internal ChunkProof DataProof { get; }

    internal ChunkProof TreeProof { get; }

    /// <summary>Computes checks of chunks, for one thread; the caller disposes it.</summary>
    internal ChunkChecker NewChecker() => Sealer.Ring.Current.Checker();

    internal ChunkFetcher TreeChunks { get; }

    internal ChunkFetcher DataChunks { get; }

    internal TreeReader Trees { get; }

    /// <summary>Restore points that are in the vault but could not be read when they were listed, each with the reason.</summary>
    public IReadOnlyDictionary<SessionId, HoldfastException> UnreadablePoints
    {
        get
        {
            lock (gate) return new Dictionary<SessionId, HoldfastException>(unreadablePoints);
        }
    }

    /// <summary>Whether all marks could be read so far: else it is not known which points are on hold, or were dropped.</summary>
    public bool AreMarksKnown { get; private set; } = true;

    /// <summary>Damage met so far while index objects and packs were read, each told once.</summary>
    public IReadOnlyList<string> Damages
    {
        get
        {
            lock (gate) return [.. damages];
        }
    }

    /// <summary>Makes a new vault and opens it. Refuses a place that is not empty.</summary>
    /// <param name="host">The world.</param>
    /// <param name="store">Where the vault is to lie.</param>
    /// <param name="secret">Opens the first key, which may do everything.</param>
    /// <param name="label">A name for that key.</param>
    /// <param name="cancellationToken">Cancelled before the descriptor is written, it leaves no vault.</param>
    /// <remarks>The descriptor is written last: a vault exists once its key can be opened.</remarks>
    public static Task<OpenVault> InitAsync(Host host, IObjectStore store, VaultSecret secret, string label, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        return InitWithRingAsync(host, store, secret, KeyRing.CreateAdmin(host.Entropy, host.Clock.GetUtcNow(), label), cancellationToken);
    }

    /// <summary>Makes a new vault with the keys of another, of all its epochs, and opens it: the same content has the same names in both.</summary>
    /// <param name="host">The world.</param>
    /// <param name="store">Where the vault is to lie.</param>
    /// <param name="secret">Opens its first key; may be another than the other vault's.</param>
    /// <param name="label">A name for that key.</param>
    /// <param name="secretsOf">The other vault, opened with its first admin's key. Its other keys are not known in the new one.</param>
    /// <param name="cancellationToken">As of <see cref="InitAsync"/>.</param>
    /// <exception cref="HoldfastException">Kind WrongKey: the other vault was opened with another key.</exception>
    public static Task<OpenVault> InitWithSecretsOfAsync(
        Host host, IObjectStore store, VaultSecret secret, string label, OpenVault secretsOf, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(secretsOf);
        secretsOf.Require(VaultUse.ManageKeys);
        return InitWithRingAsync(host, store, secret, secretsOf.Sealer.Ring.WithLabel(label, host.Clock.GetUtcNow()), cancellationToken);
    }

    private static async Task<OpenVault> InitWithRingAsync(
        Host host, IObjectStore store, VaultSecret secret, KeyRing ring, CancellationToken cancellationToken)
    {
        await RequireEmptyAsync(store, cancellationToken).ConfigureAwait(false);
        await store.VerifyCapabilitiesAsync(cancellationToken).ConfigureAwait(false);
        byte[] id = new byte[VaultDescriptor.IdBytes];
        host.Entropy.Fill(id);
        string slot = KeyDirectory.NewId(host.Entropy);
        await KeyDirectory.AddAsync(host, store, id, slot, ring, secret, cancellationToken).ConfigureAwait(false);
        string certificate = await WriterStatement.PutAsync(store, new ObjectSealer(ring, host.Entropy), WriterCertificate.Of(ring, slot), cancellationToken).ConfigureAwait(false);
        PutOutcome outcome = await store.PutIfAbsentAsync(VaultDescriptor.Name, VaultDescriptor.Encode(id), cancellationToken).ConfigureAwait(false);
        if (outcome == PutOutcome.Taken)
        {
            await store.DeleteAsync(certificate, cancellationToken).ConfigureAwait(false);
            await store.DeleteAsync(KeyDirectory.Prefix + slot, cancellationToken).ConfigureAwait(false);
            throw new HoldfastException(ErrorKind.Refused, $"{store.Address}: somebody else made a vault there just now", "use it, or choose another place");
        }

        return await OpenAsync(host, store, id, slot, ring, DefaultCacheBytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Refuses a place where no vault can be made, before anybody is asked for a password.</summary>
    public static async Task RequireEmptyAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (await store.StatAsync(VaultDescriptor.Name, cancellationToken).ConfigureAwait(false) is not null)
        {
            throw new HoldfastException(ErrorKind.Refused, $"{store.Address}: there is a vault already", "use it, or choose another place");
        }

        ObjectPage found = await store.ListPageAsync("", null, cancellationToken).ConfigureAwait(false);
        foreach (ObjectEntry entry in found.Entries)
        {
            // A key alone is what an interrupted init leaves behind.
            if (entry.Name.StartsWith(KeyDirectory.Prefix, StringComparison.Ordinal)) continue;
            if (entry.Name.StartsWith(WriterStatement.Prefix, StringComparison.Ordinal)) continue;
            throw new HoldfastException(
                ErrorKind.Refused, $"{store.Address}: is not empty, it holds {entry.Name}",
                "choose an empty place for the vault; a vault that lost its object \"vault\" is mended by \"holdfast repair --from\" a copy of it");
        }
    }

    /// <summary>Refuses a place where no vault is that this program can read, before anybody is asked for a password.</summary>
    public static Task RequireVaultAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        return VaultDescriptor.ReadIdAsync(store, cancellationToken);
    }

    /// <summary>Opens a vault with a key. Its index is loaded when it is needed.</summary>
    /// <param name="host">The world.</param>
    /// <param name="store">Where the vault lies.</param>
    /// <param name="secret">One of its passwords.</param>
    /// <param name="cacheBytes">How much its caches may hold.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static Task<OpenVault> OpenAsync(
        Host host, IObjectStore store, VaultSecret secret, long cacheBytes = DefaultCacheBytes, CancellationToken cancellationToken = default) =>
        OpenAsync(host, store, secret, VaultUse.SeePoints, cacheBytes, cancellationToken);

    /// <summary>Opens a vault with a key for a use. Its index is loaded when it is needed.</summary>
    /// <param name="host">The world.</param>
    /// <param name="store">Where the vault lies.</param>
    /// <param name="secret">One of its passwords.</param>
    /// <param name="use">
    /// What it is opened for: where the password opens several keys, as older programs could make them, one that allows it is taken.
    /// Where none does, the vault opens all the same: <see cref="Require"/> tells.
    /// </param>
    /// <param name="cacheBytes">How much its caches may hold.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static async Task<OpenVault> OpenAsync(
        Host host, IObjectStore store, VaultSecret secret, VaultUse use, long cacheBytes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(store);
        byte[] id = await VaultDescriptor.ReadIdAsync(store, cancellationToken).ConfigureAwait(false);
        (string slot, KeyRing ring) = await KeyDirectory.OpenAsync(store, id, secret, cancellationToken, ring => Suits(ring, use)).ConfigureAwait(false);
        return await OpenAsync(host, store, id, slot, ring, cacheBytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Refuses a place where nothing is that could be repaired, before anybody is asked for a password.</summary>
    public static async Task RequireRepairableAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        try
        {
            await VaultDescriptor.ReadIdAsync(store, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (error is not ObjectStoreException)
        {
            ObjectPage keys = await store.ListPageAsync(KeyDirectory.Prefix, null, cancellationToken).ConfigureAwait(false);
            if (keys.Entries.Count == 0) throw;
        }
    }

    /// <summary>
    /// Opens a vault also where its descriptor is damaged or missing: by the id that is left of it, or that of a copy. Where no slot opens, one
    /// of the copy does, if the vault's own is damaged or was lost.
    /// </summary>
    /// <param name="host">The world.</param>
    /// <param name="store">Where the vault lies.</param>
    /// <param name="secret">One of its passwords. The slot that it opens proves the id, which is part of what the slot is sealed with.</param>
    /// <param name="copy">What may be a copy of the vault; null for none.</param>
    /// <param name="cacheBytes">How much its caches may hold.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static async Task<OpenVault> OpenForRepairAsync(
        Host host, IObjectStore store, VaultSecret secret, OpenVault? copy, long cacheBytes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(store);
        try
        {
            return await OpenAsync(host, store, secret, VaultUse.Repair, cacheBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (error is not ObjectStoreException)
        {
            byte[]? guessed = await VaultDescriptor.TryGuessIdAsync(store, cancellationToken).ConfigureAwait(false);
            foreach (byte[]? id in error.Kind == ErrorKind.WrongKey ? [] : (byte[]?[])[guessed, copy?.VaultId])
            {
                if (id is not null && await TryOpenAsync(host, store, secret, id, cacheBytes, cancellationToken).ConfigureAwait(false) is { } vault) return vault;
            }

            bool isCopy = copy is not null && (guessed is null || guessed.AsSpan().SequenceEqual(copy.VaultId));
            if (isCopy && await TryOpenByCopyAsync(host, store, secret, copy!, cacheBytes, cancellationToken).ConfigureAwait(false) is { } byCopy) return byCopy;
            throw;
        }
    }

    /// <summary>Opens a vault with a slot of its copy, unless that was removed on purpose, or may have been.</summary>
    private static async Task<OpenVault?> TryOpenByCopyAsync(
        Host host, IObjectStore store, VaultSecret secret, OpenVault copy, long cacheBytes, CancellationToken cancellationToken)
    {
        string slot;
        KeyRing ring;
        try
        {
            (slot, ring) = await KeyDirectory.OpenAsync(
                copy.Store, copy.VaultId, secret, cancellationToken, static ring => Suits(ring, VaultUse.Repair)).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (error is not ObjectStoreException)
        {
            // The password opens neither; the caller says why not the vault.
            return null;
        }

        OpenVault vault = await OpenAsync(host, store, copy.VaultId, slot, ring, cacheBytes, cancellationToken).ConfigureAwait(false);
        vault.IsOpenedByCopy = true;
        string name = KeyDirectory.Prefix + slot;
        if (await store.StatAsync(name, cancellationToken).ConfigureAwait(false) is not null) return vault;
        KeyHolders holders = await KeyHolders.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        if (holders.Judge(slot) == MissingSlot.Lost) return vault;
        vault.Dispose();
        throw new HoldfastException(
            ErrorKind.WrongKey, $"{store.Address}: this password opens {name} of {copy.Address} alone: whether that was lost here, or removed or changed, cannot be told",
            $"use the password of another key; or copy {name} from there if its password is to open the vault");
    }

    private static async Task<OpenVault?> TryOpenAsync(
        Host host, IObjectStore store, VaultSecret secret, byte[] id, long cacheBytes, CancellationToken cancellationToken)
    {
        try
        {
            (string slot, KeyRing ring) = await KeyDirectory.OpenAsync(store, id, secret, cancellationToken, static ring => Suits(ring, VaultUse.Repair)).ConfigureAwait(false);
            return await OpenAsync(host, store, id, slot, ring, cacheBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (error is not ObjectStoreException)
        {
            // Of another id, as far as can be told; the caller says what is wrong with the descriptor.
            return null;
        }
    }

    /// <summary>Opens a vault with a ring that was opened before, without a look at the vault: only the first admin and the ring's own writer are known.</summary>
    internal static OpenVault Open(Host host, IObjectStore store, byte[] id, string slot, KeyRing ring, long cacheBytes) =>
        new(host, store, id, slot, ring, cacheBytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        TreeChunks.Dispose();
        DataChunks.Dispose();
        Index.Dispose();
    }

    /// <summary>Packs that a prune removes: who reads turns to them last.</summary>
    internal async Task<IReadOnlySet<PackId>> ReadRemovedAsync(CancellationToken cancellationToken)
    {
        removals = await Points.Removals.ReadAsync(this, removals, cancellationToken).ConfigureAwait(false);
        return removals.PackSet;
    }

    internal void TellOfUnreadable(SessionId point, HoldfastException reason)
    {
        lock (gate) unreadablePoints[point] = reason;
        TellOfDamage(reason);
    }

    internal void TellOfUnreadableMark(HoldfastException reason)
    {
        AreMarksKnown = false;
        TellOfDamage(new HoldfastException(reason.Kind, $"{reason.Message}; which points it put on hold, or dropped, is not known", reason.Hint, reason));
    }

    internal void TellOfDamage(Exception damage)
    {
        lock (gate)
        {
            if (damages.Count == MaxDamages || !damagesTold.Add(damage.Message)) return;
            damages.Add(damages.Count == MaxDamages - 1 ? "there is more damage than can be told here" : damage.Message);
        }
    }
}
