using System.Runtime.CompilerServices;

namespace Holdfast.Storage;

/// <summary>What can be said in terms of <see cref="IObjectStore"/> alone.</summary>
public static class ObjectStoreExtensions
{
    /// <summary>All objects under a prefix, in ordinal order of names, page by page.</summary>
    public static async IAsyncEnumerable<ObjectEntry> ListAsync(
        this IObjectStore store, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        string? after = null;
        do
        {
            ObjectPage page = await store.ListPageAsync(prefix, after, cancellationToken).ConfigureAwait(false);
            foreach (ObjectEntry entry in page.Entries) yield return entry;
            after = page.Next;
        }
        while (after is not null);
    }

    /// <summary>A whole object; null when there is none.</summary>
    /// <param name="store">Where it lies.</param>
    /// <param name="name">The object's name.</param>
    /// <param name="maxBytes">A larger one is refused before anything is allocated for it.</param>
    /// <param name="cancellationToken">Stops the read.</param>
    public static async Task<byte[]?> TryGetAsync(
        this IObjectStore store, string name, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (await store.StatAsync(name, cancellationToken).ConfigureAwait(false) is not { } stat) return null;
        if (stat.Length > maxBytes)
        {
            throw new ObjectStoreException(
                $"{store.Address}: {name}: {stat.Length} bytes, at most {maxBytes} expected", isRetriable: false);
        }

        byte[] content = new byte[(int)stat.Length];
        int? read = await store.ReadAsync(name, 0, content, cancellationToken).ConfigureAwait(false);
        if (read is null) return null;
        return read == content.Length ? content : content[..read.Value];
    }
}
