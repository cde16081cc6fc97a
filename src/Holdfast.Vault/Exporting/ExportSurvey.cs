using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Exporting;

/// <summary>
/// What must be known of a whole export before the first directory of it is written; and that it is whole. Memory: about 300 bytes
/// and the path for each directory that is written, 100 and the path for each file that gets further names.
/// </summary>
internal sealed class ExportSurvey
{
    private readonly string name;
    private readonly Dictionary<string, TreeEntry> directories = new(StringComparer.Ordinal);
    private readonly HashSet<string> linked = new(StringComparer.Ordinal);
    private readonly HashSet<string> madeLater = new(StringComparer.Ordinal);
    private readonly HashSet<string> writtenLater = new(StringComparer.Ordinal);
    private StepPlace previous = new([], IsLeave: false);
    private ManifestRecord? manifest;
    private EndRecord? end;
    private long steps;
    private bool isInFile;

    private ExportSurvey(string name) => this.name = name;

    public ManifestRecord Manifest => manifest!;

    public EndRecord End => end!;

    public PointRecord Point { get; private set; } = null!;

    /// <summary>Files that get a name before they are written themselves, in the order of paths.</summary>
    public IReadOnlySet<string> WrittenLater => writtenLater;

    /// <summary>Reads an export to its end.</summary>
    /// <exception cref="HoldfastException">Kind Damage: it is cut off or altered. Kind Usage: it was written before there was an import.</exception>
    public static async Task<ExportSurvey> ReadAsync(FrameReader frames, string name, CancellationToken cancellationToken)
    {
        var survey = new ExportSurvey(name);
        var records = new RecordCursor(frames, name, cancellationToken);
        await using (records.ConfigureAwait(false))
        {
            while (await records.MoveNextAsync().ConfigureAwait(false)) survey.Take(records.Current!);
        }

        if (survey.end is null || survey.end.Steps != survey.steps) throw survey.Malformed($"{survey.steps} steps, {survey.end?.Steps} expected");
        if (survey.Point is not null) return survey;
        throw new HoldfastException(
            ErrorKind.Usage, $"{name}: holds no restore point, as an older holdfast wrote it", "export again, or apply it to a directory");
    }

    /// <summary>Paths as keys: Latin-1, each byte a character, so that they differ as their bytes do.</summary>
    public static string Key(byte[] path) => System.Text.Encoding.Latin1.GetString(path);

    /// <summary>What a directory has in the end; null for one that stays as it is.</summary>
    public TreeEntry? FindDirectory(byte[] path) => directories.GetValueOrDefault(Key(path));

    /// <summary>Whether a path is where other names of a file lead.</summary>
    public bool IsLinked(byte[] path) => linked.Count > 0 && linked.Contains(Key(path));

    /// <summary>Whether such a path is made after the first of these names, and not one that stays.</summary>
    public bool IsMadeLater(byte[] path) => madeLater.Contains(Key(path));

    public HoldfastException Malformed(string what) => new(ErrorKind.Damage, $"{name}: {what}", "export again");

    private void Take(ExportRecord record)
    {
        if (record is ManifestRecord first)
        {
            if (manifest is not null) throw Malformed("a second manifest");
            manifest = first;
            return;
        }

        if (manifest is null || end is not null) throw Malformed("records before the manifest or behind the end");
        bool isContent = record is DataRecord or CopyRecord or HoleRecord or ContentEndRecord;
        if (isContent != isInFile) throw Malformed(isContent ? "content without a file" : "a file without its end");
        switch (record)
        {
            case PointRecord point:
                if (Point is not null) throw Malformed("a second restore point");
                Point = point;
                break;
            case UnchangedRecord unchanged:
                Advance(new StepPlace(unchanged.Last, IsLeave: false));
                break;
            case StepRecord step:
                Advance(step.Place);
                Take(step);
                steps++;
                break;
            case ContentEndRecord:
                isInFile = false;
                break;
            case EndRecord last:
                end = last;
                break;
        }
    }

    private void Take(StepRecord step)
    {
        isInFile = step.Action == StepAction.Write;
        if (step.Action == StepAction.FinishDirectory) directories[Key(step.Path)] = step.After!;
        if (step.Action == StepAction.Link) linked.Add(Key(step.LinkPath));
        if (step.Action is not (StepAction.Write or StepAction.CreateOther) || !IsLinked(step.Path)) return;
        madeLater.Add(Key(step.Path));
        if (isInFile) writtenLater.Add(Key(step.Path));
    }

    private void Advance(StepPlace place)
    {
        if (place.CompareTo(previous) <= 0) throw Malformed($"{BytePath.Display(place.Path)} is out of order");
        previous = place;
    }
}
