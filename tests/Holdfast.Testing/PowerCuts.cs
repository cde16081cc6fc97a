using System.Globalization;

namespace Holdfast.Testing;

/// <summary>Every state that a disk may be in after a power cut anywhere in a run, each once.</summary>
/// <typeparam name="T">What the program under test knew at a moment: say, what had been acknowledged.</typeparam>
/// <remarks>
/// The run is done once, with the power on. Before each call, and after the last, all legal states are taken: those of
/// the call that is cut are among the ones before it (a sync that saved part of it) or after it (anything else); of a
/// durable write, which is two things, also those between. The states of different calls are mostly the same, so there
/// are few to look at.
/// </remarks>
public sealed class PowerCuts<T>
{
    private readonly Dictionary<string, PowerCut<T>> found = new(StringComparer.Ordinal);
    private readonly SimulatedDisk disk;
    private readonly Func<T> moment;
    private List<PowerCut<T>> latest = [];
    private DiskCall last;
    private long version = -1;

    /// <summary>Watches a disk from now on.</summary>
    /// <param name="disk">The disk that the run uses.</param>
    /// <param name="moment">Asked before each call, under the disk's lock.</param>
    public PowerCuts(SimulatedDisk disk, Func<T> moment)
    {
        this.disk = disk;
        this.moment = moment;
        disk.BeforeCall = Before;
        disk.WithinCall = Within;
    }

    /// <summary>Whether no state was left out: nowhere were there too many.</summary>
    public bool IsAll { get; private set; } = true;

    /// <summary>The run is over: all that was found.</summary>
    public IReadOnlyList<PowerCut<T>> End()
    {
        disk.BeforeCall = null;
        disk.WithinCall = null;
        Take("before the end");
        return [.. found.Values];
    }

    private void Before(DiskCall call)
    {
        Take($"before {Name(call)}");
        last = call;
    }

    private void Within(DiskCall call) => Take($"within {Name(call)}");

    private static string Name(DiskCall call) =>
        string.Create(CultureInfo.InvariantCulture, $"disk call {call.Number} ({call.Kind} {call.Path})");

    private void Take(string when)
    {
        if (version != disk.Version)
        {
            version = disk.Version;
            latest = [.. disk.AllAfterPowerCut(out bool isAll).Select(state => Find(state.Key, state.Value, when))];
            IsAll &= isAll;
        }

        T now = moment();
        foreach (PowerCut<T> cut in latest) cut.Add(now);
    }

    private PowerCut<T> Find(string fingerprint, SimulatedDisk state, string when)
    {
        if (found.TryGetValue(fingerprint, out PowerCut<T>? known)) return known;
        string[] seen = [.. disk.Paths()], kept = [.. state.Paths()];
        IEnumerable<string> changes = seen.Except(kept).Select(path => "-" + path)
            .Concat(kept.Except(seen).Select(path => "+" + path))
            .DefaultIfEmpty("as they were");
        string where = $"cut {when}, behind {last.Kind} {last.Path}; names {string.Join(' ', changes)}";
        var cut = new PowerCut<T>(state, where);
        found.Add(fingerprint, cut);
        return cut;
    }
}

/// <summary>One state that a power cut may leave.</summary>
/// <param name="disk">The disk in that state, its power on.</param>
/// <param name="where">Where it is met first, and what is lost or back in it: for messages.</param>
public sealed class PowerCut<T>(SimulatedDisk disk, string where)
{
    private readonly List<T> moments = [];

    /// <summary>
    /// The disk in that state, its power on. Whoever writes to it takes a <see cref="SimulatedDisk.Fork"/>.
    /// </summary>
    public SimulatedDisk Disk => disk;

    /// <summary>At which moments of the run the state is possible, in their order.</summary>
    public IReadOnlyList<T> Moments => moments;

    /// <inheritdoc/>
    public override string ToString() => where;

    internal void Add(T moment)
    {
        if (moments.Count == 0 || !EqualityComparer<T>.Default.Equals(moments[^1], moment)) moments.Add(moment);
    }
}
