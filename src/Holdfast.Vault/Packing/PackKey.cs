using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>A key that groups of a pack are sealed under, as it lies in the pack: sealed itself.</summary>
/// <param name="Cipher">What groups are sealed with.</param>
/// <param name="Epoch">Epoch of the key that it is sealed to.</param>
/// <param name="KeyId">Id of that key.</param>
/// <param name="OriginId">Who sealed the groups; <see cref="NoOrigin"/> where nobody who is trusted says so.</param>
/// <param name="SealedKey">The key in its sealed box.</param>
internal sealed record PackKey(CipherKind Cipher, uint Epoch, ulong KeyId, ulong OriginId, byte[] SealedKey)
{
    /// <summary>No writer's id: chunks of such groups are read, but nobody relies on them for a new point.</summary>
    public const ulong NoOrigin = 0;

    public bool Equals(PackKey? other) =>
        other is not null && Cipher == other.Cipher && Epoch == other.Epoch && KeyId == other.KeyId && OriginId == other.OriginId
        && SealedKey.AsSpan().SequenceEqual(other.SealedKey);

    // The box begins with a random public key.
    public override int GetHashCode() => BitConverter.ToInt32(SealedKey);

    public override string ToString() => "(sealed key)";
}
