using System.Runtime.CompilerServices;
using Holdfast.Log;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Repairing;

/// <summary>A vault that names the same content alike: chunks are asked for by their ids.</summary>
internal sealed class TwinVaultSpare(OpenVault from) : ChunkSpare
{
    public override string Name => from.Address;

    /// <summary>Whether two vaults name the same content alike, now.</summary>
    public static bool AreTwins(OpenVault one, OpenVault other) =>
        one.Sealer.Ring.Current.Identity is { } identity && other.Sealer.Ring.Current.Identity is { } otherIdentity
        && System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(identity, otherIdentity);

    /// <summary>Whether two vaults have an identity in common, also one that was renewed since in one of them: then what was named under it is called alike.</summary>
    public static bool ShareNames(OpenVault one, OpenVault other) => one.Sealer.Ring.Identities().Any(
        here => other.Sealer.Ring.Identities().Any(there => System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(here.Identity, there.Identity)));

    public override async IAsyncEnumerable<ReadOnlyMemory<byte>> CandidatesAsync(
        LostChunk chunk, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ChunkFetcher chunks = chunk.Kind == ObjectKind.DataPack ? from.DataChunks : from.TreeChunks;
        ReadOnlyMemory<byte> content;
        try
        {
            content = await chunks.FetchAsync(chunk.Id, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            // Missing or damaged there too.
            yield break;
        }

        yield return content;
    }
}
