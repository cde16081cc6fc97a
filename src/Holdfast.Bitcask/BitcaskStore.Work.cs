using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Work that lasts: merges, checkpoints, maintenance. Closing ends it first.</summary>
public sealed partial class BitcaskStore
{
    private readonly CancellationTokenSource closing = new();

    // Held while keys move over to a replacement: between its publication and the removal of what it replaces.
    private readonly Lock moveGate = new();

    // Under the gate, which is pulsed when it falls.
    private int workCount;

    private Work BeginWork(CancellationToken cancellationToken)
    {
        ThrowIfReadOnly();
        lock (log.Gate)
        {
            ThrowIfUnusable();
            workCount++;
        }

        return new Work(this, cancellationToken);
    }

    private void EndWork()
    {
        lock (log.Gate)
        {
            workCount--;
            Monitor.PulseAll(log.Gate);
        }
    }

    private void EndAllWork()
    {
        closing.Cancel();
        StopMaintainer();
        lock (log.Gate)
        {
            while (workCount > 0) Monitor.Wait(log.Gate);
        }

        closing.Dispose();
    }

    // Waits for reads that began before the store was marked as closed: they look into mapped segments.
    private void EndReads()
    {
        epochs.Retire(new LastRead());
        epochs.Drain();
        ReleaseUnread();
    }

    private void ThrowIfReadOnly()
    {
        if (options.ReadOnly) throw new InvalidOperationException($"{Directory} was opened for reading only");
    }

    // Of one thread.
    private sealed class Work(BitcaskStore store, CancellationToken cancellationToken) : IDisposable
    {
        private readonly BatchThread thread = BatchThread.Begin();
        private readonly CancellationTokenSource either =
            CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, store.closing.Token);

        /// <summary>Cancelled by the caller, or because the store is being closed.</summary>
        public CancellationToken Token => either.Token;

        public void Dispose()
        {
            either.Dispose();
            thread.Dispose();
            store.EndWork();
        }
    }

    private sealed class LastRead : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
