using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Holdfast.Log.Tests.Architecture;

/// The table "floor | uses" of the design, compared with the project files and the sources.
public sealed partial class LayerTests
{
    private static readonly Dictionary<string, string[]> Uses = new(StringComparer.Ordinal)
    {
        ["Log"] = [],
        ["Erasure"] = [],
        ["Bitcask"] = ["Log"],
        ["Pooling"] = ["Erasure", "Log"],
        ["Storage"] = ["Pooling", "Log"],
        ["Files"] = ["Pooling", "Log"],
        ["Vault"] = ["Storage", "Files", "Log"],
        ["Databases"] = ["Vault", "Bitcask", "Files", "Log"],
        ["Volumes"] = ["Vault", "Files", "Bitcask", "Log"],
        ["Fuse"] = ["Files", "Log"],
        ["Nfs"] = ["Files", "Log"],
        ["Catalog"] = ["Log"],
        ["Server"] = Everything,
        ["Cli"] = [.. Everything, "Server"],
    };

    private static string[] Everything =>
    [
        "Log", "Erasure", "Bitcask", "Pooling", "Storage", "Files", "Vault", "Databases", "Volumes", "Fuse", "Nfs",
        "Catalog",
    ];

    public static TheoryData<string> Floors => new(Repository.Floors);

    [Theory]
    [MemberData(nameof(Floors))]
    public void AFloorRefersOnlyToTheFloorsOfItsRow(string floor)
    {
        Assert.True(Uses.ContainsKey(floor), $"{floor} has no row in the table");
        Assert.All(Directory.GetFiles(Repository.FloorPath(floor), "*.csproj"), project =>
        {
            string[] references =
            [
                .. XDocument.Load(project).Descendants("ProjectReference")
                    .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value))
                    .Select(name => name["Holdfast.".Length..]),
            ];
            string[] forbidden = [.. references.Except(Uses[floor])];
            Assert.True(forbidden.Length == 0, $"{floor} refers to {string.Join(", ", forbidden)}");
        });
    }

    [Theory]
    [MemberData(nameof(Floors))]
    public void ASourceFileUsesOnlyTheFloorsOfItsRow(string floor)
    {
        foreach (string file in Repository.SourceFiles(floor))
        {
            foreach (Match match in UsingPattern().Matches(File.ReadAllText(file)))
            {
                string used = match.Groups["floor"].Value;
                Assert.True(
                    used == floor || Uses.GetValueOrDefault(floor, []).Contains(used),
                    $"{Path.GetRelativePath(Repository.Root, file)}: {match.Value.Trim()}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Floors))]
    public void InternalsAreOpenToTheFloorsOwnTestsOnly(string floor)
    {
        foreach (string file in Repository.SourceFiles(floor))
        {
            Assert.DoesNotContain("InternalsVisibleTo", File.ReadAllText(file), StringComparison.Ordinal);
        }

        Assert.All(Directory.GetFiles(Repository.FloorPath(floor), "*.csproj"), project =>
            Assert.Empty(XDocument.Load(project).Descendants("InternalsVisibleTo")));
    }

    [Fact]
    public void TheCommonInternalsAreThoseOfTheRule()
    {
        XDocument common = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props"));

        Assert.Equal(
            ["$(MSBuildProjectName).Tests", "Holdfast.Testing", "Holdfast.Benchmarks"],
            common.Descendants("InternalsVisibleTo").Select(i => i.Attribute("Include")!.Value));
    }

    [Fact]
    public void TheTableHasNoCircle()
    {
        var below = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string floor, string[] uses) in Uses)
        {
            Assert.True(uses.All(below.Contains), $"{floor} uses a floor that is not below it");
            below.Add(floor);
        }
    }

    [GeneratedRegex(
        @"^\s*(global\s+)?using\s+(static\s+)?(\w+\s*=\s*)?Holdfast\.(?<floor>\w+)", RegexOptions.Multiline)]
    private static partial Regex UsingPattern();
}
