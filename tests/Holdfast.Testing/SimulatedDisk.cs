using Holdfast.Log;
using Holdfast.Testing.Simulation;

namespace Holdfast.Testing;

/// <summary>
/// A disk in memory that loses what a real one may lose. Same seed, same calls: same behaviour.
/// </summary>
/// <remarks>
/// Content is durable after <see cref="IDiskFile.Sync"/>, names after <see cref="SyncDirectory"/> of their directory;
/// what the power cut leaves of the rest is told at <see cref="FileContent"/> and <see cref="NameTree"/>. Every call
/// but Dispose and hints is counted. The call at which the power is cut may or may not have taken effect. One lock
/// makes it safe for threads; only a single-threaded run is repeatable.
///
/// What is legal is what POSIX promises and no more. Real file systems lose less: the journals of ext4 and XFS keep the
/// order of names, their fsync of a file often saves its name too. So what survives here survives there.
/// </remarks>
public sealed partial class SimulatedDisk : IDisk
{
    private const ulong DeviceId = 1;

    private readonly Lock gate = new();
    private readonly Dictionary<int, int> errnoAtCall = [];
    private readonly int seed;
    private readonly int cutAt;
    private readonly Random random;
    private readonly NameTree names;
    private readonly HashSet<FileNode> unnamed = [];
    private int callCount;
    private bool isPowerCut;

    /// <summary>An empty disk: the root directory and nothing in it.</summary>
    /// <param name="seed">Decides everything that is left to chance.</param>
    /// <param name="cutAt">The call at which the power is cut; the first is 1.</param>
    /// <param name="clock">Gives the times of files; by default one that stands still.</param>
    public SimulatedDisk(int seed, int cutAt = int.MaxValue, TimeProvider? clock = null)
        : this(seed, cutAt, clock, new NameTree())
    {
    }

    private SimulatedDisk(int seed, int cutAt, TimeProvider? clock, NameTree names)
    {
        this.seed = seed;
        this.cutAt = cutAt;
        this.names = names;
        random = new Random(seed);
        Clock = clock ?? new SimulatedClock();
    }

    /// <summary>How many calls there were.</summary>
    public int CallCount
    {
        get { lock (gate) return callCount; }
    }

    /// <summary>Whether the power was cut.</summary>
    public bool IsPowerCut
    {
        get { lock (gate) return isPowerCut; }
    }

    /// <summary>Asked at each call: the errno to fail it with, or null to let it through.</summary>
    /// <remarks>
    /// A failed write has written a part; a failed Sync has lost what was not synced, but for what chance saved; a
    /// failed durable write did both, or only the first where <see cref="IDiskFile.WriteDurably"/> says so. Other
    /// failed calls did nothing. Called under the disk's lock: it must not call the disk.
    /// </remarks>
    public Func<DiskCall, int?>? Fault { get; set; }

    /// <summary>
    /// Told of each call before it is done. Called under the disk's lock; may look at the states that are legal.
    /// </summary>
    public Action<DiskCall>? BeforeCall { get; set; }

    /// <summary>
    /// How many bytes all files may hold together; a write beyond that writes what fits and fails with ENOSPC.
    /// </summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>
    /// Bytes of all files, those included that have no name and are open, and what is reserved beyond their ends.
    /// </summary>
    public long UsedBytes
    {
        get
        {
            lock (gate)
            {
                IEnumerable<FileNode> files = names.All().Select(entry => entry.Node).OfType<FileNode>();
                return files.Union(unnamed).Sum(file => file.SpaceBytes);
            }
        }
    }

    /// <summary>Whether the disk's file system can clone; a clone counts as used like a copy.</summary>
    public bool Clones { get; init; }

    /// <summary>Whether the disk's file system can exchange names.</summary>
    public bool Exchanges { get; set; } = true;

    /// <summary>
    /// Whether the disk is one without O_TMPFILE: a file without a name has one that begins with
    /// <see cref="IDisk.StagingPrefix"/>.
    /// </summary>
    public bool StagesByName { get; init; }

    /// <summary>Told within a call between two things that it does; as <see cref="BeforeCall"/>.</summary>
    internal Action<DiskCall>? WithinCall { get; set; }

    internal TimeProvider Clock { get; }

    /// <summary>Grows whenever something may have changed.</summary>
    internal long Version { get; private set; }

    /// <summary>Fails one call, beside what <see cref="Fault"/> says.</summary>
    public void FailAt(int call, int errno)
    {
        lock (gate) errnoAtCall[call] = errno;
    }

    /// <summary>
    /// The disk when the power is back: one legal state, all of it durable. Cuts the power if it is on.
    /// </summary>
    /// <param name="outcome">Chooses among the legal states.</param>
    /// <param name="cutAt">When the power is cut next.</param>
    public SimulatedDisk AfterPowerCut(int outcome = 0, int cutAt = int.MaxValue)
    {
        lock (gate)
        {
            isPowerCut = true;
            return Fork(outcome, cutAt);
        }
    }

    /// <summary>What <see cref="AfterPowerCut"/> would give; this disk goes on with its power.</summary>
    public SimulatedDisk Fork(int outcome = 0, int cutAt = int.MaxValue)
    {
        lock (gate)
        {
            int next = SeedOf(outcome);
            return Restarted(next, cutAt, names.AfterCrash(new RandomChoices(new Random(next))));
        }
    }

