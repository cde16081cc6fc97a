using System.Security.Cryptography;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>
/// Seals the keys of groups that are moved to the newest epoch's keys, where this key can open them: once the old packs are gone,
/// who was left out of that epoch can read the groups no more. For one thread at a time.
/// </summary>
internal sealed class KeyRenewal(PackReader reader, ObjectSealer sealer)
{
    // Groups of one pack share a key, and shall share it again.
    private readonly Dictionary<PackKey, PackKey> renewed = [];

    /// <summary>Whether a key is sealed in an epoch that is not the newest.</summary>
    public static bool IsOld(KeyRing ring, PackKey key) => key.Epoch < ring.Current.Number;

    /// <summary>The same key sealed in the newest epoch; as it is where that cannot be done, or is so already.</summary>
    /// <param name="footer">The pack that has the group.</param>
    /// <param name="group">One of its groups.</param>
    /// <param name="key">The group's, as it would be named.</param>
    public PackKey Renew(PackFooter footer, in PackGroup group, PackKey key)
    {
        ObjectKind kind = footer.Pack.Kind;
        KeyEpoch newest = sealer.Ring.Current;
        if (!IsOld(sealer.Ring, key) || !newest.CanSealPacks(kind) || !sealer.Ring.CanOpen(key.Epoch, kind)) return key;
        if (renewed.TryGetValue(key, out PackKey? known)) return known;
        PackKey made = key;
        try
        {
            byte[] opened = reader.OpenKey(footer, group.Key);
            byte[] box = new byte[PackFooter.SealedKeyBytes];
            Libsodium.BoxSeal(opened, newest.PackPublicKey(kind), box);
            CryptographicOperations.ZeroMemory(opened);
            made = key with { Epoch = newest.Number, KeyId = newest.KeyIdFor(kind), SealedKey = box };
        }
        catch (DamageException)
        {
            // Nobody can open it: it goes along as the rest of what is damaged.
        }

        renewed.Add(key, made);
        return made;
    }
}
