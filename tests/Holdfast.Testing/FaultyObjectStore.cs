using Holdfast.Storage;

namespace Holdfast.Testing;

/// <summary>The methods of <see cref="IObjectStore"/>.</summary>
public enum StoreMethod
{
    Put,
    Read,
    Stat,
    Delete,
    List,
}

/// <summary>One call to a <see cref="FaultyObjectStore"/>.</summary>
/// <param name="Method">Which method.</param>
/// <param name="Number">Position among the calls of that method; the first is 1.</param>
/// <param name="Name">The object's name; of a listing the prefix.</param>
public readonly record struct StoreCall(StoreMethod Method, int Number, string Name);

/// <summary>An object store that fails, is slow or shows damage as scripted, over one that works.</summary>
public sealed class FaultyObjectStore(IObjectStore inner) : IObjectStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<StoreMethod, int> counts = [];
    private readonly Dictionary<(StoreMethod Method, int Call), Func<StoreCall, Task>> before = [];
    private readonly Dictionary<(StoreMethod Method, int Call), Func<StoreCall, Task>> after = [];
    private readonly Dictionary<string, SortedSet<long>> flipped = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> truncated = new(StringComparer.Ordinal);
    private readonly HashSet<string> hidden = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Address => inner.Address;

    /// <inheritdoc/>
    public StoreCapabilities Capabilities { get; init; } = inner.Capabilities;

    /// <summary>Called before each call is passed on; what it throws is the answer.</summary>
    public Func<StoreCall, Task>? BeforeEach { get; set; }

    /// <summary>Called after each call was done; what it throws is the answer.</summary>
    public Func<StoreCall, Task>? AfterEach { get; set; }

    /// <summary>How many calls of a method there were.</summary>
    public int CallCount(StoreMethod method)
    {
        lock (gate) return counts.GetValueOrDefault(method);
    }

    /// <summary>The n-th call of a method fails and does nothing.</summary>
    public void FailBefore(StoreMethod method, int call, bool isRetriable = true) =>
        Before(method, call, c => throw Failure(c, "request lost", isRetriable));

    /// <summary>The n-th call of a method is done, but its reply is lost.</summary>
    public void FailAfter(StoreMethod method, int call, bool isRetriable = true) =>
        After(method, call, c => throw Failure(c, "reply lost", isRetriable));

    /// <summary>The n-th call of a method waits before it is done.</summary>
    public void Delay(StoreMethod method, int call, Task until) => Before(method, call, _ => until);

    /// <summary>Called before the n-th call of a method is passed on; what it throws is the answer.</summary>
    public void Before(StoreMethod method, int call, Func<StoreCall, Task> callback)
    {
        lock (gate) before[(method, call)] = callback;
    }

    /// <summary>Called after the n-th call of a method was done; what it throws is the answer.</summary>
    public void After(StoreMethod method, int call, Func<StoreCall, Task> callback)
    {
        lock (gate) after[(method, call)] = callback;
    }

    /// <summary>Reads of an object show one byte inverted from now on.</summary>
    public void FlipByte(string name, long offset)
    {
        lock (gate)
        {
            if (!flipped.TryGetValue(name, out SortedSet<long>? offsets)) flipped[name] = offsets = [];
            offsets.Add(offset);
        }
    }

    /// <summary>An object seems to end early from now on.</summary>
    public void Truncate(string name, long length)
    {
        lock (gate) truncated[name] = length;
    }

    /// <summary>An object seems to be absent from now on, to reads, stats and listings.</summary>
    public void Hide(string name)
    {
        lock (gate) hidden.Add(name);
    }

    /// <summary>Shows an object as it is again.</summary>
    public void Heal(string name)
    {
        lock (gate)
        {
            flipped.Remove(name);
            truncated.Remove(name);
            hidden.Remove(name);
        }
    }

    /// <inheritdoc/>
    public Task<PutOutcome> PutIfAbsentAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        RunAsync(StoreMethod.Put, name, () => inner.PutIfAbsentAsync(name, content, cancellationToken));

    /// <inheritdoc/>
    public async ValueTask<int?> ReadAsync(
        string name, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        int? read = await RunAsync(
            StoreMethod.Read, name, () => inner.ReadAsync(name, offset, target, cancellationToken).AsTask());
        lock (gate)
        {
            if (read is null || hidden.Contains(name)) return null;
            int count = (int)Math.Clamp(truncated.GetValueOrDefault(name, long.MaxValue) - offset, 0, read.Value);
            if (count == 0 || !flipped.TryGetValue(name, out SortedSet<long>? offsets)) return count;
            foreach (long at in offsets.GetViewBetween(offset, offset + count - 1))
            {
                target.Span[(int)(at - offset)] ^= 0xFF;
            }

            return count;
        }
    }

    /// <inheritdoc/>
    public async Task<ObjectEntry?> StatAsync(string name, CancellationToken cancellationToken)
    {
        ObjectEntry? entry = await RunAsync(StoreMethod.Stat, name, () => inner.StatAsync(name, cancellationToken));
        return entry is null ? null : AsShown(entry.Value);
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) =>
        RunAsync(StoreMethod.Delete, name, () => inner.DeleteAsync(name, cancellationToken));

    /// <inheritdoc/>
    public async Task<ObjectPage> ListPageAsync(string prefix, string? after, CancellationToken cancellationToken)
    {
        ObjectPage page =
            await RunAsync(StoreMethod.List, prefix, () => inner.ListPageAsync(prefix, after, cancellationToken));
        return page with { Entries = [.. page.Entries.Select(AsShown).OfType<ObjectEntry>()] };
    }

    private ObjectEntry? AsShown(ObjectEntry entry)
    {
        lock (gate)
        {
            if (hidden.Contains(entry.Name)) return null;
            long limit = truncated.GetValueOrDefault(entry.Name, long.MaxValue);
            return entry with { Length = Math.Min(entry.Length, limit) };
        }
    }

    private async Task<T> RunAsync<T>(StoreMethod method, string name, Func<Task<T>> action)
    {
        StoreCall call;
        Func<StoreCall, Task>? first;
        Func<StoreCall, Task>? last;
        lock (gate)
        {
            int number = counts[method] = counts.GetValueOrDefault(method) + 1;
            call = new StoreCall(method, number, name);
            before.TryGetValue((method, number), out first);
            after.TryGetValue((method, number), out last);
        }

        if (BeforeEach is not null) await BeforeEach(call);
        if (first is not null) await first(call);
        T result = await action();
        if (last is not null) await last(call);
        if (AfterEach is not null) await AfterEach(call);
        return result;
    }

    private ObjectStoreException Failure(StoreCall call, string what, bool isRetriable) =>
        new($"{Address}: {call.Method} {call.Name}: {what}", isRetriable);
}
