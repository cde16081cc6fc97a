using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Pruning;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Points;

/// <summary>
/// What all marks of a vault together say of its points: which are forgotten, which are on hold. Marks are numbered; each
/// is put under the number behind the highest, so of two that were decided on the same state only one is written.
/// </summary>
internal sealed class PointMarks
{
    private const int ReadsAtOnce = 8;
    private readonly Dictionary<SessionId, DateTimeOffset> forgotten = [];
    private readonly Dictionary<SessionId, DateTimeOffset> condemned = [];
    private readonly Dictionary<SessionId, PointHold> holds = [];

    private PointMarks(uint next) => Next = next;

    /// <summary>The number that the next mark gets.</summary>
    public uint Next { get; }

    /// <summary>What cannot be read, if anything: then it is not known what is on hold.</summary>
    public HoldfastException? Damage { get; private set; }

    /// <summary>Whether every mark that was ever put is there and was read: what no mark says was not said.</summary>
    public bool AreAllThere { get; private set; } = true;

    /// <summary>When the store received the mark by which a point is forgotten; null where it is not.</summary>
    public DateTimeOffset? ForgottenSince(SessionId point) => forgotten.TryGetValue(point, out DateTimeOffset since) ? since : null;

    /// <summary>All points that are forgotten, also those that are condemned.</summary>
    public IEnumerable<SessionId> Forgotten => forgotten.Keys;

    /// <summary>Whether a point is being pruned, so that it cannot be brought back.</summary>
    public bool IsCondemned(SessionId point) => condemned.ContainsKey(point);

    /// <summary>Points that were pruned, or are being pruned, and when the store received the mark that says so.</summary>
    public IReadOnlyDictionary<SessionId, DateTimeOffset> Condemned => condemned;

    /// <summary>The hold that a point is on, ended or not; null for none.</summary>
    public PointHold? HoldOf(SessionId point) => holds.GetValueOrDefault(point);

    /// <summary>Reads all marks. One that cannot be read says nothing: its points stay, and the vault's damages tell.</summary>
    public static async Task<PointMarks> ReadAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        List<(uint Number, ObjectEntry Entry)> entries = await ListAsync(vault, cancellationToken).ConfigureAwait(false);
        if (vault.Store.Capabilities.Staleness > TimeSpan.Zero && HasGap(entries))
        {
            // The store may not show one yet that was there before those that it shows.
            await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
            entries = await ListAsync(vault, cancellationToken).ConfigureAwait(false);
        }

        // The names are in the order of the numbers.
        var marks = new PointMarks(entries.Count == 0 ? 0 : entries[^1].Number + 1);
        if (entries.Count > 0) marks.AreAllThere = entries[0].Number == 0 && !HasGap(entries);
        var read = new SignedMark?[entries.Count];
        var errors = new HoldfastException?[entries.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, entries.Count, options, async (i, cancellation) =>
        {
            try
            {
                read[i] = await PointMark.TryReadAsync(vault, entries[i].Entry, cancellation).ConfigureAwait(false);
                if (read[i] is not null || vault.Store.Capabilities.Staleness == TimeSpan.Zero) return;
                await StoreWait.ForStalenessAsync(vault, 1, cancellation).ConfigureAwait(false);
                read[i] = await PointMark.TryReadAsync(vault, entries[i].Entry, cancellation).ConfigureAwait(false);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                errors[i] = error;
            }
        }).ConfigureAwait(false);
        for (int i = 0; i < read.Length; i++)
        {
            if (read[i] is { } mark && Counts(mark, entries[i].Number, vault.Sealer)) marks.Apply(mark.Mark, entries[i].Entry.Stored);
            if (read[i] is null) marks.AreAllThere = false;
            if (errors[i] is not { } error) continue;
            marks.Damage ??= error;
            vault.TellOfUnreadableMark(error);
        }

        return marks;
    }

    /// <summary>Puts a mark under a number; false when somebody else took the number: what was decided must be decided again.</summary>
    /// <remarks>When it returns true, the mark is durable.</remarks>
    public static async Task<bool> TryPutAsync(OpenVault vault, uint number, PointMark mark, CancellationToken cancellationToken)
    {
        if (!vault.Store.Capabilities.CreateOnce)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{vault.Address}: this store cannot tell who wrote an object first, so points cannot be forgotten or held safely",
                "use a store that creates an object only once");
        }

        if (number == uint.MaxValue) throw new HoldfastException(ErrorKind.Failed, $"{vault.Address}: has a mark of the highest number", "remove it: no holdfast wrote it");
        string name = PointMark.Name(number);
        byte[] content = vault.Sealer.Seal(ObjectKind.Mark, name, mark.Encode());
        if (await vault.Store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false) != PutOutcome.Taken) return true;
        // Until the one that has the number is shown.
        await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
        return false;
    }

    /// <summary>
    /// Whether who says so may. What somebody else says is no damage: it is certain that it says nothing, so it does not stop
    /// forgetting either.
    /// </summary>
    private static bool Counts(SignedMark mark, uint number, ObjectSealer sealer)
    {
        KnownWriter writer = mark.Writer;
        if (!writer.HasMark(number)) return false;
        return mark.Mark.Kind == MarkKind.Condemn
            ? RoleRules.Allows(writer.Role, VaultUse.Prune)
            : RoleRules.Allows(writer.Role, VaultUse.MarkPoints) || writer.Id == sealer.WriterId;
    }

    private static async Task<List<(uint Number, ObjectEntry Entry)>> ListAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        var entries = new List<(uint Number, ObjectEntry Entry)>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(PointMark.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (PointMark.TryParseName(entry.Name, out uint number)) entries.Add((number, entry));
        }

        return entries;
    }

    private static bool HasGap(List<(uint Number, ObjectEntry Entry)> entries) => entries.Count > 0 && entries[^1].Number - entries[0].Number >= entries.Count;

    private void Apply(PointMark mark, DateTimeOffset stored)
    {
        foreach (SessionId point in mark.Points)
        {
            switch (mark.Kind)
            {
                // Who forgets looks for holds first; a client that does not is not obeyed.
                case MarkKind.Forget when !holds.TryGetValue(point, out PointHold? hold) || hold.Until <= stored:
                    forgotten.TryAdd(point, stored);
                    break;
                case MarkKind.Undelete when !condemned.ContainsKey(point):
                    forgotten.Remove(point);
                    break;
                case MarkKind.Hold when !forgotten.ContainsKey(point):
                    holds[point] = new PointHold(stored, mark.Until, mark.Reason);
                    break;
                case MarkKind.Condemn when forgotten.ContainsKey(point):
                    condemned.TryAdd(point, stored);
                    break;
                case MarkKind.Release:
                    holds.Remove(point);
                    break;
                default:
                    break;
            }
        }
    }
}
