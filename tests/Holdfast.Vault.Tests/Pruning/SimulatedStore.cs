using Holdfast.Storage;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Pruning;

/// <summary>How the protocol is broken for an actor: what it is told is not what is there.</summary>
internal enum BrokenRule
{
    None = 0,

    /// <summary>A prune deletes by the points that it listed first.</summary>
    PointsAreListedOnce = 1,
}

/// <summary>
/// One store for many actors. Each request waits until it is released; whoever releases decides the order, loses requests and
/// replies, and ends actors. What reads and lists show may be as old as the store's staleness.
/// </summary>
internal sealed class SimulatedStore(SimulatedClock clock, Random random, TimeSpan staleness)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<Version>> versions = new(StringComparer.Ordinal);
    private readonly List<SimulatedRequest> pending = [];

    public StoreCapabilities Capabilities { get; } = new(CreateOnce: true, staleness, RetentionLocks: false);

    /// <summary>Requests that wait.</summary>
    public SimulatedRequest[] Pending
    {
        get { lock (gate) return [.. pending]; }
    }

    /// <summary>The store as it is: for the one who looks on.</summary>
    public MemoryObjectStore ToMemory()
    {
        var memory = new MemoryObjectStore(clock);
        foreach ((string name, byte[] content, _) in Visible(DateTimeOffset.MaxValue)) memory.Overwrite(name, content);
        return memory;
    }

    public Task<T> EnterAsync<T>(SimulatedActor actor, string what, Func<T> action)
    {
        var request = new SimulatedRequest<T>(actor, what, action);
        lock (gate)
        {
            if (actor.IsEnded) request.Refuse();
            else pending.Add(request);
        }

        return request.Task;
    }

    public void Take(SimulatedRequest request)
    {
        lock (gate) pending.Remove(request);
    }

    /// <summary>From now on all requests of an actor fail and do nothing.</summary>
    public void End(SimulatedActor actor)
    {
        SimulatedRequest[] dropped;
        lock (gate)
        {
            actor.IsEnded = true;
            dropped = [.. pending.Where(request => request.Actor == actor)];
            pending.RemoveAll(request => request.Actor == actor);
        }

        foreach (SimulatedRequest request in dropped) request.Refuse();
    }

    public PutOutcome Put(string name, byte[] content)
    {
        lock (gate)
        {
            if (!versions.TryGetValue(name, out List<Version>? known)) versions[name] = known = [];
            if (known.Count > 0 && known[^1].Deleted is null)
            {
                return known[^1].Content.AsSpan().SequenceEqual(content) ? PutOutcome.SameContent : PutOutcome.Taken;
            }

            known.Add(new Version(content, clock.GetUtcNow(), null));
            return PutOutcome.Written;
        }
    }

    public bool Delete(string name)
    {
        lock (gate)
        {
            if (!versions.TryGetValue(name, out List<Version>? known) || known[^1].Deleted is not null) return false;
            known[^1] = known[^1] with { Deleted = clock.GetUtcNow() };
            return true;
        }
    }

    /// <summary>An object as it was at some moment that is not too long ago.</summary>
    public (byte[] Content, DateTimeOffset Stored)? Get(string name) => Visible(Moment(), name).Select(static o => ((byte[], DateTimeOffset)?)(o.Content, o.Stored)).FirstOrDefault();

    public List<ObjectEntry> List(string prefix) =>
        [.. Visible(Moment()).Where(o => o.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(static o => new ObjectEntry(o.Name, o.Content.Length, o.Stored))];

    private DateTimeOffset Moment() => staleness == TimeSpan.Zero ? DateTimeOffset.MaxValue : clock.GetUtcNow() - (staleness * random.NextDouble());

    private List<(string Name, byte[] Content, DateTimeOffset Stored)> Visible(DateTimeOffset at, string? only = null)
    {
        lock (gate)
        {
            var found = new List<(string Name, byte[] Content, DateTimeOffset Stored)>();
            foreach ((string name, List<Version> known) in versions)
            {
                if (only is not null && name != only) continue;
                int i = known.FindLastIndex(version => version.Stored <= at);
                if (i >= 0 && (known[i].Deleted is not { } deleted || deleted > at)) found.Add((name, known[i].Content, known[i].Stored));
            }

            found.Sort(static (left, right) => string.CompareOrdinal(left.Name, right.Name));
            return found;
        }
    }

    private sealed record Version(byte[] Content, DateTimeOffset Stored, DateTimeOffset? Deleted);
}

/// <summary>A request that waits to be released.</summary>
internal abstract class SimulatedRequest(SimulatedActor actor, string what)
{
    public SimulatedActor Actor { get; } = actor;

    public string What { get; } = what;

    /// <summary>Does it and answers.</summary>
    public abstract void Release();

    /// <summary>Does it, and the answer is lost.</summary>
    public abstract void LoseReply();

    /// <summary>Does nothing, and there is no answer.</summary>
    public abstract void Refuse();
}

internal sealed class SimulatedRequest<T>(SimulatedActor actor, string what, Func<T> action) : SimulatedRequest(actor, what)
{
    private readonly TaskCompletionSource<T> reply = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Task => reply.Task;

    public override void Release() => reply.SetResult(action());

    public override void LoseReply()
    {
        action();
        Refuse();
    }

    public override void Refuse() => reply.SetException(new ObjectStoreException($"sim: {What}: no answer", isRetriable: true));
}

/// <summary>The store as one actor sees it.</summary>
internal sealed class SimulatedActor(SimulatedStore store, string name, BrokenRule broken) : IObjectStore
{
    private List<ObjectEntry>? firstPoints;

    /// <summary>Whether it does nothing any more.</summary>
    public bool IsEnded { get; set; }

    public string Name => name;

    /// <summary>What it does; null before it began.</summary>
    public Task? Work { get; set; }

    public string Address => "sim:";

    public StoreCapabilities Capabilities => store.Capabilities;

    public Task<PutOutcome> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        byte[] copy = content.ToArray();
        return store.EnterAsync(this, $"put {name}", () => store.Put(name, copy));
    }

    public async ValueTask<int?> ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        byte[]? content = await store.EnterAsync(this, $"read {name}", () => store.Get(name)?.Content);
        if (content is null) return null;
        ReadOnlySpan<byte> rest = content.AsSpan((int)Math.Min(offset, content.Length));
        int count = Math.Min(rest.Length, target.Length);
        rest[..count].CopyTo(target.Span);
        return count;
    }

    public Task<ObjectEntry?> StatAsync(string name, CancellationToken cancellationToken) =>
        store.EnterAsync(this, $"stat {name}", () => store.Get(name) is { } known ? new ObjectEntry(name, known.Content.Length, known.Stored) : (ObjectEntry?)null);

    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => store.EnterAsync(this, $"delete {name}", () => store.Delete(name));

    public Task<ObjectPage> ListPageAsync(string prefix, string? after, CancellationToken cancellationToken) =>
        store.EnterAsync(this, $"list {prefix}", () => new ObjectPage(List(prefix), null));

    private List<ObjectEntry> List(string prefix)
    {
        List<ObjectEntry> now = store.List(prefix);
        if (prefix == "points/" && broken == BrokenRule.PointsAreListedOnce) return firstPoints ??= now;
        return now;
    }
}
