namespace Holdfast.Benchmarks.Corpora;

/// A tree of many files, of which some grow and shrink again.
internal abstract class TreeCorpus(string directory) : Corpus(directory)
{
    private static readonly byte[] Addition = "/* a line that the benchmark added */\n"u8.ToArray();
    private string[]? files;

    public override IReadOnlyList<Step> Steps =>
        [Step.Init, Step.First, Step.Unchanged, Step.Restore, Step.Check, Step.Changed];

    private string ChangesPath => Folder + ".changed";

    public override void Change(Step step, int seed)
    {
        if (step == Step.Changed) Grow(Math.Max(1, Files.Length / 100), seed);
    }

    /// Adds a line to some files, chosen by the seed.
    public void Grow(int count, int seed)
    {
        Reset();
        string[] chosen = new Random(seed).GetItems(Files, count).Distinct().ToArray();
        var changes = chosen.Select(path => (Path: path, Length: new FileInfo(path).Length, Time: File.GetLastWriteTimeUtc(path))).ToArray();
        // Written first: whatever stops the run, the next one can take the changes back.
        File.WriteAllLines(ChangesPath, changes.Select(change => $"{change.Length} {change.Time.Ticks} {change.Path}"));
        foreach (string path in chosen)
        {
            using var file = new FileStream(path, FileMode.Append);
            file.Write(Addition);
        }
    }

    public override void Reset()
    {
        if (!File.Exists(ChangesPath)) return;
        foreach (string line in File.ReadLines(ChangesPath))
        {
            string[] parts = line.Split(' ', 3);
            using (var file = new FileStream(parts[2], FileMode.Open, FileAccess.Write)) file.SetLength(long.Parse(parts[0]));
            File.SetLastWriteTimeUtc(parts[2], new DateTime(long.Parse(parts[1]), DateTimeKind.Utc));
        }

        File.Delete(ChangesPath);
    }

    private string[] Files => files ??= FindFiles();

    private string[] FindFiles()
    {
        string[] found = Directory.GetFiles(Source, "*", AllFiles);
        // Names that are not UTF-8 come with a replacement character, by which they cannot be opened.
        return [.. found.Where(path => !path.Contains('\uFFFD')).Order(StringComparer.Ordinal)];
    }
}
