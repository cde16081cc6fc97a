using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Pruning;

/// <summary>
/// Backups, forgets and prunes at once on one store, whose requests are done in an order that a seed chooses. After every
/// request that could matter, and at the end, all points that are there restore whole.
/// </summary>
/// <remarks>
/// The work itself runs on threads, so a seed chooses among those requests that have come by then: it repeats a failure often, not
/// always. The requests that led to a failure are told with it.
/// </remarks>
internal sealed class PruneSimulation : IDisposable
{
    private const int Machines = 2;
    private const int Contents = 10;

    // What is forgotten and pruned comes again soon: where a rule is broken, that is found sooner.
    private const int FewContents = 3;
    private const int MaxStepsToEnd = 50_000;
    private static readonly string[] WhatMatters = ["delete data/", "delete trees/", "put points/"];

    private readonly FaultWorld world = new();
    private readonly Random random;
    private readonly BrokenRule broken;
    private readonly int seed;
    private readonly SimulatedClock clock = new();
    private readonly SimulatedStore store;
    private readonly List<SimulatedActor> actors = [];
    private readonly SimulatedActor?[] backups = new SimulatedActor?[Machines];
    private readonly (string Path, DirectoryTree Tree)[] sources = new (string, DirectoryTree)[Machines];
    private readonly byte[][] contents = new byte[Contents][];
    private readonly Dictionary<DateTimeOffset, SortedDictionary<string, byte[]>> model = [];
    private readonly HashSet<SessionId> made = [];
    private readonly HashSet<SessionId> forgotten = [];
    private readonly List<string> trace = [];
    private readonly List<OpenVault> vaults = [];
    private readonly Lock gate = new();
    private int next;

    public PruneSimulation(int seed, BrokenRule broken = BrokenRule.None)
    {
        this.seed = seed;
        this.broken = broken;
        random = new Random(seed);
        store = new SimulatedStore(clock, new Random(seed + 1), random.Next(4) == 0 ? TimeSpan.FromSeconds(5) : TimeSpan.Zero);
        for (int i = 0; i < Contents; i++)
        {
            contents[i] = new byte[random.Next(500, 30_000)];
            random.NextBytes(contents[i]);
        }

        for (int i = 0; i < Machines; i++) sources[i] = world.Source($"machine{i}", ("first", contents[i]));
        store.Put("vault", VaultDescriptor.Encode(FaultWorld.VaultId));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Does so much, comes to rest, and looks at all.</summary>
    public async Task RunAsync(int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            if (actors.Count < 4 && random.Next(12) == 0) Begin();
            if (random.Next(20) == 0) PassTime(Chance());
            await StepAsync(hasFaults: true);
        }

        await SettleAsync();
        await LookAsync(isLast: true);
    }

    public void Dispose()
    {
        foreach (SimulatedActor actor in actors) store.End(actor);
        foreach (OpenVault vault in vaults) vault.Dispose();
        world.Dispose();
    }

    private TimeSpan Chance() => random.Next(8) switch
    {
        0 => TimeSpan.FromMinutes(45),
        1 or 2 => TimeSpan.FromMinutes(8),
        _ => TimeSpan.FromSeconds(random.Next(1, 30)),
    };

    private void PassTime(TimeSpan time)
    {
        trace.Add($"  time: {time}");
        clock.Advance(time);
    }

    private void Begin()
    {
        switch (random.Next(5))
        {
            case 0 or 1:
                int machine = random.Next(Machines);
                if (backups[machine] is null) backups[machine] = Start($"backup{next++}@{machine}", actor => BackUpAsync(actor, machine));
                break;
            case 2 or 3:
                Start($"prune{next++}", PruneAsync);
                break;
            default:
                Start($"forget{next++}", ForgetAsync);
                break;
        }
    }

    private SimulatedActor Start(string name, Func<SimulatedActor, Task> work)
    {
        var actor = new SimulatedActor(store, name, broken);
        actors.Add(actor);
        actor.Work = Task.Run(() => work(actor));
        trace.Add($"  begins: {name}");
        return actor;
    }

    private async Task<OpenVault> OpenAsync(IObjectStore place)
    {
        OpenVault vault = OpenVault.Open(
            new Host(new SimulatedDisk(seed), clock, new SimulatedEntropy((seed * 1000) + Interlocked.Increment(ref next))), place, FaultWorld.VaultId, "0000000000000000", FaultWorld.Ring, 1 << 20);
        lock (gate) vaults.Add(vault);
        await Task.CompletedTask;
        return vault;
    }

