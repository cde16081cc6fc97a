namespace Holdfast.Vault.Bytes;

/// <summary>Keeps what was used last, up to a number of bytes. May be used from any thread.</summary>
internal sealed class BoundedCache<TKey, TValue>(long maxBytes, Func<TValue, long> bytesOf)
    where TKey : notnull
    where TValue : class
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> places = [];
    private readonly LinkedList<(TKey Key, TValue Value)> byUse = new();
    private long bytes;

    public TValue? TryGet(TKey key)
    {
        lock (gate)
        {
            if (!places.TryGetValue(key, out LinkedListNode<(TKey Key, TValue Value)>? place)) return null;
            if (byUse.First != place)
            {
                byUse.Remove(place);
                byUse.AddFirst(place);
            }

            return place.Value.Value;
        }
    }

    public void Add(TKey key, TValue value)
    {
        lock (gate)
        {
            if (places.ContainsKey(key)) return;
            places[key] = byUse.AddFirst((key, value));
            bytes += bytesOf(value);
            // The newest stays, however large: its user is about to ask for it.
            while (bytes > maxBytes && byUse.Count > 1)
            {
                (TKey oldKey, TValue oldValue) = byUse.Last!.Value;
                byUse.RemoveLast();
                places.Remove(oldKey);
                bytes -= bytesOf(oldValue);
            }
        }
    }
}
