using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Measuring;

/// <summary>What the chunks of a pack weigh: of its footer no more than that.</summary>
internal sealed class PackWeight
{
    private readonly PackGroup[] groups;
    private readonly int[] lengths;

    public PackWeight(PackFooter footer)
    {
        groups = footer.Groups;
        lengths = Array.ConvertAll(footer.Chunks, static chunk => chunk.Length);
    }

    /// <summary>All of it.</summary>
    public ChunkTotals Whole => Of(static _ => true);

    /// <summary>The chunks of some bits: bit i % 64 of word i / 64 for ordinal i.</summary>
    public ChunkTotals Of(ulong[] ordinals) => Of(ordinal => ordinal / 64 < ordinals.Length && (ordinals[ordinal / 64] & (1UL << (ordinal % 64))) != 0);

    /// <summary>Some chunks of it. A group that is compressed as one is shared out by raw sizes.</summary>
    public ChunkTotals Of(Func<int, bool> isCounted)
    {
        long chunks = 0, rawBytes = 0, storedBytes = 0;
        foreach (PackGroup group in groups)
        {
            long rawOfGroup = 0;
            for (int i = group.FirstChunk; i < group.FirstChunk + group.ChunkCount; i++)
            {
                if (!isCounted(i)) continue;
                chunks++;
                rawOfGroup += lengths[i];
            }

            rawBytes += rawOfGroup;
            if (group.RawBytes > 0) storedBytes += group.SealedBytes * rawOfGroup / group.RawBytes;
        }

        return new ChunkTotals(chunks, rawBytes, storedBytes);
    }
}
