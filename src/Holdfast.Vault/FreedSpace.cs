namespace Holdfast.Vault;

/// <summary>What would come free if points were forgotten and pruned: packs and chunks that nothing else needs.</summary>
/// <param name="WholePacks">Packs that no other point needs: they can be deleted.</param>
/// <param name="WholePackBytes">Their size.</param>
/// <param name="PartPacks">Packs of which others need a part: what is needed must be written again before they can be deleted.</param>
/// <param name="PartPackBytes">How much of them nothing else needs; of a group that is compressed as one, each chunk's share by its raw size.</param>
/// <param name="Chunks">How many chunks come free, of data and trees.</param>
/// <param name="IsEstimate">Whether some sizes are shares by the number of chunks, or something that is needed to know could not be read.</param>
/// <remarks>The points' own objects and their share of the index, a few hundred bytes and about 20 a chunk, are not counted.</remarks>
public sealed record FreedSpace(int WholePacks, long WholePackBytes, int PartPacks, long PartPackBytes, long Chunks, bool IsEstimate)
{
    /// <summary>All that comes free.</summary>
    public long Bytes => WholePackBytes + PartPackBytes;
}
