using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Writing;

/// <summary>
/// Tells others that a session is at work, as long as it is, and which removals it honours. Protocol: docs/formats/vault.md,
/// "Pruning beside others". May be used from any thread.
/// </summary>
internal sealed class Lease : IAsyncDisposable
{
    /// <summary>A session of which nothing new is seen for so long may be taken for dead.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    private static readonly TimeSpan RenewalTime = Lifetime / 4;

    private readonly OpenVault vault;
    private readonly SessionId session;
    private readonly string host;

    // Held while removals are read and told of in a lease object, so that the newest says the most.
    private readonly SemaphoreSlim gate = new(1);
    private readonly CancellationTokenSource stop = new();
    private readonly Lock renewing = new();
    private Func<Removals, CancellationToken, Task<bool>> takeOver = static (_, _) => Task.FromResult(true);
    private ITimer? timer;
    private Task renewal = Task.CompletedTask;
    private uint oldest;
    private uint next;
    private bool isSettled;
    private bool isDisposed;

    private Lease(OpenVault vault, SessionId session, string host, Removals removals)
    {
        this.vault = vault;
        this.session = session;
        this.host = host;
        Removals = removals;
        Honours = removals.Understood;
    }

    /// <summary>The removals as they were read last.</summary>
    public Removals Removals { get; private set; }

    /// <summary>The session needs nothing that removals below this number condemn.</summary>
    public uint Honours { get; private set; }

    /// <summary>Puts the first lease object.</summary>
    /// <param name="vault">Where to.</param>
    /// <param name="session">Who is at work.</param>
    /// <param name="host">On which machine.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <remarks>From then on it is renewed by a timer of the vault's clock, until it is ended or disposed.</remarks>
    public static Task<Lease> BeginAsync(OpenVault vault, SessionId session, string host, CancellationToken cancellationToken) =>
        BeginAsync(vault, session, host, needsNothing: false, cancellationToken);

    /// <summary>The same for a session that uses no chunk but its own, so that no removal waits for it.</summary>
    public static Task<Lease> BeginPruneAsync(OpenVault vault, SessionId session, string host, CancellationToken cancellationToken) =>
        BeginAsync(vault, session, host, needsNothing: true, cancellationToken);

    private static async Task<Lease> BeginAsync(OpenVault vault, SessionId session, string host, bool needsNothing, CancellationToken cancellationToken)
    {
        Removals removals = await Removals.ReadAsync(vault, null, cancellationToken).ConfigureAwait(false);
        var lease = new Lease(vault, session, host, removals);
        if (needsNothing) lease.Honours = uint.MaxValue;
        try
        {
            await lease.PutAsync(cancellationToken).ConfigureAwait(false);
            // Whoever condemned something meanwhile either sees the lease, or is seen here.
            lease.Removals = await Removals.ReadAsync(vault, removals, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await lease.GiveUpAsync().ConfigureAwait(false);
            throw;
        }

        if (!needsNothing) lease.Honours = lease.Removals.Understood;
        lease.timer = vault.Host.Clock.CreateTimer(static state => ((Lease)state!).Renew(), lease, RenewalTime, RenewalTime);
        return lease;
    }

    /// <summary>Name of the newest lease object.</summary>
    public string NewestName => LeaseRecord.Name(session, next - 1);

    /// <summary>Says what is done when removals came: true where the session needs nothing that they condemn, and will not.</summary>
    public void OnRemovals(Func<Removals, CancellationToken, Task<bool>> action) => takeOver = action;

    /// <summary>Reads the removals once more; from now on the lease is renewed, but says no more that it honours others.</summary>
    public async Task<Removals> SettleAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            isSettled = true;
            return Removals = await Removals.ReadAsync(vault, Removals, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Puts the next lease object, in which the newest removals are honoured where that is possible.</summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!isSettled)
            {
                Removals = await Removals.ReadAsync(vault, Removals, cancellationToken).ConfigureAwait(false);
                bool isNew = Removals.Understood > Honours;
                if (isNew && await takeOver(Removals, cancellationToken).ConfigureAwait(false)) Honours = Removals.Understood;
            }

            await PutAsync(cancellationToken).ConfigureAwait(false);
            // The one before stays beside the newest: a listing under way shows one of them.
            for (; oldest + 2 < next; oldest++) await vault.Store.DeleteAsync(LeaseRecord.Name(session, oldest), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>The work is done, or given up in order: the lease goes.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await StopAsync().ConfigureAwait(false);
        for (; oldest < next; oldest++) await vault.Store.DeleteAsync(LeaseRecord.Name(session, oldest), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends it, if the store lets it; else it is taken for dead one day.</summary>
    public async Task GiveUpAsync()
    {
        try
        {
            await EndAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Log.HoldfastException)
        {
            // The reason for giving up is being told already.
        }

        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Stops the renewals; what the lease says stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        await StopAsync().ConfigureAwait(false);
        gate.Dispose();
        stop.Dispose();
    }

    private async Task StopAsync()
    {
        if (timer is not null) await timer.DisposeAsync().ConfigureAwait(false);
        timer = null;
        await stop.CancelAsync().ConfigureAwait(false);
        Task last;
        lock (renewing) last = renewal;
        await last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Renew()
    {
        lock (renewing)
        {
            // A store that is slower than the timer gets one renewal at a time. One that fails is followed by the next.
            if (renewal.IsCompleted && !stop.IsCancellationRequested) renewal = Task.Run(() => RenewAsync(stop.Token), stop.Token);
        }
    }

    private async Task PutAsync(CancellationToken cancellationToken)
    {
        var record = new LeaseRecord(vault.Host.Clock.GetUtcNow(), host, Environment.ProcessId, Honours);
        string name = LeaseRecord.Name(session, next);
        // Counted before it is put: one whose reply is lost may be there.
        next++;
        await vault.Store.PutIfAbsentAsync(name, vault.Sealer.Seal(ObjectKind.Lease, name, record.Encode()), cancellationToken).ConfigureAwait(false);
    }
}
