using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Watching changes.</summary>
public sealed partial class BitcaskStore
{
    private List<Watcher>? watchers;

    /// <summary>All changes from the call on, in their order, of keys that begin with some bytes.</summary>
    /// <param name="prefix">What keys begin with; empty = all keys.</param>
    /// <param name="capacity">How many changes may wait to be taken.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Ends when the store is closed. A change is told when it can be read, maybe before it is durable.</returns>
    /// <exception cref="HoldfastException">
    /// From the enumeration, when more than <paramref name="capacity"/> changes waited: writers do not wait for watchers. Watch again, then
    /// read what is there.
    /// </exception>
    public IAsyncEnumerable<Change> WatchAsync(
        ReadOnlyMemory<byte> prefix = default, int capacity = 1024, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        var watcher = new Watcher(prefix.ToArray(), capacity);
        lock (log.Gate)
        {
            ThrowIfDisposed();
            watchers = [.. watchers ?? [], watcher];
        }

        return ReadAsync(watcher, cancellationToken);
    }

    private async IAsyncEnumerable<Change> ReadAsync(Watcher watcher, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            await foreach (Change change in watcher.Changes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return change;
            }
        }
        finally
        {
            lock (log.Gate) Remove(watcher);
        }
    }

    // Under the gate, so that all are told in the order of the changes.
    private void Tell(Change change)
    {
        foreach (Watcher watcher in watchers!)
        {
            if (!change.Key.AsSpan().StartsWith(watcher.Prefix) || watcher.Changes.Writer.TryWrite(change)) continue;
            watcher.Changes.Writer.TryComplete(new HoldfastException(
                ErrorKind.Failed,
                $"{Directory}: a watcher fell behind at change {change.Sequence}",
                "watch with a greater capacity, and read what it missed from the store"));
            Remove(watcher);
        }
    }

    private void Remove(Watcher watcher)
    {
        if (watchers is null) return;
        List<Watcher> left = [.. watchers.Where(other => other != watcher)];
        watchers = left.Count > 0 ? left : null;
    }

    private void EndWatches()
    {
        lock (log.Gate)
        {
            foreach (Watcher watcher in watchers ?? []) watcher.Changes.Writer.TryComplete();
            watchers = null;
        }
    }

    private sealed class Watcher(byte[] prefix, int capacity)
    {
        public byte[] Prefix => prefix;

        public Channel<Change> Changes { get; } = Channel.CreateBounded<Change>(
            new BoundedChannelOptions(capacity) { SingleReader = true, AllowSynchronousContinuations = false });
    }
}
