using Holdfast.Storage;
using Holdfast.Vault.Repairing;

namespace Holdfast.Vault.Keys;

/// <summary>
/// Who is to have the keys of new epochs: whoever is certified and not revoked, as far as the vault tells for certain. Not a writer of
/// whom something is said that cannot be read, as that may be its revocation, nor one without a key slot, whose revocation may be lost.
/// </summary>
internal sealed class EpochReceivers
{
    private readonly WriterBook book;
    private readonly ulong adminId;
    private readonly HashSet<ulong> withSlot = [];
    private readonly HashSet<ulong> unclear = [];
    private bool isAnyUnclear;

    private EpochReceivers(WriterBook book, ulong adminId)
    {
        this.book = book;
        this.adminId = adminId;
    }

    /// <summary>All of them; the first admin too, where it is certified.</summary>
    public IEnumerable<KnownWriter> Writers => Certified.Where(writer => IsSure(writer) && HasSlot(writer));

    /// <summary>Whoever has certificate and slot, but of whom something is said that cannot be read.</summary>
    public IEnumerable<KnownWriter> Unclear => Certified.Where(writer => !IsSure(writer) && HasSlot(writer));

    /// <summary>Whoever has a certificate and no slot: a key whose making was cut off, or one that was removed.</summary>
    public IEnumerable<KnownWriter> WithoutSlot => Certified.Where(writer => !HasSlot(writer));

    private IEnumerable<KnownWriter> Certified => book.Writers.Where(static writer => writer.IsCertified && !writer.IsRevoked);

    /// <summary>Looks at slots and at what is said of writers, which the vault then knows anew.</summary>
    public static async Task<EpochReceivers> ReadAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        // Slots first: each has its certificate before it is there, so the book tells whose they all are.
        var slots = new List<string>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(KeyDirectory.Prefix, cancellationToken).ConfigureAwait(false))
        {
            slots.Add(entry.Name[KeyDirectory.Prefix.Length..]);
        }

        await vault.RefreshWritersAsync(cancellationToken).ConfigureAwait(false);
        WriterBook book = vault.Sealer.Writers;
        var receivers = new EpochReceivers(book, vault.Sealer.AdminId);
        foreach (string slot in slots)
        {
            if (book.OfSlot(slot) is { } certificate) receivers.withSlot.Add(certificate.WriterId);
        }

        // What a repair took away and did not bring back is as good as unreadable.
        await foreach (ObjectEntry entry in vault.Store.ListAsync(Quarantine.Prefix + WriterStatement.Prefix, cancellationToken).ConfigureAwait(false))
        {
            string name = Quarantine.NameOf(entry.Name);
            if (await vault.Store.StatAsync(name, cancellationToken).ConfigureAwait(false) is null) receivers.AddUnclear(name);
        }

        return receivers;
    }

    /// <summary>Notes that an object that says something of a writer cannot be had.</summary>
    public void AddUnclear(string name)
    {
        if (WriterStatement.TryParseName(name, out ulong writer)) unclear.Add(writer);
        else isAnyUnclear = true;
    }

    // Nobody can revoke the first admin.
    private bool IsSure(KnownWriter writer) =>
        writer.Id == adminId || !(isAnyUnclear || unclear.Contains(writer.Id) || book.IsUnclear(writer.Id));

    private bool HasSlot(KnownWriter writer) => writer.Id == adminId || withSlot.Contains(writer.Id);
}
