namespace Holdfast.Vault.Indexing;

/// <summary>Goes through the entries of an index object in order, some pages in memory at a time. For one thread at a time.</summary>
internal sealed class IndexCursor(IndexReader index)
{
    private readonly byte[] pages = new byte[Math.Min(IndexReader.PagesAtOnce, index.PageCount) * IndexObject.SealedPageBytes];
    private int nextPage;
    private int length;
    private int at;

    public IndexReader Index => index;

    public IndexEntry Current { get; private set; }

    /// <summary>Goes to the next entry; false behind the last.</summary>
    /// <exception cref="DamageException">The object is damaged or gone, or its entries are not in order.</exception>
    public ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken) =>
        at < length ? ValueTask.FromResult(TakeNext()) : ReadOnAsync(cancellationToken);

    private async ValueTask<bool> ReadOnAsync(CancellationToken cancellationToken)
    {
        if (nextPage == index.PageCount) return false;
        length = await index.ReadPagesAsync(nextPage, IndexReader.PagesAtOnce, pages, cancellationToken).ConfigureAwait(false);
        nextPage = Math.Min(nextPage + IndexReader.PagesAtOnce, index.PageCount);
        at = 0;
        return TakeNext();
    }

    private bool TakeNext()
    {
        var entry = IndexEntry.Decode(pages.AsSpan(at));
        if (entry.CompareTo(Current) < 0) throw new DamageException(index.Name, "its entries are out of order");
        if (!index.Lists(entry)) throw new DamageException(index.Name, $"entry for pack {entry.Pack}, chunk {entry.Ordinal}");
        Current = entry;
        at += IndexEntry.Size;
        return true;
    }
}
