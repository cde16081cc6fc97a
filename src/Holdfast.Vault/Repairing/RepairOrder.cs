using Holdfast.Vault.Chunking;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Repairing;

/// <summary>A damaged pack whose footer is whole.</summary>
/// <param name="Pack">Which.</param>
/// <param name="Bad">Ordinals of the chunks that cannot be read.</param>
internal sealed record SalvagedPack(PackId Pack, HashSet<int> Bad);

/// <summary>A lost chunk, and who can give it.</summary>
internal sealed record HealedChunk(LostChunk Chunk, ChunkSpare Spare);

/// <summary>The list of what some points need, as it will be.</summary>
/// <param name="Session">Its name.</param>
/// <param name="Sound">What stays where it is.</param>
/// <param name="Moved">What will be found elsewhere once it is written.</param>
internal sealed record RebuiltReferences(SessionId Session, ReferenceSet Sound, IReadOnlySet<(ChunkId Id, ObjectKind Kind)> Moved);

/// <summary>What a repair does, as types. The order of the steps is <see cref="RepairWork"/>'s.</summary>
internal sealed class RepairOrder
{
    /// <summary>Whether it goes no further than <see cref="BringBack"/>: this key cannot tell what else is wrong.</summary>
    public bool IsSmall { get; set; }

    /// <summary>To whom key epochs are delivered anew that no object gives them.</summary>
    public List<KnownWriter> DeliverTo { get; } = [];

    /// <summary>Names of objects that the copy of the vault has (<see cref="SmallObjects"/>); the descriptor needs no copy.</summary>
    public List<string> BringBack { get; } = [];

    public List<SalvagedPack> Salvage { get; } = [];

    public List<HealedChunk> Heal { get; } = [];

    /// <summary>Packs by which nothing is found any more: damaged, or missing.</summary>
    public HashSet<PackId> LostPacks { get; } = [];

    /// <summary>Index objects that say what is not so, or nothing.</summary>
    public HashSet<string> LostIndexes { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether packs have to be listed that no usable index object lists.</summary>
    public bool RebuildsIndex { get; set; }

    public List<RebuiltReferences> References { get; } = [];

    /// <summary>Points to be written anew.</summary>
    public List<RestorePoint> Rewrite { get; } = [];

    /// <summary>Records of what checks found broken: it is all dealt with.</summary>
    public List<string> ClearRecords { get; } = [];

    /// <summary>Objects that go to quarantine, besides references that are replaced.</summary>
    public List<string> Quarantine { get; } = [];

    /// <summary>Adds to <see cref="BringBack"/>, once: of one object several things may be wrong.</summary>
    public void AddBringBack(string name)
    {
        if (!BringBack.Contains(name)) BringBack.Add(name);
    }

    /// <summary>Whether objects of a kind come back: what they say is not known before.</summary>
    public bool BringsBack(string prefix) => BringBack.Exists(name => name.StartsWith(prefix, StringComparison.Ordinal));
}
