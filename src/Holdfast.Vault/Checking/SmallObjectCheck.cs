using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Checking;

/// <summary>
/// Reads every object of a vault that is neither a point nor what points need: the descriptor, key slots, what is said of writers and
/// epochs, marks, removals, settings and what checks left.
/// </summary>
internal sealed class SmallObjectCheck(OpenVault vault, Findings findings)
{
    /// <summary>Key slots.</summary>
    public int KeySlots { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await CheckDescriptorAsync(cancellationToken).ConfigureAwait(false);
        await CheckKeySlotsAsync(cancellationToken).ConfigureAwait(false);
        await CheckEachAsync(ObjectKind.Writer, WriterStatement.Prefix, WriterStatement.MaxBytes, WriterStatement.IsName, CheckStatement, cancellationToken).ConfigureAwait(false);
        await CheckEpochsAsync(cancellationToken).ConfigureAwait(false);
        await CheckEachAsync(
            ObjectKind.Mark, PointMark.Prefix, PointMark.MaxBytes, static name => PointMark.TryParseName(name, out _), static (body, name) => PointMark.Decode(body, name),
            cancellationToken, "every restore point is there all the same, but none can be forgotten").ConfigureAwait(false);
        await CheckRemovalsAsync(cancellationToken).ConfigureAwait(false);
        await CheckEachAsync(
            ObjectKind.Settings, VaultSettings.Prefix, VaultSettings.MaxBytes, static name => ObjectNumber.TryParse(name.AsSpan(VaultSettings.Prefix.Length), out _),
            static (body, name) => VaultSettings.Decode(body, name), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same of what checks leave: once this check has left its own.</summary>
    public async Task CheckRecordsAsync(CancellationToken cancellationToken)
    {
        await CheckEachAsync(
            ObjectKind.Verified, VerifiedRecord.Prefix, VerifiedRecord.MaxBytes, static name => IsOfSession(name, VerifiedRecord.Prefix),
            static (body, name) => VerifiedRecord.Decode(body, name, [], static (_, _) => { }), cancellationToken, "what it says was verified counts as not").ConfigureAwait(false);
        await CheckEachAsync(
            ObjectKind.Damage, DamageRecord.Prefix, DamageRecord.MaxBytes, static name => IsOfSession(name, DamageRecord.Prefix),
            static (body, name) => DamageRecord.Decode(body, name, []), cancellationToken, "what it names is found again by a check that reads data").ConfigureAwait(false);
    }

    private static bool IsOfSession(string name, string prefix) => SessionId.TryParse(name.AsSpan(prefix.Length), out _);

    private async Task CheckDescriptorAsync(CancellationToken cancellationToken)
    {
        try
        {
            byte[] id = await VaultDescriptor.ReadIdAsync(vault.Store, cancellationToken).ConfigureAwait(false);
            if (!id.AsSpan().SequenceEqual(vault.VaultId)) findings.Add(VaultDescriptor.Name, $"is of vault {Convert.ToHexStringLower(id)}, {vault.Id} expected");
        }
        catch (HoldfastException error) when (IsLossOf(error))
        {
            findings.Add(VaultDescriptor.Name, error);
        }
    }

    /// <summary>That they are as they were written; whether they open, their passwords would tell.</summary>
    private async Task CheckKeySlotsAsync(CancellationToken cancellationToken)
    {
        bool hasOurs = false;
        await foreach (ObjectEntry entry in vault.Store.ListAsync(KeyDirectory.Prefix, cancellationToken).ConfigureAwait(false))
        {
            KeySlots++;
            string id = entry.Name[KeyDirectory.Prefix.Length..];
            hasOurs |= id == vault.KeySlotId;
            try
            {
                byte[]? slot = await vault.Store.TryGetAsync(entry.Name, KeySlot.MaxBytes, cancellationToken).ConfigureAwait(false);
                if (slot is not null) KeySlot.ThrowIfMalformed(slot, id);
            }
            catch (HoldfastException error) when (IsLossOf(error))
            {
                findings.Add(entry.Name, error);
            }
        }

        if (!hasOurs) findings.Add(KeyDirectory.Prefix + vault.KeySlotId, "is missing: the vault was opened with it");
    }

    /// <summary>Objects that cannot be read, and epochs that no object delivers to who should have them, as far as this key has these itself.</summary>
    private async Task CheckEpochsAsync(CancellationToken cancellationToken)
    {
        await CheckEachAsync(
            ObjectKind.Epoch, EpochDelivery.Prefix, EpochDelivery.MaxBytes, static name => EpochDelivery.TryParseName(name, out _),
            static (body, name) => EpochDelivery.Decode(body, name), cancellationToken).ConfigureAwait(false);
        KeyHolders holders = await KeyHolders.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        foreach (KnownWriter writer in holders.WithoutSlot)
        {
            findings.Tell(
                WriterStatement.Prefix + WriterStatement.IdText(writer.Id),
                $"the key of {writer.Shown} has no key slot, so it opens nothing and gets no key epochs: if it is missed, bring its slot back with \"holdfast repair --from\" a copy, or add it anew");
        }

        foreach (KnownWriter writer in holders.Unclear)
        {
            findings.Tell(
                WriterStatement.Prefix + WriterStatement.IdText(writer.Id),
                $"the key of {writer.Shown} gets no key epochs while something that is said of it cannot be read: that may be its revocation");
        }

        foreach ((KeyEpoch epoch, List<KnownWriter> lacking) in await KeyEpochs.FindMissingAsync(
            vault, vault.Sealer.Ring, holders, (name, error) => findings.Add(name, error), cancellationToken).ConfigureAwait(false))
        {
            string keys = string.Join(", ", lacking.Select(static writer => writer.Shown));
            bool isThere = await vault.Store.StatAsync(EpochDelivery.Name(epoch.Number), cancellationToken).ConfigureAwait(false) is not null;
            findings.Add(
                EpochDelivery.Name(epoch.Number) + (isThere ? "-*" : ""),
                $"is missing: nothing delivers key epoch {epoch.Number} to the keys of {keys}, which can neither read what is new nor write");
        }
    }

    /// <summary>Each by itself, and that none is missing between the others.</summary>
    private async Task CheckRemovalsAsync(CancellationToken cancellationToken)
    {
        const string reassurance = "every restore point is there all the same, but nothing can be pruned";
        await CheckEachAsync(
            ObjectKind.Removal, RemovalRecord.Prefix, RemovalRecord.MaxBytes, static name => ObjectNumber.TryParse(name.AsSpan(RemovalRecord.Prefix.Length), out _),
            static (body, name) => _ = ObjectNumber.TryParse(name.AsSpan(RemovalRecord.Prefix.Length), out uint number) ? RemovalRecord.Decode(body, number, name) : null,
            cancellationToken, reassurance).ConfigureAwait(false);
        Removals removals = await Removals.ReadAsync(vault, null, cancellationToken).ConfigureAwait(false);
        if (removals.Damage is DamageException { LacksEpoch: false } damage) findings.Add(RemovalRecord.Name(removals.Understood), damage).Reassurance = reassurance;
    }

    private static void CheckStatement(byte[] body, string name) => WriterStatement.Decode(body, name);

    private async Task CheckEachAsync(
        ObjectKind kind, string prefix, int maxBytes, Func<string, bool> isName, Action<byte[], string> decode, CancellationToken cancellationToken,
        string? reassurance = null)
    {
        await foreach (ObjectEntry entry in vault.Store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (!isName(entry.Name))
            {
                findings.Tell(entry.Name, "does not belong to the vault");
                continue;
            }

            try
            {
                if (entry.Length > maxBytes) throw new DamageException(entry.Name, $"{entry.Length} bytes, at most {maxBytes} expected");
                // One that is gone was put together with others meanwhile.
                if (await vault.Store.TryGetAsync(entry.Name, maxBytes, cancellationToken).ConfigureAwait(false) is not { } content) continue;
                decode(vault.Sealer.Open(kind, entry.Name, content).Body, entry.Name);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                findings.Add(entry.Name, error).Reassurance = reassurance;
            }
        }
    }

    // The vault was opened a moment ago: a descriptor or slot that cannot be understood now is damaged, whatever its reader calls it.
    private static bool IsLossOf(HoldfastException error) => error is not ObjectStoreException || DamageException.IsLoss(error);
}