    /// <summary>
    /// The disk in each state in which it may be if the power is cut now, by what tells the states apart: all of which
    /// <see cref="Fork"/> gives one. This disk goes on with its power.
    /// </summary>
    /// <param name="isAll">
    /// False where there are so many that only some are given; which: <see cref="LegalStates"/>.
    /// </param>
    public IReadOnlyDictionary<string, SimulatedDisk> AllAfterPowerCut(out bool isAll)
    {
        lock (gate)
        {
            int next = SeedOf(outcome: 0);
            return LegalStates.Of(names, next, out isAll)
                .ToDictionary(state => state.Key, state => Restarted(next, int.MaxValue, state.Value));
        }
    }

    /// <inheritdoc cref="AllAfterPowerCut(out bool)"/>
    public IReadOnlyDictionary<string, SimulatedDisk> AllAfterPowerCut() => AllAfterPowerCut(out _);

    /// <summary>Equal for disks that show the same names and content.</summary>
    public string Fingerprint()
    {
        lock (gate) return LegalStates.Fingerprint(names);
    }

    /// <summary>The path of every file and directory, the latter with '/' at the end.</summary>
    public IReadOnlyList<string> Paths()
    {
        lock (gate)
        {
            IEnumerable<string> paths = names.All().Select(e => e.Node is FileNode ? e.Path : e.Path + "/");
            return [.. paths.Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Counts a call and does it, unless the power is cut or a fault is scripted.</summary>
    /// <param name="call">Which.</param>
    /// <param name="action">What it does.</param>
    /// <param name="whenFailing">What it does where it is told to fail, and with what.</param>
    internal T Call<T>(DiskCall call, Func<T> action, Action<int, Random>? whenFailing = null)
    {
        lock (gate)
        {
            if (isPowerCut) throw new PowerCutException(callCount);
            callCount++;
            call = call with { Number = callCount };
            BeforeCall?.Invoke(call);
            bool looksOnly = call.Kind is DiskCallKind.Open or DiskCallKind.List or DiskCallKind.Stat
                or DiskCallKind.FreeBytes or DiskCallKind.Length or DiskCallKind.Read;
            if (!looksOnly) Version++;
            if (callCount >= cutAt) CutPowerIn(call, action);
            int? errno = errnoAtCall.TryGetValue(callCount, out int scripted) ? scripted : Fault?.Invoke(call);
            if (errno is null) return action();
            whenFailing?.Invoke(errno.Value, random);
            throw new DiskException(call.Kind.ToString(), call.Path, errno.Value);
        }
    }

    /// <inheritdoc cref="Call{T}"/>
    internal void Call(DiskCall call, Action action, Action<int, Random>? whenFailing = null) =>
        Call(
            call,
            () =>
            {
                action();
                return true;
            },
            whenFailing);

    /// <summary>A file that was made unnamed is closed.</summary>
    internal void Forget(SimulatedDiskFile file)
    {
        lock (gate)
        {
            if (!unnamed.Remove(file.Node) || isPowerCut || file.StagingPath is null) return;
            RemoveStaging(file.StagingPath, file.Node);
        }
    }

    /// <summary>How many of some bytes can still be written to a file, or reserved for it.</summary>
    internal long Room(FileNode file, long offset, long count)
    {
        if (Capacity == long.MaxValue) return count;
        lock (gate) return Math.Clamp(file.SpaceBytes + Math.Max(0, Capacity - UsedBytes) - offset, 0, count);
    }

    /// <summary>A lock is disposed of. Not a call: it works without power, and then does nothing.</summary>
    internal void Unlock(SimulatedDiskLock taken)
    {
        lock (gate)
        {
            if (isPowerCut || taken.File.Lock != taken) return;
            Version++;
            taken.File.Lock = null;
            taken.File.Content.SetText("");
        }
    }

    /// <summary>A call has done the first of two things; the power may be cut before the second.</summary>
    /// <returns>Whether it goes on: false when this is where the power is cut.</returns>
    internal bool GoesOn(DiskCall call)
    {
        if (isPowerCut) return false;
        WithinCall?.Invoke(call with { Number = callCount });
        Version++;
        return true;
    }

    /// <summary>Something that is no call, since nothing is asked of the disk; but without power nobody can.</summary>
    internal void Hint(Action check)
    {
        lock (gate)
        {
            if (isPowerCut) throw new PowerCutException(callCount);
            check();
        }
    }

    private void RemoveStaging(string path, FileNode node)
    {
        Version++;
        if (names.Find(path) == node) _ = Remove("unlink", path);
    }

    private int SeedOf(int outcome) => unchecked((((seed * 1_000_003) + callCount) * 1_000_003) + outcome);

    private SimulatedDisk Restarted(int nextSeed, int nextCut, NameTree state) =>
        new(nextSeed, nextCut, Clock, state) { StagesByName = StagesByName, Clones = Clones };

    private void CutPowerIn<T>(DiskCall call, Func<T> action)
    {
        isPowerCut = true;
        // What a sync would have saved may survive anyway.
        bool canTakeEffect = call.Kind is DiskCallKind.Publish or DiskCallKind.Link or DiskCallKind.Clone
            or DiskCallKind.Rename or DiskCallKind.Delete or DiskCallKind.CreateDirectory
            or DiskCallKind.DeleteDirectory or DiskCallKind.Lock or DiskCallKind.Write or DiskCallKind.WriteDurably
            or DiskCallKind.SetLength;
        if (canTakeEffect && random.Next(2) == 0)
        {
            try
            {
                action();
            }
            catch (DiskException)
            {
                // It would have been refused; nobody is left to hear of it.
            }
        }

        throw new PowerCutException(callCount);
    }
}
