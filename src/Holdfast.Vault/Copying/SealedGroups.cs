using Holdfast.Log;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Copying;

/// <summary>What becomes of groups on their way to a vault with the same keys, and who answers for them there. May be used from any thread.</summary>
internal sealed class SealedGroups(OpenVault from, OpenVault to, SharedKeys keys)
{
    /// <summary>Verifies chunks of a kind by their ids; null where the key for the other vault cannot.</summary>
    public ChunkProof? ProofOf(ObjectKind kind) =>
        from.Sealer.Ring.Current.Identity is null ? null : kind == ObjectKind.DataPack ? from.DataProof : from.TreeProof;

    /// <summary>What is to become of the groups of a pack.</summary>
    /// <exception cref="HoldfastException">Kind WrongKey: a group can be neither opened nor copied as it is.</exception>
    public GroupFate[] FatesOf(MoveSource source)
    {
        PackFooter footer = source.Footer;
        var fates = new GroupFate[footer.Groups.Length];
        for (int g = 0; g < fates.Length; g++)
        {
            PackGroup group = footer.Groups[g];
            PackKey key = footer.KeyOf(group);
            bool canOpen = CanOpen(footer.Pack.Kind, key);
            GroupFate fate = source.FateOf(group, canOpen);
            if (fate == GroupFate.Copied && !keys.Opens(key)) fate = canOpen ? GroupFate.Rebuilt : throw Unknown(footer, key);
            fates[g] = fate == GroupFate.Copied && canOpen ? GroupFate.Proved : fate;
        }

        return fates;
    }

    /// <summary>The key of a group as a pack here may name it.</summary>
    /// <param name="footer">The pack there.</param>
    /// <param name="group">The group.</param>
    /// <param name="isProved">Whether every chunk in it was verified: then who did so answers for it as if he had sealed it.</param>
    public PackKey KeyHere(PackFooter footer, in PackGroup group, bool isProved) =>
        footer.KeyOf(group) with { OriginId = isProved ? to.Sealer.WriterId : OriginThere(footer, group) };

    /// <summary>Who sealed a group, as far as somebody says so who is trusted there.</summary>
    public ulong OriginThere(PackFooter footer, in PackGroup group) =>
        group.Key == 0 || from.Sealer.Trusts(footer.WriterId) ? footer.OriginOf(group) : PackKey.NoOrigin;

    private bool CanOpen(ObjectKind kind, PackKey key) => ProofOf(kind) is not null && from.Sealer.Ring.CanOpen(key.Epoch, kind);

    private static HoldfastException Unknown(PackFooter footer, PackKey key) => new(
        ErrorKind.WrongKey, $"{footer.Pack.ObjectName}: sealed in key epoch {key.Epoch}, which the vault that is copied to does not have",
        "copy with a key that reads data in the other vault");
}