    private async Task BackUpAsync(SimulatedActor actor, int machine)
    {
        (string path, DirectoryTree tree) = sources[machine];
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        DateTimeOffset time;
        PointKind kind;
        lock (gate)
        {
            foreach (string old in Directory.GetFiles(path)) if (random.Next(3) == 0) File.Delete(old);
            for (int i = random.Next(4); i >= 0; i--) File.WriteAllBytes(Path.Combine(path, $"f{random.Next(6)}"), contents[random.Next(broken == BrokenRule.None ? Contents : FewContents)]);
            foreach (string file in Directory.GetFiles(path)) files[Path.GetFileName(file)] = File.ReadAllBytes(file);
            time = SimulatedClock.DefaultStart.AddSeconds(model.Count);
            model.Add(time, files);
            kind = random.Next(4) == 0 ? PointKind.Full : PointKind.Incremental;
        }

        BackupRequest request = FaultWorld.Request(tree, kind) with { Host = $"m{machine}", Time = time };
        BackupSummary summary = await BackupRun.RunAsync(await OpenAsync(actor), request, Stop);
        lock (gate) made.Add(summary.Point!.Value);
    }

    private async Task ForgetAsync(SimulatedActor actor)
    {
        OpenVault vault = await OpenAsync(actor);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Stop);
        SessionId[] chosen;
        lock (gate) chosen = [.. points.Where(_ => random.Next(2) == 0).Select(point => point.Id)];
        if (chosen.Length == 0) return;
        // Whether it is done or not: what it may have forgotten need not be there.
        lock (gate) forgotten.UnionWith(chosen);
        await ForgetRun.RunAsync(vault, new ForgetRequest { Points = chosen, Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, Stop);
    }

    private async Task PruneAsync(SimulatedActor actor)
    {
        bool waits;
        lock (gate) waits = random.Next(3) == 0;
        await PruneRun.RunAsync(await OpenAsync(actor), new PruneRequest { MaxUnusedBytes = 0, Waits = waits, Host = actor.Name }, Stop);
    }

    /// <summary>Releases a request, or lets time pass where nobody has any.</summary>
    private async Task StepAsync(bool hasFaults)
    {
        await QuietenAsync();
        Reap();
        SimulatedRequest[] pending = store.Pending;
        if (pending.Length == 0)
        {
            if (actors.Count > 0) PassTime(TimeSpan.FromSeconds(7));
            return;
        }

        SimulatedRequest request = pending[random.Next(pending.Length)];
        int fate = hasFaults ? random.Next(400) : int.MaxValue;
        if (fate == 0)
        {
            trace.Add($"{request.Actor.Name}: killed at {request.What}");
            store.End(request.Actor);
            return;
        }

        store.Take(request);
        trace.Add($"{request.Actor.Name}: {(fate < 3 ? fate == 1 ? "lost request " : "lost reply " : "")}{request.What}");
        if (fate == 1) request.Refuse();
        else if (fate == 2) request.LoseReply();
        else request.Release();
        bool matters = Array.Exists(WhatMatters, what => request.What.StartsWith(what, StringComparison.Ordinal));
        if (matters) await LookAsync(isLast: false);
    }

    /// <summary>Waits until everybody who is at work has a request that waits, or waits for the clock.</summary>
    private async Task QuietenAsync()
    {
        int calm = 0, before = -1;
        for (int i = 0; calm < 3 && i < 2000; i++)
        {
            await Task.Yield();
            SimulatedRequest[] pending = store.Pending;
            bool isBusy = actors.Exists(actor => !actor.Work!.IsCompleted && !pending.Any(request => request.Actor == actor));
            if (isBusy && i < 60) Thread.Yield();
            if (pending.Length == before && (!isBusy || i >= 60)) calm++;
            else calm = 0;
            before = pending.Length;
        }
    }

