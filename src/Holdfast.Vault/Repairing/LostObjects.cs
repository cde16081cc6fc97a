using Holdfast.Storage;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Repairing;

/// <summary>
/// Finds what a copy of a vault has and the vault has not, and brings back what did not go in order. What an object says that comes back
/// may decide on others: those the next repair looks at.
/// </summary>
/// <param name="vault">Which lost something.</param>
/// <param name="from">The copy.</param>
/// <param name="copy">Its objects.</param>
/// <param name="order">Receives what comes back.</param>
/// <param name="leave">Told of what stays away: the object, why, and what would help.</param>
internal sealed class LostObjects(OpenVault vault, OpenVault from, SmallObjects copy, RepairOrder order, Action<string, string, string> leave)
{
    /// <summary>
    /// Of these, one that a copy has and the vault has not was lost: no program removes any. A mark may go when none of its points is
    /// there any more; it says nothing of others, and so does no harm.
    /// </summary>
    private static readonly string[] KeptForGood = [EpochDelivery.Prefix, WriterStatement.Prefix, PointMark.Prefix];

    private readonly List<string> unclear = [];

    /// <summary>What is said of writers and lost, and cannot be had from the copy.</summary>
    public IReadOnlyList<string> Unclear => unclear;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (string prefix in KeptForGood)
        {
            foreach (string name in await ListMissingAsync(prefix, cancellationToken).ConfigureAwait(false)) await DecideAsync(name, cancellationToken).ConfigureAwait(false);
        }

        await FindTakenAwayAsync(cancellationToken).ConfigureAwait(false);
        if (order.BringsBack(WriterStatement.Prefix)) return;
        await FindSlotsAsync(cancellationToken).ConfigureAwait(false);
        if (!order.BringsBack(PointMark.Prefix)) await FindPointsAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task DecideAsync(string name, CancellationToken cancellationToken)
    {
        if (await copy.HasOtherAsync(name, cancellationToken).ConfigureAwait(false))
        {
            order.AddBringBack(name);
            return;
        }

        if (!name.StartsWith(WriterStatement.Prefix, StringComparison.Ordinal) || unclear.Contains(name)) return;
        unclear.Add(name);
        leave(
            name, $"is missing, and {from.Address} does not have it whole",
            "it may be a revocation: until --from another copy brings it back, the key that it tells of gets no key epochs");
    }

    /// <summary>What a repair that was cut off took away and did not bring back, of what is not looked for elsewhere.</summary>
    private async Task FindTakenAwayAsync(CancellationToken cancellationToken)
    {
        await foreach (ObjectEntry entry in vault.Store.ListAsync(Quarantine.Prefix, cancellationToken).ConfigureAwait(false))
        {
            string name = Quarantine.NameOf(entry.Name);
            bool isElsewhere = name.StartsWith(KeyDirectory.Prefix, StringComparison.Ordinal) || name.StartsWith(PointCodec.Prefix, StringComparison.Ordinal);
            if (isElsewhere || !SmallObjects.IsName(name) || SmallObjects.IsHint(name)) continue;
            if (await vault.Store.StatAsync(name, cancellationToken).ConfigureAwait(false) is null) await DecideAsync(name, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A password that was changed or removed must not open the vault again.</summary>
    private async Task FindSlotsAsync(CancellationToken cancellationToken)
    {
        List<string> missing = await ListMissingAsync(KeyDirectory.Prefix, cancellationToken).ConfigureAwait(false);
        if (missing.Count == 0) return;
        KeyHolders holders = await KeyHolders.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        foreach (string name in unclear) holders.AddUnclear(name);
        foreach (string name in missing)
        {
            MissingSlot why = holders.Judge(name[KeyDirectory.Prefix.Length..]);
            if (why == MissingSlot.Removed || order.BringBack.Contains(name)) continue;
            if (why == MissingSlot.Lost && await copy.HasOtherAsync(name, cancellationToken).ConfigureAwait(false)) order.AddBringBack(name);
            else leave(name, $"{from.Address} has it, and it is not here: whether it was lost, or its password removed or changed, cannot be told", "copy the file from there if that password is to open the vault");
        }
    }

    /// <summary>A point goes in order by a mark that condemns it, and stays away from the one on that forgets it.</summary>
    private async Task FindPointsAsync(CancellationToken cancellationToken)
    {
        List<string> missing = await ListMissingAsync(PointCodec.Prefix, cancellationToken).ConfigureAwait(false);
        if (missing.Count == 0) return;
        PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        foreach (string name in missing)
        {
            if (!SessionId.TryParse(name.AsSpan(PointCodec.Prefix.Length), out SessionId id) || marks.ForgottenSince(id) is not null) continue;
            if (!await copy.HasOtherAsync(name, cancellationToken).ConfigureAwait(false)) continue;
            if (marks.AreAllThere) order.AddBringBack(name);
            else leave(name, $"{from.Address} has it, and it is not here: marks cannot be read or are missing, so whether it was dropped cannot be told", "copy the file from there if it is missed, and repair again");
        }
    }

    private async Task<List<string>> ListMissingAsync(string prefix, CancellationToken cancellationToken)
    {
        var there = new HashSet<string>(StringComparer.Ordinal);
        await foreach (ObjectEntry entry in vault.Store.ListAsync(prefix, cancellationToken).ConfigureAwait(false)) there.Add(entry.Name);
        var missing = new List<string>();
        await foreach (ObjectEntry entry in from.Store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (SmallObjects.IsName(entry.Name) && !there.Contains(entry.Name)) missing.Add(entry.Name);
        }

        return missing;
    }
}
