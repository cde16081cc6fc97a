using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>Whose signatures a vault knows: the first admin's, our own, and those that the first admin certified.</summary>
internal sealed class WriterBook
{
    private const int ReadsAtOnce = 8;
    private readonly Dictionary<ulong, KnownWriter> writers = [];
    private readonly Dictionary<string, WriterCertificate> slots = new(StringComparer.Ordinal);
    private readonly List<WriterRevocation> revocations = [];
    private readonly HashSet<ulong> unclear = [];

    // Whose objects have names that tell of no writer: what they say may be of any.
    private bool isAnyUnclear;

    private WriterBook(KeyRing ring)
    {
        ulong admin = KeyEpoch.KeyId("writer", ring.AdminPublicKey);
        writers[admin] = new KnownWriter { Id = admin, PublicKey = ring.AdminPublicKey, Role = KeyRole.Admin };
        byte[] own = Libsodium.SignPublicKey(ring.WriterSeed);
        ulong id = KeyEpoch.KeyId("writer", own);
        writers.TryAdd(id, new KnownWriter { Id = id, PublicKey = own, Role = ring.Role, Label = ring.Label });
    }

    /// <summary>Whether it was read from the vault; else it knows what the ring tells.</summary>
    public bool IsRead { get; private init; }

    public IReadOnlyCollection<KnownWriter> Writers => writers.Values;

    /// <summary>What a ring tells without a look at the vault.</summary>
    public static WriterBook Of(KeyRing ring) => new(ring);

    /// <summary>Who a signature is of; null for an unknown writer.</summary>
    public KnownWriter? Find(ulong writerId) => writers.GetValueOrDefault(writerId);

    /// <summary>Whether something is said of a writer that could not be read, or may be: it may be that it is revoked.</summary>
    public bool IsUnclear(ulong writerId) => isAnyUnclear || unclear.Contains(writerId);

    /// <summary>What was said when a key slot was made; null where nobody said anything.</summary>
    public WriterCertificate? OfSlot(string slot) => slots.GetValueOrDefault(slot);

    /// <summary>The slots of a writer, as far as it is known whose they are.</summary>
    public IEnumerable<string> SlotsOf(ulong writerId) => slots.Where(slot => slot.Value.WriterId == writerId).Select(static slot => slot.Key);

    /// <summary>Reads all that is said of writers. What cannot be read says nothing, and is told of; who it may be said of is unclear.</summary>
    /// <remarks>
    /// Certificates first, since others are verified by them. A certificate that its own writer signed establishes nothing:
    /// it tells of a further slot of a writer that is known.
    /// </remarks>
    public static async Task<WriterBook> ReadAsync(
        IObjectStore store, ObjectSealer sealer, IReadOnlyList<ObjectEntry> entries, Action<Exception> onDamage, CancellationToken cancellationToken)
    {
        var contents = new byte[]?[entries.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, entries.Count, options, async (i, cancellation) =>
        {
            if (!WriterStatement.IsName(entries[i].Name)) return;
            try
            {
                contents[i] = await store.TryGetAsync(entries[i].Name, WriterStatement.MaxBytes, cancellation).ConfigureAwait(false);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                contents[i] = [];
                onDamage(error);
            }
        }).ConfigureAwait(false);

        var book = new WriterBook(sealer.Ring) { IsRead = true };
        var understood = new bool[entries.Count];
        foreach (bool byAdmin in (bool[])[true, false])
        {
            for (int i = 0; i < contents.Length; i++)
            {
                // Gone meanwhile, or told of above.
                if (contents[i] is not { Length: > 0 } content) continue;
                try
                {
                    string name = entries[i].Name;
                    ObjectHeader header = ObjectHeader.Decode(content, ObjectKind.Writer, name);
                    // Told to those who were there then: who came later has no epoch so old, and who was revoked none so new.
                    if ((header.WriterId == sealer.AdminId) != byAdmin || !sealer.Ring.Has(header.Epoch)) continue;
                    byte[] body = sealer.Open(ObjectKind.Writer, name, content, book).Body;
                    book.Add(WriterStatement.Decode(body, name), header.WriterId, byAdmin);
                    understood[i] = true;
                }
                catch (HoldfastException error) when (DamageException.IsLoss(error))
                {
                    onDamage(error);
                }
            }
        }

        for (int i = 0; i < contents.Length; i++)
        {
            if (contents[i] is not null ? !understood[i] : !WriterStatement.IsName(entries[i].Name)) book.AddUnclear(entries[i].Name);
        }

        foreach (WriterRevocation revocation in book.revocations)
        {
            // The first admin can revoke everybody but itself: who would say that it counts?
            if (revocation.WriterId != sealer.AdminId) book.Find(revocation.WriterId)?.Revoke(revocation);
        }

        return book;
    }

    private void AddUnclear(string name)
    {
        if (WriterStatement.TryParseName(name, out ulong writer)) unclear.Add(writer);
        else isAnyUnclear = true;
    }

    private void Add(WriterStatement statement, ulong saidBy, bool byAdmin)
    {
        if (statement.Certificate is { } certificate)
        {
            if (!byAdmin && (saidBy != certificate.WriterId || slots.ContainsKey(certificate.Slot))) return;
            slots[certificate.Slot] = certificate;
            if (!byAdmin || writers.TryGetValue(certificate.WriterId, out KnownWriter? known) && known.ReceivingKey is not null) return;
            writers[certificate.WriterId] = new KnownWriter
            {
                Id = certificate.WriterId,
                PublicKey = certificate.PublicKey,
                Role = certificate.Role,
                Label = certificate.Label,
                ReceivingKey = certificate.ReceivingKey,
                Epoch = certificate.Epoch,
            };
            return;
        }

        if (byAdmin) revocations.Add(statement.Revocation!);
    }
}
