using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.Corpora;

/// <summary>Data to back up, the same in each run on a machine, and how it changes between backups.</summary>
/// <remarks>Kept from run to run: making it takes longer than most measurements.</remarks>
internal abstract class Corpus(string directory)
{
    /// Every file of a tree, by no way twice: /usr has links that lead to itself.
    public static EnumerationOptions AllFiles { get; } = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    public abstract string Name { get; }

    /// What it is, for the table.
    public abstract string Description { get; }

    /// The directory that is backed up.
    public abstract string Source { get; }

    public abstract IReadOnlyList<Step> Steps { get; }

    protected string Folder => directory;

    private string ReadyMark => directory + ".ready";

    /// Makes it unless an earlier run did.
    public void Prepare(ChildProcess processes, Action<string> tell)
    {
        if (File.Exists(ReadyMark)) return;
        tell($"making {Name}: {Description}");
        processes.Run(new Command(["rm", "-rf", directory]));
        Directory.CreateDirectory(directory);
        Create(processes);
        File.WriteAllText(ReadyMark, "");
    }

    /// Changes the source as the step says.
    public abstract void Change(Step step, int seed);

    /// Takes all changes back.
    public abstract void Reset();

    protected abstract void Create(ChildProcess processes);
}
