using Holdfast.Benchmarks.Measuring;
using Holdfast.Benchmarks.Reporting;
using Holdfast.Benchmarks.Tools;
using Holdfast.Benchmarks.Vaults;

namespace Holdfast.Benchmarks.Care;

/// What the parts of the benchmark share: vaults that are measured as they were, as often as there are rounds.
internal sealed class CareBench(CareOptions options, ChildProcess processes, ScratchDisk disk, Figures figures)
{
    // Where programs keep packs: what is new there after a prune was written by it.
    private static readonly string[] PackFolders = ["data", "trees"];

    public CareOptions Options => options;

    public ChildProcess Processes => processes;

    public ScratchDisk Disk => disk;

    public Figures Figures => figures;

    /// What the tables do not say.
    public List<string> Notes { get; } = [];

    public static void Tell(string line) => VaultBench.Tell(line);

    public string Place(string name) => Path.Combine(disk.Root, name);

    public BackupTool Tool(string name) => name switch
    {
        HoldfastTool.ToolName => Holdfast,
        ResticTool.ToolName => new ResticTool(),
        _ => new BorgTool(),
    };

    public HoldfastTool Holdfast => new(options.Holdfast);

    /// A new vault in a place of its own.
    public string MakeVault(string name, BackupTool tool)
    {
        string place = Place(name);
        Directory.CreateDirectory(Path.Combine(place, "home"));
        processes.Run(tool.Init(place));
        return place;
    }

    /// Remembers a place as it is now.
    public void Keep(string place)
    {
        processes.Run(new Command(["rm", "-rf", Kept(place)]));
        processes.Run(new Command(["cp", "-a", place, Kept(place)]));
    }

    /// Makes a place as it was when it was kept: under the same path, since borg asks about one that it does not know.
    public void Bring(string place)
    {
        processes.Run(new Command(["rm", "-rf", place]));
        processes.Run(new Command(["cp", "-a", Kept(place), place]));
    }

    /// Runs a command and keeps what it cost, and how many bytes of packs it wrote.
    public void Measure(string work, string step, BackupTool tool, string place, int round, Command command, bool warms = true)
    {
        string repository = BackupTool.Repository(place);
        if (warms) processes.Run(Command.Shell("find \"$1\" -type f -exec cat {} + >/dev/null", repository));
        disk.Settle();
        Dictionary<string, long> before = Packs(repository);
        Measurement cost = processes.Run(command);
        long written = Packs(repository).Where(pack => !before.ContainsKey(pack.Key)).Sum(pack => pack.Value);
        var sample = new Sample(work, step, tool.Name, round, cost.WallSeconds, cost.CpuSeconds, cost.PeakBytes, written);
        figures.Add(sample);
        Tell($"round {round} of {options.Rounds}: {work}, {step}: {tool.Name} {MarkdownReport.Describe(cost.WallSeconds, cost.CpuSeconds, cost.PeakBytes, written)}");
    }

    private static string Kept(string place) => place + ".kept";

    private static Dictionary<string, long> Packs(string repository)
    {
        var packs = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string folder in PackFolders.Select(name => Path.Combine(repository, name)).Where(Directory.Exists))
        {
            foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)) packs.Add(file.FullName, file.Length);
        }

        return packs;
    }
}
