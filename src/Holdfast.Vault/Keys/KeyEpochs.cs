using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Repairing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>The epochs of a vault that came after a key slot was made: who has a key takes them in when the vault is opened.</summary>
internal static class KeyEpochs
{
    /// <summary>The ring with the epochs that were delivered to it. What cannot be read is told of, and delivers nothing.</summary>
    /// <returns>The ring, and the newest epoch that the first admin began, whether the ring has it or not; 0 where none is seen.</returns>
    public static async Task<(KeyRing Ring, uint Newest)> TakeInAsync(
        IObjectStore store, KeyRing ring, IEntropy entropy, IReadOnlyList<ObjectEntry> entries, Action<Exception> onDamage,
        CancellationToken cancellationToken)
    {
        uint newest = 0;
        // In the order of their numbers: each is sealed under the index key of the one before.
        foreach (ObjectEntry entry in entries)
        {
            var sealer = new ObjectSealer(ring, entropy);
            try
            {
                if (!EpochDelivery.TryParseName(entry.Name, out uint number) || ring.Has(number)) continue;
                byte[]? content = await store.TryGetAsync(entry.Name, EpochDelivery.MaxBytes, cancellationToken).ConfigureAwait(false);
                if (content is null) continue;
                ThrowIfNotOfFirstAdmin(sealer, entry.Name, content);
                sealer.Verify(ObjectKind.Epoch, entry.Name, content);
                newest = Math.Max(newest, number);
                if (TryOpen(sealer, entry.Name, content)?.TryOpen(ring, sealer.WriterId, entry.Name) is { } epoch) ring = ring.WithEpochs([epoch]);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                onDamage(error);
            }
        }

        return (ring, newest);
    }

