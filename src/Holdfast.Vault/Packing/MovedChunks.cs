namespace Holdfast.Vault.Packing;

/// <summary>Chunks that follow each other in a pack.</summary>
/// <param name="Pack">Where they are now.</param>
/// <param name="First">Ordinal of the first.</param>
/// <param name="Count">How many.</param>
internal readonly record struct MovedRun(PackId Pack, int First, int Count);

/// <summary>Where the chunks of one pack are now.</summary>
/// <param name="Source">Where they were.</param>
/// <param name="ChunkCount">How many it has.</param>
/// <param name="Moved">
/// Bit i % 64 of word i / 64 for each ordinal i that was moved: all that were asked for, and what came along.
/// </param>
/// <param name="Runs">The places of the moved ones, in the order of their ordinals.</param>
internal sealed record MovedPack(PackId Source, int ChunkCount, ulong[] Moved, IReadOnlyList<MovedRun> Runs);

/// <summary>A pack that must stay, since something of it that is needed cannot be read.</summary>
internal sealed record UnmovedPack(PackId Source, DamageException Damage);

/// <summary>What came of moving chunks out of packs.</summary>
internal sealed record MovedChunks
{
    /// <summary>Packs of which nothing is needed any more, by their ids.</summary>
    public required IReadOnlyList<MovedPack> Moved { get; init; }

    /// <summary>Packs that stay: of them nothing counts as moved, though copies may lie in new packs.</summary>
    public required IReadOnlyList<UnmovedPack> Unmoved { get; init; }

    /// <summary>The new packs, all durable, none of them listed by an index object yet.</summary>
    public required IReadOnlyList<PackFooter> NewPacks { get; init; }

    /// <summary>Bytes read from the packs.</summary>
    public required long BytesRead { get; init; }

    /// <summary>Bytes of the new packs.</summary>
    public required long BytesWritten { get; init; }
}
