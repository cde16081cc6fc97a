using Holdfast.Storage;
using Holdfast.Vault.Repairing;

namespace Holdfast.Vault.Keys;

/// <summary>Why a key slot that a copy of the vault has is not in the vault.</summary>
internal enum MissingSlot
{
    /// <summary>It cannot be told.</summary>
    Unknown = 0,

    /// <summary>It was lost: nothing was said by which it went, and it was the only one of its key.</summary>
    Lost = 1,

    /// <summary>Its key was revoked.</summary>
    Removed = 2,
}

/// <summary>Who has which keys of a vault, as far as its key slots, and what is said of writers, tell for certain.</summary>
internal sealed class KeyHolders
{
    private readonly WriterBook book;
    private readonly ulong adminId;
    private readonly HashSet<ulong> withSlot = [];
    private readonly HashSet<ulong> unclear = [];
    private bool isAnyUnclear;

    private KeyHolders(WriterBook book, ulong adminId)
    {
        this.book = book;
        this.adminId = adminId;
    }

    /// <summary>
    /// Who is to have the keys of new epochs: whoever is certified and not revoked; the first admin too, where it is certified. Not a
    /// writer of whom something is said that cannot be read, as that may be its revocation, nor one without a key slot, whose
    /// revocation may be lost.
    /// </summary>
    public IEnumerable<KnownWriter> Receivers => Certified.Where(writer => IsSure(writer) && HasSlot(writer));

    /// <summary>Whoever has certificate and slot, but of whom something is said that cannot be read.</summary>
    public IEnumerable<KnownWriter> Unclear => Certified.Where(writer => !IsSure(writer) && HasSlot(writer));

    /// <summary>Whoever has a certificate and no slot: a key whose making was cut off, or one that lost its slot, or was removed.</summary>
    public IEnumerable<KnownWriter> WithoutSlot => Certified.Where(writer => !HasSlot(writer));

    private IEnumerable<KnownWriter> Certified => book.Writers.Where(static writer => writer.IsCertified && !writer.IsRevoked);

    /// <summary>Looks at slots and at what is said of writers, which the vault then knows anew.</summary>
    public static async Task<KeyHolders> ReadAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        // Slots first: each has its certificate before it is there, so the book tells whose they all are.
        var slots = new List<string>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(KeyDirectory.Prefix, cancellationToken).ConfigureAwait(false))
        {
            slots.Add(entry.Name[KeyDirectory.Prefix.Length..]);
        }

        await vault.RefreshWritersAsync(cancellationToken).ConfigureAwait(false);
        WriterBook book = vault.Sealer.Writers;
        var holders = new KeyHolders(book, vault.Sealer.AdminId);
        foreach (string slot in slots)
        {
            if (book.OfSlot(slot) is { } certificate) holders.withSlot.Add(certificate.WriterId);
        }

        // What a repair took away and did not bring back is as good as unreadable.
        await foreach (ObjectEntry entry in vault.Store.ListAsync(Quarantine.Prefix + WriterStatement.Prefix, cancellationToken).ConfigureAwait(false))
        {
            string name = Quarantine.NameOf(entry.Name);
            if (await vault.Store.StatAsync(name, cancellationToken).ConfigureAwait(false) is null) holders.AddUnclear(name);
        }

        return holders;
    }

    /// <summary>Why a slot is not there.</summary>
    /// <remarks>
    /// A changed password leaves the certificate of the slot that it replaced, and so does a removed one beside others of the same key. A key whose
    /// last slot is removed is revoked. So a slot was lost where its key has none and is not revoked, and no other was made as late as it.
    /// </remarks>
    public MissingSlot Judge(string slot)
    {
        if (book.OfSlot(slot) is not { } certificate || book.Find(certificate.WriterId) is not { } writer) return MissingSlot.Unknown;
        if (writer.IsRevoked) return MissingSlot.Removed;
        if (!IsSure(writer) || withSlot.Contains(writer.Id)) return MissingSlot.Unknown;
        bool isReplaced = book.SlotsOf(writer.Id).Any(other => other != slot && book.OfSlot(other)!.Epoch >= certificate.Epoch);
        return isReplaced ? MissingSlot.Unknown : MissingSlot.Lost;
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
