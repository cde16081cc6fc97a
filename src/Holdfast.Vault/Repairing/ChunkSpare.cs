using Holdfast.Vault.Checking;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Repairing;

/// <summary>A chunk that points need and that cannot be read.</summary>
/// <param name="Id">Which.</param>
/// <param name="Kind">In which kind of pack it lay.</param>
/// <param name="Places">Some places where it stands in files; none of a tree chunk.</param>
internal sealed record LostChunk(ChunkId Id, ObjectKind Kind, IReadOnlyList<LostPlace> Places);

/// <summary>A place that may hold what is lost. For one thread at a time.</summary>
internal abstract class ChunkSpare
{
    /// <summary>How a person would call it.</summary>
    public abstract string Name { get; }

    /// <summary>Bytes that may be those of a chunk, one candidate after the other: whoever asks compares their id.</summary>
    public abstract IAsyncEnumerable<ReadOnlyMemory<byte>> CandidatesAsync(LostChunk chunk, CancellationToken cancellationToken);

    /// <summary>The content of a chunk, verified by its id; null when the place does not have it.</summary>
    /// <param name="chunk">Which.</param>
    /// <param name="proof">Of its kind: the chunk may have been named under an identity that was renewed since.</param>
    /// <param name="cancellationToken">Stops waits for the place.</param>
    public async Task<ReadOnlyMemory<byte>?> TryGetAsync(LostChunk chunk, ChunkProof proof, CancellationToken cancellationToken)
    {
        await foreach (ReadOnlyMemory<byte> candidate in CandidatesAsync(chunk, cancellationToken).ConfigureAwait(false))
        {
            if (proof.Fits(candidate.Span, chunk.Id)) return candidate;
        }

        return null;
    }
}
