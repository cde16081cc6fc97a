namespace Holdfast.Vault.Packing;

/// <summary>Which groups of a pack are read together.</summary>
internal static class MovePlan
{
    /// <summary>Bytes of one read, and of the opened groups in it: groups that lie together, at least one.</summary>
    public const int PieceBytes = 4 << 20;

    /// <summary>What lies between two groups that are needed is read along up to here: sooner done than another request.</summary>
    private const int MaxGapBytes = 128 << 10;

    /// <summary>The next groups that are read together; without any, where nothing of the pack is needed.</summary>
    /// <param name="source">The pack.</param>
    /// <param name="fates">What becomes of its groups.</param>
    /// <param name="next">Where to begin; set to where the next piece begins, -1 for nowhere.</param>
    public static MovePiece NextPiece(MoveSource source, GroupFate[] fates, ref int next)
    {
        PackGroup[] groups = source.Footer.Groups;
        int first = NextNeeded(fates, next), end = first;
        long rawBytes = 0;
        while (end < groups.Length)
        {
            rawBytes += fates[end] == GroupFate.Rebuilt ? groups[end].RawBytes : 0;
            int following = NextNeeded(fates, ++end);
            if (following == groups.Length) break;
            bool isNear = groups[following].Offset - (groups[end - 1].Offset + groups[end - 1].SealedBytes) <= MaxGapBytes;
            bool hasRoom = groups[following].Offset + groups[following].SealedBytes - groups[first].Offset <= PieceBytes
                && (fates[following] != GroupFate.Rebuilt || rawBytes + groups[following].RawBytes <= PieceBytes);
            if (!isNear || !hasRoom) break;
            end = following;
        }

        next = NextNeeded(fates, end);
        bool isLast = next == groups.Length;
        if (isLast) next = -1;
        return new MovePiece(source, first, end, fates) { IsLast = isLast };
    }

    private static int NextNeeded(GroupFate[] fates, int from)
    {
        while (from < fates.Length && fates[from] == GroupFate.Left) from++;
        return from;
    }
}
