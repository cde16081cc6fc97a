namespace Holdfast.Vault.Chunking;

/// <summary>
/// Tells whether content is what a chunk's id says, by the identity keys of all epochs of a key ring (as a rule one: it outlives
/// epochs unless it is renewed). May be used from any thread.
/// </summary>
/// <remarks>
/// A ring without any, of the role <i>list</i>, can prove nothing: then the seal of the group and the signature of the pack
/// that lists the chunk are believed.
/// </remarks>
internal sealed class ChunkProof(IReadOnlyList<ChunkIdentity> identities)
{
    // The newest first: most of what is read is new.
    private readonly ChunkIdentity[] identities = [.. identities.Reverse()];

    public bool Fits(ReadOnlySpan<byte> content, in ChunkId id)
    {
        foreach (ChunkIdentity identity in identities)
        {
            if (identity.Of(content) == id) return true;
        }

        return identities.Length == 0;
    }
}
