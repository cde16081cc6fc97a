using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>
/// The ciphers of one pack's groups, by their keys: each key is opened once, when a group under it is opened first. For one
/// thread at a time.
/// </summary>
internal sealed class PackCiphers(PackReader reader, PackFooter footer) : IDisposable
{
    private readonly Aead?[] ciphers = new Aead?[1 + footer.FurtherKeys.Length];
    private Dictionary<int, DamageException>? broken;

    public PackId Pack => footer.Pack;

    /// <summary>The cipher of a group; null where its key cannot be opened.</summary>
    /// <param name="group">One of the pack's groups.</param>
    /// <param name="damage">Why it cannot.</param>
    /// <exception cref="Log.HoldfastException">The key ring has no private half to open it with.</exception>
    public Aead? TryGet(in PackGroup group, out DamageException? damage)
    {
        damage = null;
        ref Aead? cipher = ref ciphers[group.Key];
        if (cipher is not null || (broken is not null && broken.TryGetValue(group.Key, out damage))) return cipher;
        try
        {
            return cipher = new Aead(footer.KeyOf(group).Cipher, reader.OpenKey(footer, group.Key));
        }
        catch (DamageException error)
        {
            (broken ??= []).Add(group.Key, damage = error);
            return null;
        }
    }

    public void Dispose()
    {
        foreach (Aead? cipher in ciphers) cipher?.Dispose();
    }
}
