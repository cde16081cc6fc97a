using Holdfast.Log;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Backup;

/// <summary>
/// The chunks that a large file had in the base, in order, where its content is read again: what a check tells to be as it
/// was is neither cut nor named anew. For one thread at a time.
/// </summary>
internal sealed class ExpectedContent : IAsyncDisposable
{
    /// <summary>So many chunks ahead one is looked for that was found by its name: some MiB of inserted or deleted content.</summary>
    private const int LookAhead = 64;

    /// <summary>So many holes in a row, and nothing is expected any more.</summary>
    private const int MaxHoles = 1024;

    private readonly IAsyncEnumerator<ContentItem> source;
    private readonly Queue<ContentItem> ahead = new(LookAhead);
    private long repeats;
    private int holes;
    private int unknown;
    private bool atEnd;

    public ExpectedContent(TreeReader trees, Content content, CancellationToken cancellationToken) =>
        source = trees.FlattenAsync(content, cancellationToken).GetAsyncEnumerator(cancellationToken);

    /// <summary>Whether nothing is expected any more.</summary>
    public bool IsOver => atEnd && ahead.Count == 0;

    /// <summary>The chunk that is expected next, holes left out; null when there is none or it has no check.</summary>
    public async ValueTask<ContentItem?> PeekAsync()
    {
        await FillAsync().ConfigureAwait(false);
        return ahead.TryPeek(out ContentItem next) && !next.Check.IsNone ? next : null;
    }

    /// <summary>The chunk expected next was met.</summary>
    public void Take()
    {
        ContentItem next = ahead.Peek();
        if (++repeats < next.Repeats) return;
        repeats = 0;
        ahead.Dequeue();
    }

    /// <summary>A chunk was met under this name: goes on behind it, if it is one of those expected soon.</summary>
    public async ValueTask MeetAsync(ChunkId id)
    {
        await FillAsync().ConfigureAwait(false);
        int place = 0;
        foreach (ContentItem item in ahead)
        {
            if (item.Id == id) break;
            place++;
        }

        if (place < ahead.Count)
        {
            unknown = 0;
            Drop(place);
            Take();
        }
        else if (++unknown == LookAhead / 2)
        {
            // As much was overwritten, it seems. Less may have been inserted: what was expected still comes.
            unknown = 0;
            Drop(Math.Min(LookAhead / 2, ahead.Count));
        }
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private void Drop(int chunks)
    {
        if (chunks > 0) repeats = 0;
        for (; chunks > 0; chunks--) ahead.Dequeue();
    }

    private async ValueTask FillAsync()
    {
        try
        {
            while (!atEnd && ahead.Count < LookAhead)
            {
                // A file has data between two holes. Lists can be made that say otherwise, without end.
                atEnd = !await source.MoveNextAsync().ConfigureAwait(false) || holes == MaxHoles;
                bool isHole = !atEnd && source.Current.Kind == ContentItemKind.Hole;
                holes = isHole ? holes + 1 : 0;
                if (!atEnd && !isHole) ahead.Enqueue(source.Current);
            }
        }
        catch (HoldfastException damage) when (DamageException.IsLoss(damage))
        {
            // From here on nothing is expected: what is read is cut and named, which heals the list.
            atEnd = true;
        }
    }
}
