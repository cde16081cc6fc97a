using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>The epochs of a vault that came after a key slot was made: who has a key takes them in when the vault is opened.</summary>
internal static class KeyEpochs
{
    /// <summary>The ring with the epochs that were delivered to it. What cannot be read is told of, and delivers nothing.</summary>
    public static async Task<KeyRing> TakeInAsync(
        IObjectStore store, KeyRing ring, IEntropy entropy, IReadOnlyList<ObjectEntry> entries, Action<Exception> onDamage,
        CancellationToken cancellationToken)
    {
        // In the order of their numbers: each is sealed under the index key of the one before.
        foreach (ObjectEntry entry in entries)
        {
            var sealer = new ObjectSealer(ring, entropy);
            try
            {
                if (!EpochDelivery.TryParseName(entry.Name, out uint number) || ring.Has(number)) continue;
                EpochDelivery? delivery = await TryReadAsync(store, sealer, entry.Name, cancellationToken).ConfigureAwait(false);
                if (delivery?.TryOpen(ring, sealer.WriterId, entry.Name) is { } epoch) ring = ring.WithEpochs([epoch]);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                onDamage(error);
            }
        }

        return ring;
    }

    /// <summary>
    /// Makes a new epoch: from when this returns, everybody who has a certificate and is not revoked seals what is new so that who is
    /// revoked cannot read it.
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

        if (highest == uint.MaxValue - 1) throw new HoldfastException(ErrorKind.Failed, $"{vault.Address}: has a key epoch of the highest number", "remove it: no holdfast wrote it");
        var epoch = KeyEpoch.Create(highest + 1, sealer.Entropy, renewIdentity ? null : sealer.Ring.Current.Identity);
        var delivery = new EpochDelivery(epoch.Number);
        delivery.Add(sealer.WriterId, Libsodium.BoxPublicKey(sealer.Ring.ReceivingPrivateKey()), epoch);
        foreach (KnownWriter writer in Receivers(sealer)) delivery.Add(writer.Id, writer.ReceivingKey, epoch.For(writer.Role));
        string name = EpochDelivery.Name(epoch.Number);
        byte[] content = sealer.Seal(ObjectKind.Epoch, name, delivery.Encode());
        if (await store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false) == PutOutcome.Taken)
        {
            throw new HoldfastException(ErrorKind.Busy, $"{vault.Address}: somebody else began a key epoch just now", "if that was not meant for the same, run it again");
        }

        return sealer.Ring.WithEpochs([epoch]);
    }

    /// <summary>
    /// Delivers to each writer the epochs that it should have and that no object holds for it: those of who was added while an
    /// epoch began, and those whose object was lost.
    /// </summary>
    /// <param name="vault">Whose writers were read after the last of them was added.</param>
    /// <param name="ring">The first admin's, with all epochs.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static async Task DeliverMissingAsync(OpenVault vault, KeyRing ring, CancellationToken cancellationToken)
    {
        var sealer = new ObjectSealer(ring, vault.Sealer.Entropy) { Writers = vault.Sealer.Writers };
        var delivered = new HashSet<(ulong Receiver, uint Number)>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(EpochDelivery.Prefix, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                if (!EpochDelivery.TryParseName(entry.Name, out _)) continue;
                if (await TryReadAsync(vault.Store, sealer, entry.Name, cancellationToken).ConfigureAwait(false) is not { } read) continue;
                foreach (ulong receiver in read.Receivers) delivered.Add((receiver, read.Number));
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                vault.TellOfDamage(error);
            }
        }

        for (int i = 1; i < ring.Epochs.Count; i++)
        {
            KeyEpoch epoch = ring.Epochs[i];
            var delivery = new EpochDelivery(epoch.Number);
            foreach (KnownWriter writer in Receivers(sealer))
            {
                if (writer.Epoch < epoch.Number && !delivered.Contains((writer.Id, epoch.Number))) delivery.Add(writer.Id, writer.ReceivingKey, epoch.For(writer.Role));
            }

            if (delivery.Receivers.Count == 0) continue;
            string name = EpochDelivery.LaterName(epoch.Number, sealer.Entropy);
            // Under the epoch before, which the receivers have, or get first.
            byte[] content = sealer.Seal(ObjectKind.Epoch, name, delivery.Encode(), ring.Epochs[i - 1]);
            await vault.Store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false);
        }
    }

    private static IEnumerable<KnownWriter> Receivers(ObjectSealer sealer) =>
        sealer.Writers.Writers.Where(writer => writer.IsCertified && !writer.IsRevoked && writer.Id != sealer.AdminId);

    /// <summary>Null when it is gone, or from an epoch that this ring does not have, which says nothing to it.</summary>
    private static async Task<EpochDelivery?> TryReadAsync(IObjectStore store, ObjectSealer sealer, string name, CancellationToken cancellationToken)
    {
        byte[]? content = await store.TryGetAsync(name, EpochDelivery.MaxBytes, cancellationToken).ConfigureAwait(false);
        if (content is null) return null;
        ObjectHeader header = ObjectHeader.Decode(content, ObjectKind.Epoch, name);
        if (!sealer.Ring.Has(header.Epoch)) return null;
        if (header.WriterId != sealer.AdminId) throw new DamageException(name, "was not signed by the first admin, who alone begins key epochs");
        return EpochDelivery.Decode(sealer.Open(ObjectKind.Epoch, name, content).Body, name);
    }
}
