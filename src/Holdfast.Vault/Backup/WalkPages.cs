using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Holdfast.Vault.Backup;

/// <summary>Steps of the walk that go from one thread to the other at once.</summary>
internal sealed class WalkPage
{
    private const int Capacity = 256;
    private readonly WalkItem[] items = new WalkItem[Capacity];
    private int count;

    public bool IsFull => count == Capacity;

    public int Count => count;

    public WalkItem this[int index] => items[index];

    public void Add(in WalkItem item) => items[count++] = item;

    public void Clear()
    {
        Array.Clear(items, 0, count);
        count = 0;
    }
}

/// <summary>
/// The walk's way to the assembler: a bounded number of pages, which go round. One thread writes, one reads.
/// </summary>
internal sealed class WalkPages
{
    private const int PagesAhead = 32;
    private readonly Channel<WalkPage> sent = Channel.CreateBounded<WalkPage>(
        new BoundedChannelOptions(PagesAhead) { SingleReader = true, SingleWriter = true });

    private readonly ConcurrentBag<WalkPage> idle = [];
    private WalkPage page = new();

    /// <summary>Pages in order.</summary>
    public ChannelReader<WalkPage> Reader => sent.Reader;

    /// <summary>Adds a step; false when there is no room for it now.</summary>
    public bool TryAdd(in WalkItem item)
    {
        if (page.IsFull)
        {
            if (!sent.Writer.TryWrite(page)) return false;
            page = NewPage();
        }

        page.Add(item);
        return true;
    }

    /// <summary>Sends what was added, and waits for room.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (page.Count == 0) return;
        await sent.Writer.WriteAsync(page, cancellationToken).ConfigureAwait(false);
        page = NewPage();
    }

    /// <summary>No more will come.</summary>
    public void Complete() => sent.Writer.TryComplete();

    /// <summary>The reader has done with a page.</summary>
    public void Recycle(WalkPage done)
    {
        done.Clear();
        idle.Add(done);
    }

    private WalkPage NewPage() => idle.TryTake(out WalkPage? used) ? used : new WalkPage();
}
