using Holdfast.Bitcask;
using Holdfast.Databases.Agents;
using Holdfast.Log;

namespace Holdfast.Databases.Bitcask;

/// <summary>Key-value stores of Holdfast.Bitcask.</summary>
internal sealed class BitcaskEngine : IDatabaseEngine
{
    public const string EngineName = "bitcask";

    private static readonly Host Machine = Host.CreateReal();

    public string Name => EngineName;

    public bool IsFile => false;

    public ICheckpointSource Find(string path)
    {
        RequireStore(path);
        return AgentSource.TryFind(new DatabaseAddress(Name, path)) ?? (ICheckpointSource)new SharedBitcaskSource(Machine, path);
    }

    public IDisposable Hold(string path)
    {
        RequireStore(path);
        return Machine.Disk.TryLock($"{path}/lock", $"process {Environment.ProcessId} replaces the store", out string holder)
            ?? throw new HoldfastException(ErrorKind.Busy, $"{path}: is open ({holder})", "stop the program that uses it");
    }

    public DatabaseCheck Check(string path, IReadOnlySet<string>? only, CancellationToken cancellationToken)
    {
        RequireStore(path);
        var problems = new List<string>();
        long bytes = 0;
        using (SegmentedLog log = OpenLog(Machine, path))
        {
            problems.AddRange(log.Damages.Select(damage => damage.ToString()));
            foreach (LogSegment segment in log.Segments)
            {
                if (only?.Contains(Path.GetFileName(segment.Path)) == false) continue;
                problems.AddRange(segment.Scan(static (_, _) => { }, cancellationToken).Select(damage => damage.ToString()));
                if (segment.CheckHash() is { } damage) problems.Add(damage.ToString());
                bytes += segment.Length;
            }
        }

        using (BitcaskStore store = BitcaskStore.Open(path, new BitcaskOptions { ReadOnly = true, Create = false }))
        {
            problems.AddRange(store.Damages.Select(damage => damage.ToString()));
        }

        return new DatabaseCheck([.. problems.Distinct(StringComparer.Ordinal)], bytes);
    }

    /// <summary>Opens the log of a store beside whoever has it open.</summary>
    public static SegmentedLog OpenLog(Host host, string path) =>
        SegmentedLog.Open(host, path, new LogOptions { Purpose = EngineName, Create = false, ReadOnly = true });

    private static void RequireStore(string path)
    {
        if (BitcaskStore.Exists(path)) return;
        throw new HoldfastException(ErrorKind.NotThere, $"{path}: there is no key-value store here", "check the path");
    }
}
