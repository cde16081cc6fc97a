namespace Holdfast.Log.Tests.Architecture;

public sealed class TidyTests
{
    private const int MaxLines = 700;

    public static TheoryData<string> Floors => new(Repository.Floors);

    [Theory]
    [MemberData(nameof(Floors))]
    public void AFloorHasAReadme(string floor) =>
        Assert.True(File.Exists(Path.Combine(Repository.FloorPath(floor), "README.md")), $"{floor} has no README.md");

    [Theory]
    [MemberData(nameof(Floors))]
    public void ASourceFileIsFinishedAndOfReadableSize(string floor)
    {
        var faults = new List<string>();
        foreach (string file in Repository.SourceFiles(floor))
        {
            string name = Path.GetRelativePath(Repository.Root, file);
            string[] lines = File.ReadAllLines(file);
            if (lines.Length > MaxLines) faults.Add($"{name}: {lines.Length} lines, at most {MaxLines}");
            for (int i = 0; i < lines.Length; i++)
            {
                if (lines[i].Contains("TODO", StringComparison.Ordinal)
                    || lines[i].Contains("FIXME", StringComparison.Ordinal))
                {
                    faults.Add($"{name}:{i + 1}: unfinished");
                }
            }
        }

        Assert.Empty(faults);
    }
}
