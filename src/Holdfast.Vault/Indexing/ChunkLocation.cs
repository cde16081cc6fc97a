using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Indexing;

/// <summary>Where a chunk lies, proved by the footer of a known writer.</summary>
internal readonly record struct ChunkLocation(PackFooter Footer, int Ordinal)
{
    public PackChunk Chunk => Footer.Chunks[Ordinal];

    public PackGroup Group => Footer.Groups[Chunk.Group];
}
