using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Checking;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault.Repairing;

/// <summary>
/// Decides what becomes of damaged objects that cannot be made anew from others: they come from a copy of the vault, or stay, or go on
/// request. The first admin's key also makes anew what delivers key epochs, and any that opened the vault its descriptor.
/// </summary>
/// <param name="vault">Whose.</param>
/// <param name="request">What is allowed.</param>
/// <param name="order">Receives the decisions.</param>
/// <param name="leave">Told of what stays: the object, what is wrong with it, and what would help.</param>
/// <param name="leaveUnread">Told of what stays because this key cannot read it.</param>
internal sealed class SmallObjectPlan(
    OpenVault vault, RepairRequest request, RepairOrder order, Action<string, string, string> leave, Action<Finding> leaveUnread)
{
    private bool epochsAreMissing;

    private readonly SmallObjects? copy =
        request.From is { } from && from.VaultId.AsSpan().SequenceEqual(vault.VaultId) ? new SmallObjects(vault, from) : null;

    /// <summary>Decides on all that a check found.</summary>
    /// <param name="findings">All of it.</param>
    /// <param name="isReadPoint">Whether an object is a point that could be read: what is wrong then is its tree.</param>
    /// <param name="cancellationToken">Stops waits for the stores.</param>
    public async Task RunAsync(IReadOnlyList<Finding> findings, Func<string, bool> isReadPoint, CancellationToken cancellationToken)
    {
        foreach (Finding finding in findings)
        {
            if (finding.ObjectName.StartsWith(EpochDelivery.Prefix, StringComparison.Ordinal)) await DecideOnEpochAsync(finding, cancellationToken).ConfigureAwait(false);
            else if (finding.ObjectName == VaultDescriptor.Name) BringBack(finding.ObjectName);
            else if (SmallObjects.IsName(finding.ObjectName) && !isReadPoint(finding.ObjectName)) await DecideAsync(finding, cancellationToken).ConfigureAwait(false);
        }

        LostObjects? lost = copy is null ? null : new LostObjects(vault, request.From!, copy, order, leave);
        if (lost is not null)
        {
            await lost.RunAsync(cancellationToken).ConfigureAwait(false);
            await CompareSlotsAsync(request.From!, cancellationToken).ConfigureAwait(false);
        }

        if (epochsAreMissing) await DecideOnDeliveriesAsync(lost?.Unclear ?? [], cancellationToken).ConfigureAwait(false);
    }

    private async Task DecideAsync(Finding finding, CancellationToken cancellationToken)
    {
        string name = finding.ObjectName;
        if (!finding.LacksEpoch && await CopyHasAsync(name, cancellationToken).ConfigureAwait(false)) BringBack(name);
        else if (finding.DependsOnKey) leaveUnread(finding);
        else if (name.StartsWith(KeyDirectory.Prefix, StringComparison.Ordinal)) leave(name, finding.What, "--from a copy of this vault may bring it back; else \"holdfast key remove\" and \"key add\" replace it");
        else if (SmallObjects.IsHint(name)) PutAway(name);
        else if (!SmallObjects.MayBeDropped(name)) leave(name, finding.What, "--from a copy of this vault may bring it back");
        else if (request.DropsUnreadable) PutAway(name);
        else leave(name, finding.What, "--from a copy of this vault may bring it back; --drop-unreadable puts it away");
    }

    /// <summary>Who has an epoch can deliver it anew, if others believe it: the first admin.</summary>
    private async Task DecideOnEpochAsync(Finding finding, CancellationToken cancellationToken)
    {
        string name = finding.ObjectName;
        bool isObject = SmallObjects.IsName(name);
        bool isOurs = vault.Sealer.Ring.IsOfFirstAdmin
            && EpochDelivery.TryParseName(isObject ? name : name[..^2], out uint number) && vault.Sealer.Ring.Has(number);
        if (isObject && !finding.LacksEpoch && await CopyHasAsync(name, cancellationToken).ConfigureAwait(false))
        {
            BringBack(name);
        }
        else if (isOurs)
        {
            epochsAreMissing = true;
            if (isObject && !finding.DependsOnKey && await vault.Store.StatAsync(name, cancellationToken).ConfigureAwait(false) is not null) PutAway(name);
        }
        else if (isObject && !finding.DependsOnKey && request.DropsUnreadable)
        {
            PutAway(name);
        }
        else
        {
            leave(name, finding.What, "a repair with the first admin's key delivers its epochs anew; --from a copy of this vault may bring it back");
        }
    }

    /// <summary>
    /// Whom no object delivers an epoch. What comes back may be a revocation, or deliver the epoch by itself: then the next repair
    /// decides, on what is there.
    /// </summary>
    private async Task DecideOnDeliveriesAsync(IReadOnlyList<string> unclear, CancellationToken cancellationToken)
    {
        if (order.BringsBack(WriterStatement.Prefix) || order.BringsBack(EpochDelivery.Prefix)) return;
        KeyHolders holders = await KeyHolders.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        foreach (string name in unclear) holders.AddUnclear(name);
        foreach ((_, List<KnownWriter> lacking) in await KeyEpochs.FindMissingAsync(
            vault, vault.Sealer.Ring, holders, static (_, _) => { }, cancellationToken).ConfigureAwait(false))
        {
            order.DeliverTo.AddRange(lacking.Where(writer => !order.DeliverTo.Exists(other => other.Id == writer.Id)));
        }
    }

    /// <summary>Slots of the first version have no checksum: only beside another is it seen that one of them changed.</summary>
    private async Task CompareSlotsAsync(OpenVault from, CancellationToken cancellationToken)
    {
        await foreach (ObjectEntry entry in vault.Store.ListAsync(KeyDirectory.Prefix, cancellationToken).ConfigureAwait(false))
        {
            string name = entry.Name, id = name[KeyDirectory.Prefix.Length..];
            bool isOurs = id == vault.KeySlotId;
            // The one in use opened, here or there.
            if ((isOurs && !vault.IsOpenedByCopy) || order.BringBack.Contains(name)) continue;
            try
            {
                byte[]? ours = await vault.Store.TryGetAsync(name, KeySlot.MaxBytes, cancellationToken).ConfigureAwait(false);
                byte[]? theirs = await from.Store.TryGetAsync(name, KeySlot.MaxBytes, cancellationToken).ConfigureAwait(false);
                if (ours is null || theirs is null || ours.AsSpan().SequenceEqual(theirs)) continue;
                if (isOurs) BringBack(name);
                else if (!KeySlot.HasChecksum(ours)) leave(name, $"differs from that in {from.Address}, and has no checksum by which to tell which of the two is damaged", "try its password on both vaults");
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                // One of the two cannot be read: of ours the check told.
            }
        }
    }

    private void BringBack(string name) => order.AddBringBack(name);

    private void PutAway(string name)
    {
        if (!order.Quarantine.Contains(name)) order.Quarantine.Add(name);
    }

    private async Task<bool> CopyHasAsync(string name, CancellationToken cancellationToken) =>
        copy is not null && await copy.HasOtherAsync(name, cancellationToken).ConfigureAwait(false);
}
