using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Points;

/// <summary>What a removal says of a pack, or of a references object. The value is on disk.</summary>
internal enum RemovalVerdict : byte
{
    Invalid = 0,

    /// <summary>It is to go; whoever knows that uses it no more.</summary>
    Condemned = 1,

    /// <summary>It stays after all.</summary>
    Reprieved = 2,

    /// <summary>Nobody uses what was condemned any more, and it may be gone.</summary>
    Final = 3,

    /// <summary>Condemned and final at once: in a removal that replaces the earlier ones.</summary>
    Gone = 4,
}

/// <summary>Consecutive chunks of a pack that chunks of another, removed one were moved to.</summary>
/// <param name="Pack">Where they are now.</param>
/// <param name="PackChunks">How many chunks that pack has.</param>
/// <param name="First">Ordinal of the first.</param>
/// <param name="Count">How many, at least one.</param>
internal readonly record struct ChunkRun(PackId Pack, int PackChunks, int First, int Count);

/// <summary>What a removal says of a pack.</summary>
/// <param name="Pack">Which.</param>
/// <param name="Verdict">What.</param>
/// <param name="Since">Number of the removal that condemned it.</param>
/// <param name="ChunkCount">How many chunks it has; 0 where none was moved.</param>
/// <param name="Moved">Its chunks that are elsewhere now: bit i % 64 of word i / 64 for ordinal i. Empty where none was moved.</param>
/// <param name="Runs">Where they are, in the order of their ordinals.</param>
internal sealed record PackRemoval(PackId Pack, RemovalVerdict Verdict, uint Since, int ChunkCount, ulong[] Moved, IReadOnlyList<ChunkRun> Runs)
{
    /// <summary>Condemns a pack of which nothing is needed.</summary>
    public static PackRemoval Condemn(PackId pack, uint since) => new(pack, RemovalVerdict.Condemned, since, 0, [], []);

    /// <summary>Says something of a pack that was condemned before.</summary>
    public static PackRemoval Of(PackId pack, RemovalVerdict verdict) => new(pack, verdict, 0, 0, [], []);

    public bool IsMoved(int ordinal) => ordinal < ChunkCount && (Moved[ordinal / 64] & (1UL << (ordinal % 64))) != 0;
}

/// <summary>What a removal says of a references object.</summary>
/// <param name="Id">Which.</param>
/// <param name="Verdict">What.</param>
/// <param name="Since">Number of the removal that condemned it.</param>
internal readonly record struct ReferencesRemoval(SessionId Id, RemovalVerdict Verdict, uint Since);
