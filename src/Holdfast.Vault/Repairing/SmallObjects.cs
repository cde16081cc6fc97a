using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Repairing;

/// <summary>Restore points, marks and key slots of a copy of a vault, verified as if they lay in the vault itself.</summary>
internal sealed class SmallObjects(OpenVault vault, OpenVault copy)
{
    /// <summary>Whether an object is of a kind that is made once and cannot be made anew.</summary>
    public static bool IsName(string name) =>
        (name.StartsWith(PointCodec.Prefix, StringComparison.Ordinal) && SessionId.TryParse(name.AsSpan(PointCodec.Prefix.Length), out _))
        || (name.StartsWith(PointMark.Prefix, StringComparison.Ordinal) && PointMark.TryParseName(name, out _))
        || (name.StartsWith(KeyDirectory.Prefix, StringComparison.Ordinal) && !name[KeyDirectory.Prefix.Length..].Contains('/', StringComparison.Ordinal));

    public async Task<bool> HasAsync(string name, CancellationToken cancellationToken) =>
        await TryGetAsync(name, cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>The object's bytes; null when the copy does not have it whole.</summary>
    public async Task<byte[]?> TryGetAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? content = await copy.Store.TryGetAsync(name, PointCodec.MaxBytes, cancellationToken).ConfigureAwait(false);
            if (content is not null) Verify(name, content);
            return content;
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            return null;
        }
    }

    private void Verify(string name, byte[] content)
    {
        if (name.StartsWith(KeyDirectory.Prefix, StringComparison.Ordinal))
        {
            KeySlot.ThrowIfMalformed(content, name[KeyDirectory.Prefix.Length..]);
            return;
        }

        if (name.StartsWith(PointMark.Prefix, StringComparison.Ordinal))
        {
            PointMark.Decode(vault.Sealer.Open(ObjectKind.Mark, name, content).Body, name);
            return;
        }

        _ = SessionId.TryParse(name.AsSpan(PointCodec.Prefix.Length), out SessionId id);
        PointCodec.Decode(vault.Sealer.Open(ObjectKind.Point, name, content).Body, id, default, byAdmin: false);
    }
}
