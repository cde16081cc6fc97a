using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Packing;

/// <summary>The new packs that chunks are moved to: names them, lends their builders, puts them in the background. May be used from any thread.</summary>
internal sealed class MoveWriter : IDisposable
{
    private readonly IObjectStore store;
    private readonly ObjectSealer sealer;
    private readonly SessionId session;
    private readonly BuilderPool builders;
    private readonly Lock gate = new();
    private readonly List<PackId> packs = [];
    private List<Task> puts = [];
    private List<PackFooter> durable = [];
    private uint nextData;
    private uint nextTrees;

    /// <summary>Makes a writer of one session's packs.</summary>
    /// <param name="store">Where to.</param>
    /// <param name="sealer">Of the session's writer.</param>
    /// <param name="session">Names the packs.</param>
    /// <param name="users">So many hold a builder at once; while one is held, another may be put.</param>
    /// <param name="level">Of zstd.</param>
    public MoveWriter(IObjectStore store, ObjectSealer sealer, SessionId session, int users, int level)
    {
        this.store = store;
        this.sealer = sealer;
        this.session = session;
        builders = new BuilderPool(users + 1, () => new PackBuilder(sealer, level));
    }

    /// <summary>Whether chunks of a kind can be sealed anew; else groups can only be copied.</summary>
    public bool CanSeal(ObjectKind kind) => sealer.Ring.Current.CanSealPacks(kind);

    /// <summary>A builder with a new pack, and the pack's number here.</summary>
    public async ValueTask<(PackBuilder Builder, int Pack)> TakeAsync(ObjectKind kind, CancellationToken cancellationToken)
    {
        PackBuilder builder = await builders.TakeAsync(cancellationToken).ConfigureAwait(false);
        PackId pack;
        int number;
        lock (gate)
        {
            pack = new PackId(kind, session, kind == ObjectKind.DataPack ? nextData++ : nextTrees++);
            number = packs.Count;
            packs.Add(pack);
        }

        if (CanSeal(kind)) builder.Begin(pack);
        else builder.BeginCopies(pack);
        return (builder, number);
    }

    public PackId PackOf(int number)
    {
        lock (gate) return packs[number];
    }

    /// <summary>Finishes a builder's pack and puts it in the background; the builder is free again afterwards.</summary>
    public void Put(PackBuilder builder, CancellationToken cancellationToken)
    {
        // Not dropped by cancelling: the builder must come back to its pool.
        Task put = Task.Run(() => PutAsync(builder, cancellationToken), CancellationToken.None);
        lock (gate) puts.Add(put);
    }

    /// <summary>Waits until nothing is being put any more, whatever becomes of it.</summary>
    public Task WhenStoppedAsync()
    {
        lock (gate) return Task.WhenAll(puts).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>The packs that were put since the last call, all durable.</summary>
    public async Task<List<PackFooter>> TakeDurableAsync()
    {
        List<Task> pending;
        lock (gate) (pending, puts) = (puts, []);
        await Task.WhenAll(pending).ConfigureAwait(false);
        List<PackFooter> taken;
        lock (gate) (taken, durable) = (durable, []);
        taken.Sort(static (a, b) => a.Pack.CompareTo(b.Pack));
        return taken;
    }

    public void Dispose() => builders.Dispose();

    private async Task PutAsync(PackBuilder builder, CancellationToken cancellationToken)
    {
        try
        {
            PackFooter footer = builder.Finish(out ReadOnlyMemory<byte> content);
            PutOutcome outcome = await store.PutIfAbsentAsync(footer.Pack.ObjectName, content, cancellationToken).ConfigureAwait(false);
            if (outcome == PutOutcome.Taken)
            {
                throw new HoldfastException(ErrorKind.Failed, $"{store.Address}: {footer.Pack}: the name is taken by another object", "run it again");
            }

            lock (gate) durable.Add(footer);
            builders.Return(builder);
        }
        catch (Exception error)
        {
            // Whoever waits for a builder learns the reason instead of waiting for ever.
            builders.Fail(error);
            throw;
        }
    }
}
