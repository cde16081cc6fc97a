using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Checking;

/// <summary>
/// When each pack was last read and found whole, from any machine: it lies in the vault. A pack that never was counts from
/// when it was stored. For one check; may be added to from any thread.
/// </summary>
internal sealed class VerificationLog : IDisposable
{
    /// <summary>So often what was verified is put into the vault: what is lost by a check that is cut off.</summary>
    private static readonly TimeSpan PutInterval = TimeSpan.FromMinutes(5);

    /// <summary>More records than this are put together into one.</summary>
    private const int MostRecords = 8;

    /// <summary>Times are kept in hours when records are put together.</summary>
    private const long SecondsOfSection = 3600;

    private readonly OpenVault vault;
    private readonly Action<string, string> tell;
    private readonly Dictionary<PackId, DateTimeOffset> times;
    private readonly List<string> records = [];
    private readonly List<PackId> fresh = [];
    private readonly Lock gate = new();
    private readonly SemaphoreSlim putting = new(1);
    private long batchStarted;
    private bool canPut = true;

    private VerificationLog(OpenVault vault, Dictionary<PackId, DateTimeOffset> times, Action<string, string> tell)
    {
        this.vault = vault;
        this.times = times;
        this.tell = tell;
        batchStarted = vault.Host.Clock.GetTimestamp();
        Now = vault.Host.Clock.GetUtcNow();
    }

    /// <summary>By the store's clock where it is known, else by this machine's.</summary>
    public DateTimeOffset Now { get; private set; }

    /// <summary>Reads what earlier checks left.</summary>
    /// <param name="vault">Whose.</param>
    /// <param name="stored">The packs that there are, and when each was stored.</param>
    /// <param name="tell">Told of records that cannot be read or written.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static async Task<VerificationLog> ReadAsync(
        OpenVault vault, IReadOnlyDictionary<PackId, DateTimeOffset> stored, Action<string, string> tell, CancellationToken cancellationToken)
    {
        var log = new VerificationLog(vault, new Dictionary<PackId, DateTimeOffset>(stored), tell);
        PackId[] ordered = [.. stored.Keys.Order()];
        await foreach (ObjectEntry entry in vault.Store.ListAsync(VerifiedRecord.Prefix, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                byte[]? content = await vault.Store.TryGetAsync(entry.Name, VerifiedRecord.MaxBytes, cancellationToken).ConfigureAwait(false);
                if (content is null) continue;
                log.records.Add(entry.Name);
                VerifiedRecord.Decode(vault.Sealer.Open(ObjectKind.Verified, entry.Name, content).Body, entry.Name, ordered, (pack, seconds) =>
                {
                    DateTimeOffset time = entry.Stored - TimeSpan.FromSeconds(seconds);
                    if (time > log.times[pack]) log.times[pack] = time;
                });
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                tell(entry.Name, $"{error.Message}; what it says was verified counts as not");
            }
        }

        return log;
    }

    /// <summary>When a pack was last verified.</summary>
    public DateTimeOffset TimeOf(PackId pack)
    {
        lock (gate) return times[pack];
    }

    /// <summary>How long ago the pack was verified that was verified longest ago; zero where there is none.</summary>
    public TimeSpan OldestAge()
    {
        lock (gate) return times.Count == 0 ? TimeSpan.Zero : Now - times.Values.Min();
    }

    /// <summary>How many packs were verified longer ago than that.</summary>
    public int CountOlderThan(TimeSpan age)
    {
        lock (gate) return times.Values.Count(time => Now - time > age);
    }

    /// <summary>A pack was read and is whole.</summary>
    public async Task AddAsync(PackId pack, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            fresh.Add(pack);
            if (vault.Host.Clock.GetElapsedTime(batchStarted) < PutInterval) return;
        }

        await PutAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts what was verified into the vault; a key that may not write leaves it at what is known to this check.</summary>
    public async Task PutAsync(CancellationToken cancellationToken)
    {
        await putting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            PackId[] batch;
            TimeSpan taken;
            lock (gate)
            {
                batch = [.. fresh];
                taken = vault.Host.Clock.GetElapsedTime(batchStarted);
                fresh.Clear();
                batchStarted = vault.Host.Clock.GetTimestamp();
            }

            if (batch.Length == 0) return;
            DateTimeOffset stored = await TryPutAsync(new VerifiedRecord([(SecondsOf(taken), batch)]), cancellationToken).ConfigureAwait(false)
                ?? vault.Host.Clock.GetUtcNow();
            lock (gate)
            {
                Now = stored;
                foreach (PackId pack in batch) times[pack] = stored - TimeSpan.FromSeconds(SecondsOf(taken));
            }
        }
        finally
        {
            putting.Release();
        }
    }

    /// <summary>Puts many records together into one; then the others go.</summary>
    public async Task ThinAsync(CancellationToken cancellationToken)
    {
        if (records.Count <= MostRecords || !canPut) return;
        string[] old = [.. records];
        // Rounded up: nothing counts as verified later than it was. The clock goes on until the record is stored.
        var sections = times.GroupBy(pair => (SecondsOf(Now - pair.Value) + SecondsOfSection + 60) / SecondsOfSection * SecondsOfSection, static pair => pair.Key)
            .Select(static group => (group.Key, (IReadOnlyList<PackId>)[.. group])).ToList();
        if (await TryPutAsync(new VerifiedRecord(sections), cancellationToken).ConfigureAwait(false) is null) return;
        foreach (string name in old)
        {
            try
            {
                await vault.Store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectStoreException error)
            {
                tell(name, $"stays beside the record that replaces it: {error.Message}");
                return;
            }
        }
    }

    public void Dispose() => putting.Dispose();

    private async Task<DateTimeOffset?> TryPutAsync(VerifiedRecord record, CancellationToken cancellationToken)
    {
        if (!canPut) return null;
        string name = VerifiedRecord.Prefix + SessionId.Create(vault.Host.Entropy);
        try
        {
            await vault.Store.PutIfAbsentAsync(name, vault.Sealer.Seal(ObjectKind.Verified, name, record.Encode()), cancellationToken).ConfigureAwait(false);
            lock (gate) records.Add(name);
            return (await vault.Store.StatAsync(name, cancellationToken).ConfigureAwait(false))?.Stored;
        }
        catch (HoldfastException error) when (error is ObjectStoreException { IsRetriable: false } || error.Kind == ErrorKind.WrongKey)
        {
            canPut = false;
            tell(name, $"what was verified cannot be recorded, so the next check begins with the same: {error.Message}");
            return null;
        }
    }

    private static long SecondsOf(TimeSpan span) => Math.Clamp((long)Math.Ceiling(span.TotalSeconds), 0, uint.MaxValue - SecondsOfSection);
}
