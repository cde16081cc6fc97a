using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>What a checkpoint or backup holds, and what it cost.</summary>
/// <param name="Directory">Where it is.</param>
/// <param name="Sequence">Number of the last change that it has.</param>
/// <param name="Keys">Keys that it has.</param>
/// <param name="Segments">Segments that it has.</param>
/// <param name="Bytes">Size of its files.</param>
/// <param name="LinkedBytes">How much of that are hard links: of files of the store, or of the previous backup.</param>
/// <param name="ClonedBytes">How much shares its blocks with the original (reflinks).</param>
/// <param name="CopiedBytes">How much was copied.</param>
public sealed record CheckpointReport(
    string Directory, ulong Sequence, long Keys, int Segments, long Bytes, long LinkedBytes, long ClonedBytes,
    long CopiedBytes);

/// <summary>What a verification found.</summary>
/// <param name="Keys">Keys that can be read.</param>
/// <param name="Segments">Segments there are.</param>
/// <param name="BytesRead">How much was read.</param>
/// <param name="Damages">What is wrong; empty = nothing.</param>
public sealed record VerifyReport(long Keys, int Segments, long BytesRead, IReadOnlyList<LogDamage> Damages)
{
    /// <summary>Whether everything that was looked at is right.</summary>
    public bool IsWhole => Damages.Count == 0;
}