    /// <summary>
    /// Makes a new epoch: from when this returns, everybody who has a key slot and a certificate and is not revoked
    /// (<see cref="KeyHolders"/>) seals what is new so that who is revoked cannot read it.
    /// </summary>
    /// <returns>The ring with it.</returns>
    /// <exception cref="HoldfastException">Kind Busy: somebody else began one just now. Nothing was changed.</exception>
    public static async Task<KeyRing> BeginAsync(OpenVault vault, bool renewIdentity, CancellationToken cancellationToken)
    {
        IObjectStore store = vault.Store;
        ObjectSealer sealer = vault.Sealer;
        if (!store.Capabilities.CreateOnce)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{vault.Address}: this store cannot tell who wrote an object first, so a new key epoch cannot be begun safely",
                "use a store that creates an object only once");
        }

        uint highest = sealer.Ring.Current.Number;
        await foreach (ObjectEntry entry in store.ListAsync(EpochDelivery.Prefix, cancellationToken).ConfigureAwait(false))
        {
            // Whoever put it: the name is taken.
            if (EpochDelivery.TryParseName(entry.Name, out uint number)) highest = Math.Max(highest, number);
        }

        // One that a repair put away was an epoch all the same, and some may have it.
        await foreach (ObjectEntry entry in store.ListAsync(Quarantine.Prefix + EpochDelivery.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (EpochDelivery.TryParseName(Quarantine.NameOf(entry.Name), out uint number)) highest = Math.Max(highest, number);
        }

        if (highest == uint.MaxValue - 1) throw new HoldfastException(ErrorKind.Failed, $"{vault.Address}: has a key epoch of the highest number", "remove it: no holdfast wrote it");
        KeyHolders holders = await KeyHolders.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        var epoch = KeyEpoch.Create(highest + 1, sealer.Entropy, renewIdentity ? null : sealer.Ring.Current.Identity);
        var delivery = new EpochDelivery(epoch.Number);
        delivery.Add(sealer.WriterId, Libsodium.BoxPublicKey(sealer.Ring.ReceivingPrivateKey()), epoch);
        foreach (KnownWriter writer in holders.Receivers.Where(writer => writer.Id != sealer.AdminId)) delivery.Add(writer.Id, writer.ReceivingKey, epoch.For(writer.Role));
        string name = EpochDelivery.Name(epoch.Number);
        byte[] content = sealer.Seal(ObjectKind.Epoch, name, delivery.Encode());
        if (await store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false) == PutOutcome.Taken)
        {
            throw new HoldfastException(ErrorKind.Busy, $"{vault.Address}: somebody else began a key epoch just now", "if that was not meant for the same, run it again");
        }

        return sealer.Ring.WithEpochs([epoch]);
    }

    /// <summary>Who should have which epoch and is not delivered it by any object: added while it began, or the object was lost.</summary>
    /// <param name="vault">Whose.</param>
    /// <param name="ring">Of the epochs that it has it is said; the others nobody can tell.</param>
    /// <param name="holders">Who should have all of them, as read just now.</param>
    /// <param name="onDamage">Told of each object that cannot be read: it delivers nothing.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <returns>Each epoch, ascending, with those who lack it; without epochs that nobody lacks.</returns>
    public static async Task<List<(KeyEpoch Epoch, List<KnownWriter> Lacking)>> FindMissingAsync(
        OpenVault vault, KeyRing ring, KeyHolders holders, Action<string, HoldfastException> onDamage, CancellationToken cancellationToken)
    {
        var sealer = new ObjectSealer(ring, vault.Sealer.Entropy) { Writers = vault.Sealer.Writers };
        var delivered = new HashSet<(ulong Receiver, uint Number)>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(EpochDelivery.Prefix, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                if (!EpochDelivery.TryParseName(entry.Name, out _)) continue;
                byte[]? content = await vault.Store.TryGetAsync(entry.Name, EpochDelivery.MaxBytes, cancellationToken).ConfigureAwait(false);
                if (content is null) continue;
                ThrowIfNotOfFirstAdmin(sealer, entry.Name, content);
                if (TryOpen(sealer, entry.Name, content) is not { } read) continue;
                foreach (ulong receiver in read.Receivers) delivered.Add((receiver, read.Number));
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                onDamage(entry.Name, error);
            }
        }

        var missing = new List<(KeyEpoch Epoch, List<KnownWriter> Lacking)>();
        // The first is in every slot of the time before the second.
        foreach (KeyEpoch epoch in ring.Epochs.Skip(1))
        {
            // The first admin's other passwords get it from an object, too.
            List<KnownWriter> lacking =
            [
                .. holders.Receivers.Where(writer => !delivered.Contains((writer.Id, epoch.Number))
                    && (writer.Epoch < epoch.Number || writer.Id == sealer.AdminId)),
            ];
            if (lacking.Count > 0) missing.Add((epoch, lacking));
        }

        return missing;
    }

    /// <summary>Delivers to each writer the epochs that it should have and that no object holds for it.</summary>
    /// <param name="vault">What is said of its writers is read anew.</param>
    /// <param name="ring">The first admin's, with all epochs.</param>
    /// <param name="isMeant">Who of those it is that may get any.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static async Task DeliverMissingAsync(OpenVault vault, KeyRing ring, Func<KnownWriter, bool> isMeant, CancellationToken cancellationToken)
    {
        KeyHolders holders = await KeyHolders.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        var sealer = new ObjectSealer(ring, vault.Sealer.Entropy) { Writers = vault.Sealer.Writers };
        foreach ((KeyEpoch epoch, List<KnownWriter> lacking) in await FindMissingAsync(
            vault, ring, holders, (_, error) => vault.TellOfDamage(error), cancellationToken).ConfigureAwait(false))
        {
            var delivery = new EpochDelivery(epoch.Number);
            KnownWriter[] meant = [.. lacking.Where(isMeant)];
            if (meant.Length == 0) continue;
            foreach (KnownWriter writer in meant) delivery.Add(writer.Id, writer.ReceivingKey, epoch.For(writer.Role));
            string name = EpochDelivery.LaterName(epoch.Number, sealer.Entropy);
            // Under the epoch before, which the receivers have, or get first.
            KeyEpoch before = ring.Epochs.Last(known => known.Number < epoch.Number);
            await vault.Store.PutIfAbsentAsync(name, sealer.Seal(ObjectKind.Epoch, name, delivery.Encode(), before), cancellationToken).ConfigureAwait(false);
        }
    }

    private static void ThrowIfNotOfFirstAdmin(ObjectSealer sealer, string name, byte[] content)
    {
        if (ObjectHeader.Decode(content, ObjectKind.Epoch, name).WriterId == sealer.AdminId) return;
        throw new DamageException(name, "was not signed by the first admin, who alone begins key epochs");
    }

    /// <summary>Null where it is sealed in an epoch that the ring does not have: it says nothing to it.</summary>
    private static EpochDelivery? TryOpen(ObjectSealer sealer, string name, byte[] content) =>
        sealer.Ring.Has(ObjectHeader.Decode(content, ObjectKind.Epoch, name).Epoch)
            ? EpochDelivery.Decode(sealer.Open(ObjectKind.Epoch, name, content).Body, name)
            : null;
}
