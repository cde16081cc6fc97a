using System.Text;
using Holdfast.Files.Selection;

namespace Holdfast.Files.Tests.Selection;

public class PathSelectionTests
{
    private static readonly string[] Tree =
    [
        "docs/", "docs/a.txt", "docs/b.pdf", "docs/old/", "docs/old/c.txt", "music/", "music/x.mp3", "readme",
    ];

    [Theory]
    [InlineData("", "", "docs/ docs/a.txt docs/b.pdf docs/old/ docs/old/c.txt music/ music/x.mp3 readme")]
    [InlineData("/docs", "", "docs/ docs/a.txt docs/b.pdf docs/old/ docs/old/c.txt")]
    [InlineData("/docs/old", "", "(docs/) docs/old/ docs/old/c.txt")]
    [InlineData("*.txt", "", "(docs/) docs/a.txt (docs/old/) docs/old/c.txt (music/)")]
    [InlineData("*.txt", "old", "(docs/) docs/a.txt (music/)")]
    [InlineData("", "*.txt music", "docs/ docs/b.pdf docs/old/ readme")]
    [InlineData("/docs !old", "", "docs/ docs/a.txt docs/b.pdf")]
    [InlineData("/docs !old c.txt", "", "docs/ docs/a.txt docs/b.pdf (docs/old/) docs/old/c.txt (music/)")]
    [InlineData("/readme", "", "readme")]
    [InlineData("/root/music", "", "music/ music/x.mp3")]
    [InlineData("/root/docs/*.pdf", "/root/docs/old", "(docs/) docs/b.pdf")]
    public void ARestoreTakesWhatIsIncludedAndNotExcluded(string includes, string excludes, string expected)
    {
        Assert.Equal(expected, Choose(new PathSelection(Rules(includes), Rules(excludes))));
    }

    [Theory]
    [InlineData("docs", "", "", "docs/ docs/a.txt docs/b.pdf docs/old/ docs/old/c.txt")]
    [InlineData("docs/old", "", "", "(docs/) docs/old/ docs/old/c.txt")]
    [InlineData("docs/old/c.txt readme", "", "", "(docs/) (docs/old/) docs/old/c.txt readme")]
    [InlineData("doc", "", "", "")]
    [InlineData("", "", "", "docs/ docs/a.txt docs/b.pdf docs/old/ docs/old/c.txt music/ music/x.mp3 readme")]
    [InlineData("/ music", "", "music", "docs/ docs/a.txt docs/b.pdf docs/old/ docs/old/c.txt readme")]
    [InlineData("docs", "*.txt", "", "(docs/) docs/a.txt (docs/old/) docs/old/c.txt")]
    [InlineData("docs/old", "/docs", "", "(docs/) docs/old/ docs/old/c.txt")]
    [InlineData("docs/old", "/docs !old", "", "(docs/)")]
    [InlineData("docs/old", "", "docs", "")]
    [InlineData("docs/*", "", "", "(docs/)")]
    public void PlacesAreTakenByTheirNamesAndNarrowWhatIsIncluded(string places, string includes, string excludes, string expected)
    {
        ReadOnlyMemory<byte>[] named = [.. places.Split(' ').Where(_ => places.Length > 0).Select(place => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(place))];
        Assert.Equal(expected, Choose(new PathSelection(Rules(includes), Rules(excludes), named)));
    }

    private static string Choose(PathSelection selection)
    {
        var choices = new Dictionary<string, PathChoice> { [""] = selection.Root };
        var taken = new List<string>();
        foreach (string path in Tree)
        {
            string entry = path.TrimEnd('/');
            string parent = entry[..Math.Max(0, entry.LastIndexOf('/'))];
            byte[] absolute = Encoding.UTF8.GetBytes("/root/" + entry);
            if (choices[parent] == PathChoice.Skip)
            {
                choices[entry] = PathChoice.Skip;
                continue;
            }

            choices[entry] = selection.Choose(absolute, "/root/".Length, path[^1] == '/', choices[parent]);
            if (choices[entry] == PathChoice.Take) taken.Add(path);
            if (choices[entry] == PathChoice.Pass) taken.Add($"({path})");
        }

        return string.Join(' ', taken);
    }

    private static PathRules Rules(string patterns) => new(patterns
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(pattern => PathPattern.Parse(Encoding.UTF8.GetBytes(pattern))));
}
