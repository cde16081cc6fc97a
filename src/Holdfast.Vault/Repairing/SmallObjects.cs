using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Checking;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Repairing;

/// <summary>
/// Objects of a copy of a vault that are made once and cannot be made anew, verified as if they lay in the vault itself: restore
/// points, marks, removals, settings, key slots, and what is said of writers and epochs.
/// </summary>
internal sealed class SmallObjects(OpenVault vault, OpenVault copy)
{
    /// <summary>Whether an object is of such a kind, or a hint (<see cref="IsHint"/>).</summary>
    public static bool IsName(string name) => KindOf(name) is not ObjectKind.Invalid
        || (name.StartsWith(KeyDirectory.Prefix, StringComparison.Ordinal) && !name[KeyDirectory.Prefix.Length..].Contains('/', StringComparison.Ordinal));

    /// <summary>Whether nothing is lost with an object but the time to find out again what it said.</summary>
    public static bool IsHint(string name) => KindOf(name) is ObjectKind.Verified or ObjectKind.Damage;

    /// <summary>
    /// Whether a vault can go on when it is put away, though what it said is lost. Not without a removal, which says where chunks are
    /// now, nor a statement about a writer, which may be its revocation.
    /// </summary>
    public static bool MayBeDropped(string name) => KindOf(name) is ObjectKind.Point or ObjectKind.Mark;

    /// <summary>Whether the copy has the object whole, and the vault has not those bytes: as no name is used twice, those of the vault are damaged then.</summary>
    public async Task<bool> HasOtherAsync(string name, CancellationToken cancellationToken)
    {
        if (await TryGetAsync(name, cancellationToken).ConfigureAwait(false) is not { } content) return false;
        try
        {
            byte[]? ours = await vault.Store.TryGetAsync(name, RemovalRecord.MaxBytes, cancellationToken).ConfigureAwait(false);
            return ours is null || !ours.AsSpan().SequenceEqual(content);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            return true;
        }
    }

    /// <summary>The object's bytes; null when the copy does not have it whole.</summary>
    public async Task<byte[]?> TryGetAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? content = await copy.Store.TryGetAsync(name, RemovalRecord.MaxBytes, cancellationToken).ConfigureAwait(false);
            if (content is not null) Verify(name, content);
            return content;
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            return null;
        }
    }

    private static ObjectKind KindOf(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal) + 1;
        ReadOnlySpan<char> rest = name.AsSpan(slash);
        bool isNumber = ObjectNumber.TryParse(rest, out _), isSession = SessionId.TryParse(rest, out _);
        return name[..slash] switch
        {
            PointCodec.Prefix when isSession => ObjectKind.Point,
            PointMark.Prefix when isNumber => ObjectKind.Mark,
            RemovalRecord.Prefix when isNumber => ObjectKind.Removal,
            VaultSettings.Prefix when isNumber => ObjectKind.Settings,
            VerifiedRecord.Prefix when isSession => ObjectKind.Verified,
            DamageRecord.Prefix when isSession => ObjectKind.Damage,
            EpochDelivery.Prefix when EpochDelivery.TryParseName(name, out _) => ObjectKind.Epoch,
            WriterStatement.Prefix when WriterStatement.IsName(name) => ObjectKind.Writer,
            _ => ObjectKind.Invalid,
        };
    }

    private void Verify(string name, byte[] content)
    {
        ObjectKind kind = KindOf(name);
        if (kind == ObjectKind.Invalid)
        {
            KeySlot.ThrowIfMalformed(content, name[KeyDirectory.Prefix.Length..]);
            return;
        }

        if (kind == ObjectKind.Epoch && ObjectHeader.Decode(content, kind, name).WriterId != vault.Sealer.AdminId) throw new DamageException(name, "was not signed by the first admin");
        // What the first admin says of epochs and writers is worth having, also for those who can open it.
        if (kind is ObjectKind.Epoch or ObjectKind.Writer && !vault.Sealer.Ring.Has(ObjectHeader.Decode(content, kind, name).Epoch))
        {
            vault.Sealer.Verify(kind, name, content);
            return;
        }

        (ObjectHeader header, byte[] body) = vault.Sealer.Open(kind, name, content);
        switch (kind)
        {
            case ObjectKind.Point:
                _ = SessionId.TryParse(name.AsSpan(PointCodec.Prefix.Length), out SessionId id);
                KnownWriter writer = vault.Sealer.Writers.Find(header.WriterId)!;
                if (!writer.HasPoint(id) || !RoleRules.Allows(writer.Role, VaultUse.Backup)) throw new DamageException(name, "counts as none, whole as it is");
                PointCodec.Decode(body, id, default, byAdmin: false);
                break;
            case ObjectKind.Mark:
                PointMark.Decode(body, name);
                break;
            case ObjectKind.Removal:
                _ = ObjectNumber.TryParse(name.AsSpan(RemovalRecord.Prefix.Length), out uint number);
                RemovalRecord.Decode(body, number, name);
                break;
            case ObjectKind.Settings:
                VaultSettings.Decode(body, name);
                break;
            case ObjectKind.Epoch:
                EpochDelivery.Decode(body, name);
                break;
            case ObjectKind.Writer:
                WriterStatement.Decode(body, name);
                break;
            default:
                throw new DamageException(name, "is a hint, which is not brought back");
        }
    }
}
