using Holdfast.Storage;

namespace Holdfast.Testing;

/// <summary>The plainest object store: what the others are measured by.</summary>
public sealed class MemoryObjectStore(TimeProvider? clock = null, string address = "memory:") : IObjectStore
{
    private const int PageEntries = 1000;

    private readonly TimeProvider clock = clock ?? new SimulatedClock();
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, (byte[] Content, DateTimeOffset Stored)> objects =
        new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Address => address;

    /// <inheritdoc/>
    public StoreCapabilities Capabilities { get; init; } = new(CreateOnce: true, TimeSpan.Zero, RetentionLocks: false);

    /// <summary>The names there are, in ordinal order.</summary>
    public string[] Names
    {
        get { lock (gate) return [.. objects.Keys]; }
    }

    /// <summary>Replaces an object, as no store should: for tests of damage.</summary>
    public void Overwrite(string name, byte[] content)
    {
        lock (gate) objects[name] = (content, clock.GetUtcNow());
    }

    /// <inheritdoc/>
    public Task<PutOutcome> PutIfAbsentAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        if (content.Length > IObjectStore.MaxObjectBytes) throw new ArgumentException("too long", nameof(content));
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            if (objects.TryGetValue(name, out (byte[] Content, DateTimeOffset Stored) known))
            {
                bool same = content.Span.SequenceEqual(known.Content);
                return Task.FromResult(same ? PutOutcome.SameContent : PutOutcome.Taken);
            }

            objects.Add(name, (content.ToArray(), clock.GetUtcNow()));
            return Task.FromResult(PutOutcome.Written);
        }
    }

    /// <inheritdoc/>
    public ValueTask<int?> ReadAsync(
        string name, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            if (!objects.TryGetValue(name, out (byte[] Content, DateTimeOffset Stored) known)) return new((int?)null);
            ReadOnlySpan<byte> rest = known.Content.AsSpan((int)Math.Min(offset, known.Content.Length));
            int count = Math.Min(rest.Length, target.Length);
            rest[..count].CopyTo(target.Span);
            return new(count);
        }
    }

    /// <inheritdoc/>
    public Task<ObjectEntry?> StatAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            return Task.FromResult<ObjectEntry?>(
                objects.TryGetValue(name, out (byte[] Content, DateTimeOffset Stored) known)
                    ? new ObjectEntry(name, known.Content.Length, known.Stored)
                    : null);
        }
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate) return Task.FromResult(objects.Remove(name));
    }

    /// <inheritdoc/>
    public Task<ObjectPage> ListPageAsync(string prefix, string? after, CancellationToken cancellationToken)
    {
        if (prefix.Length > 0 && !(prefix[^1] == '/' && ObjectName.IsValid(prefix.AsSpan()[..^1])))
        {
            throw new ArgumentException($"not a prefix of object names: '{prefix}'", nameof(prefix));
        }

        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            ObjectEntry[] found =
            [
                .. objects
                    .Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal))
                    .Where(o => after is null || string.CompareOrdinal(o.Key, after) > 0)
                    .Take(PageEntries + 1)
                    .Select(o => new ObjectEntry(o.Key, o.Value.Content.Length, o.Value.Stored)),
            ];
            return Task.FromResult(found.Length <= PageEntries
                ? new ObjectPage(found, null)
                : new ObjectPage(found[..PageEntries], found[PageEntries - 1].Name));
        }
    }
}
