using System.Collections.Frozen;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Indexing;

/// <summary>Packs that a prune removes.</summary>
internal sealed partial class VaultIndex
{
    private volatile FrozenSet<PackId>? removed;

    /// <summary>From now on no new point relies on these packs. Replaces what was set before.</summary>
    public void SetRemoved(IReadOnlySet<PackId> packs) => removed = packs.Count == 0 ? null : packs.ToFrozenSet();

    /// <summary>Whether a pack is among them.</summary>
    public bool IsRemoved(PackId pack) => removed is { } set && set.Contains(pack);
}