    private void Reap()
    {
        foreach (SimulatedActor actor in actors.Where(actor => actor.Work!.IsCompleted).ToArray())
        {
            actors.Remove(actor);
            int machine = Array.IndexOf(backups, actor);
            if (machine >= 0) backups[machine] = null;
            Exception? error = actor.Work!.Exception?.InnerException;
            if (error is not null && actor.Name.StartsWith("last", StringComparison.Ordinal)) throw Failure($"{actor.Name} failed: {error}");
            trace.Add($"  ends: {actor.Name}{(error is null ? "" : ": " + error.Message)}");
            bool isExpected = error is null or ObjectStoreException or HoldfastException { Kind: ErrorKind.Failed or ErrorKind.Busy or ErrorKind.Usage };
            if (!isExpected) throw Failure($"{actor.Name} failed: {error}");
        }
    }

    /// <summary>All end, without faults, and then three prunes one after the other, when whoever was killed is dead.</summary>
    private async Task SettleAsync()
    {
        await FinishAsync();
        for (int i = 0; i < 3; i++)
        {
            PassTime(TimeSpan.FromMinutes(45));
            Start($"last prune {i}", async actor => await PruneRun.RunAsync(await OpenAsync(actor), new PruneRequest { MaxUnusedBytes = 0, Host = "last" }, Stop));
            await FinishAsync();
        }
    }

    private async Task FinishAsync()
    {
        for (int steps = 0; actors.Count > 0; steps++)
        {
            await StepAsync(hasFaults: false);
            if (steps == MaxStepsToEnd) throw Failure("does not come to an end");
        }
    }

    private async Task LookAsync(bool isLast)
    {
        MemoryObjectStore memory = store.ToMemory();
        OpenVault vault = await OpenAsync(memory);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Stop);
        foreach (RestorePoint point in points)
        {
            SortedDictionary<string, byte[]> files;
            try
            {
                files = await PointContents.ReadAsync(vault, point);
            }
            catch (HoldfastException error)
            {
                throw Failure($"restore point {point.Id} is not whole: {error.Message}");
            }

            SortedDictionary<string, byte[]> expected = model[point.Time];
            if (!files.Keys.SequenceEqual(expected.Keys) || files.Any(file => !file.Value.AsSpan().SequenceEqual(expected[file.Key])))
            {
                throw Failure($"restore point {point.Id} holds something else");
            }
        }

        if (vault.UnreadablePoints.Count > 0) throw Failure($"points cannot be read: {string.Join(", ", vault.Damages)}");
        SessionId lost;
        lock (gate) lost = made.Except(forgotten).Except(points.Select(point => point.Id)).FirstOrDefault();
        if (lost != SessionId.None) throw Failure($"restore point {lost} is lost");
        if (isLast) await LookAtRestAsync(vault, memory, points);
    }

    /// <summary>When nobody is at work: nothing is there that nobody needs, and check finds nothing.</summary>
    private async Task LookAtRestAsync(OpenVault vault, MemoryObjectStore memory, IReadOnlyList<RestorePoint> points)
    {
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true }, Stop);
        DamagedThing? damage = report.Damages.FirstOrDefault(thing => !thing.ObjectName.StartsWith("keys/", StringComparison.Ordinal));
        if (damage is not null) throw Failure($"check: {damage.ObjectName}: {damage.What}");
        PrunePlan plan = await PruneRun.PlanAsync(vault, new PruneRequest { MaxUnusedBytes = 0 }, Stop);
        if (plan.Points + plan.UnneededPacks + plan.PendingPacks > 0) throw Failure($"not all is gone: {plan}; {string.Join(' ', memory.Names)}");
        string[] leases = [.. memory.Names.Where(name => name.StartsWith("leases/", StringComparison.Ordinal))];
        if (leases.Length > 0) throw Failure($"leases are left: {string.Join(' ', leases)}");
        HashSet<string> lists = [.. points.Select(point => Holdfast.Vault.Points.ReferenceSet.Name(point.References))];
        string[] names = [.. memory.Names.Where(name => name.StartsWith("refs/", StringComparison.Ordinal) && !lists.Contains(name))];
        if (names.Length > 0) throw Failure($"references are left: {string.Join(' ', names)}");
    }

    private SimulationFailure Failure(string what)
    {
        var text = new StringBuilder().AppendLine($"seed {seed}: {what}");
        foreach (string line in trace.TakeLast(400)) text.AppendLine(line);
        return new SimulationFailure(text.ToString());
    }
}

/// <summary>What must hold does not.</summary>
internal sealed class SimulationFailure(string message) : Exception(message);
