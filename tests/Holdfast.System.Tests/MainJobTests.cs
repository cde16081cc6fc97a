using System.Text.Json;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// What the README promises, done as a person would.
public sealed class MainJobTests : IDisposable
{
    private readonly SystemFixture world = new();

    [Fact]
    public async Task BackUpChangeBackUpRestoreBoth()
    {
        TreeGenerator.Create(world.Source, seed: 7, TreeShape.Small);
        world.Write("letters/ada.txt", "Dear Ada,\n");
        world.Write("letters/grace.txt", "Dear Grace,\n");
        TreeSnapshot before = TreeSnapshot.Take(world.Source);
        HoldfastResult made = await world.InitAsync();
        Assert.Contains("made vault", made.Output, StringComparison.Ordinal);

        JsonElement first = await world.BackupAsync();
        Assert.Equal("full", first.GetProperty("kind").GetString());
        Assert.Equal(JsonValueKind.Null, first.GetProperty("base").ValueKind);

        File.AppendAllText(Path.Combine(world.Source, "letters/ada.txt"), "PS\n");
        File.Delete(Path.Combine(world.Source, "letters/grace.txt"));
        world.Write("letters/linus.txt", "new\n");
        TreeSnapshot after = TreeSnapshot.Take(world.Source);
        JsonElement second = await world.BackupAsync("--tag", "changed");
        Assert.Equal("incremental", second.GetProperty("kind").GetString());
        Assert.Equal(first.GetProperty("point").GetString(), second.GetProperty("base").GetString());
        Assert.Equal(
            (1, 1, 1),
            (second.GetProperty("filesNew").GetInt64(), second.GetProperty("filesChanged").GetInt64(), second.GetProperty("filesDeleted").GetInt64()));
        string one = first.GetProperty("point").GetString()!, two = second.GetProperty("point").GetString()!;

        HoldfastResult difference = await world.ExpectAsync(0, "diff", one, "latest");
        Assert.Equal("M letters/ada.txt\n- letters/grace.txt\n+ letters/linus.txt\n", WithoutDirectories(difference.Output));
        await world.ExpectRestoredAsync(one, before);
        await world.ExpectRestoredAsync(two, after);
        await world.ExpectAsync(0, "restore", one, "--to", world.PathOf("again"));
        await world.ExpectAsync(0, "restore", two, "--to", world.PathOf("again"), "--delete", "--verify");
        TreeCompare.AssertEqual(after, TreeSnapshot.Take(world.PathOf("again")), new TreeCompareOptions { IgnoreSockets = true, IgnoreSparseness = true });

        JsonElement points = (await world.ExpectAsync(0, "points", "--json", "--changes")).Document;
        Assert.Equal([one, two], points.EnumerateArray().Select(point => point.GetProperty("id").GetString()));
        Assert.Equal(world.Source, points[1].GetProperty("paths")[0].GetString());
        Assert.Equal("changed", points[1].GetProperty("tags")[0].GetString());
        Assert.Equal(Environment.MachineName, points[1].GetProperty("host").GetString());
        Assert.Equal(2, points[1].GetProperty("changes").GetProperty("added").GetInt64() + points[1].GetProperty("changes").GetProperty("deleted").GetInt64());
        Assert.Equal("PS\n", (await world.ExpectAsync(0, "cat", "latest", "letters/ada.txt")).Output[^3..]);
        await world.ExpectAsync(0, "check", "--read-data");
    }

    [Fact]
    public async Task ADifferentialComparesWithTheLastFull()
    {
        await world.InitAsync();
        world.Write("a", "1");
        HoldfastResult first = await world.ExpectAsync(0, "backup", world.Source, "--differential", "--json");
        Assert.Equal("full", first.Summary.GetProperty("kind").GetString());
        Assert.Single(first.Records("notice"));
        string full = first.Summary.GetProperty("point").GetString()!;
        world.Write("b", "2");
        await world.BackupAsync();
        JsonElement differential = await world.BackupAsync("--differential");
        Assert.Equal(("differential", full), (differential.GetProperty("kind").GetString(), differential.GetProperty("base").GetString()));
        Assert.Equal(1, differential.GetProperty("filesNew").GetInt64());
        JsonElement again = await world.BackupAsync("--full");
        Assert.Equal("full", again.GetProperty("kind").GetString());
        Assert.InRange(again.GetProperty("bytesRead").GetInt64(), 2, 2);
        Assert.Equal(0, (await world.BackupAsync()).GetProperty("filesChanged").GetInt64());
    }

    [Fact]
    public async Task ADryRunWritesNothing()
    {
        await world.InitAsync();
        world.Write("a", "1");
        string[] before = Directory.GetFiles(world.Vault, "*", SearchOption.AllDirectories);
        JsonElement summary = await world.BackupAsync("--dry-run");
        Assert.Equal(JsonValueKind.Null, summary.GetProperty("point").ValueKind);
        Assert.Equal(1, summary.GetProperty("filesNew").GetInt64());
        Assert.Equal(before, Directory.GetFiles(world.Vault, "*", SearchOption.AllDirectories));

        await world.BackupAsync();
        HoldfastResult restore = await world.ExpectAsync(0, "restore", "latest", "--to", world.PathOf("not/there"), "-n", "--json");
        Assert.Equal(1, restore.Summary.GetProperty("filesAdded").GetInt64());
        Assert.False(Directory.Exists(world.PathOf("not")));
    }

    [Fact]
    public async Task ARestoreOfPathsTakesThemByTheirNames()
    {
        await world.InitAsync();
        world.Write("a[1]/x.txt", "1");
        world.Write("a1/x.txt", "2");
        world.Write("a[1]/y.bin", "3");
        await world.BackupAsync();
        await world.ExpectAsync(0, "restore", "latest", "a[1]", "--include", "*.txt", "--to", world.PathOf("to"));
        Assert.Equal(["a[1]/x.txt"], FilesIn(world.PathOf("to")));

        HoldfastResult refused = await world.ExpectAsync(2, "restore", "latest", "a1", "a2", "--to", world.PathOf("other"));
        Assert.Contains("a2: not in restore point", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(world.PathOf("other")));
    }

    [Fact]
    public async Task SeveralRootsAreRestoredUnderTheirAbsolutePaths()
    {
        await world.InitAsync();
        world.Write("one/a", "1");
        world.Write("two/b", "2");
        world.Write("two/deep/c", "3");
        world.Write("file", "4");
        string[] roots = [.. new[] { "two", "one", "file", "two/deep", "one" }.Select(name => Path.Combine(world.Source, name))];
        HoldfastResult backup = await world.ExpectAsync(0, ["backup", .. roots, "--json"]);
        Assert.Equal(4, backup.Summary.GetProperty("files").GetInt64());
        JsonElement paths = (await world.ExpectAsync(0, "points", "--json")).Document[0].GetProperty("paths");
        Assert.Equal([roots[2], roots[1], roots[0]], paths.EnumerateArray().Select(path => path.GetString()));

        await world.ExpectAsync(0, "restore", "latest", "--to", world.PathOf("all"));
        string within = world.Source.TrimStart('/');
        Assert.Equal([$"{within}/file", $"{within}/one/a", $"{within}/two/b", $"{within}/two/deep/c"], FilesIn(world.PathOf("all")));
        await world.ExpectAsync(0, "restore", "latest", roots[3], roots[2], "--to", world.PathOf("some"));
        Assert.Equal([$"{within}/file", $"{within}/two/deep/c"], FilesIn(world.PathOf("some")));
    }

    [Fact]
    public async Task AnExportBringsADirectoryFromOnePointToTheNextWithoutTheVault()
    {
        await world.InitAsync();
        world.Write("a", "1");
        world.WriteRandom("large", 5, 2_000_000);
        string first = await world.BackupPointAsync();
        world.Write("b", "2");
        File.Delete(Path.Combine(world.Source, "a"));
        TreeSnapshot after = TreeSnapshot.Take(world.Source);
        await world.BackupAsync();
        await world.ExpectAsync(0, "export", first, "-o", world.PathOf("whole.hfx"));
        HoldfastResult changes = await world.ExpectAsync(0, "export", "latest", "--since", first, "-o", "-");
        Assert.InRange(changes.OutputBytes.Length, 1, 100_000);
        Directory.Delete(world.Vault, recursive: true);
        world.Variables.Remove("HOLDFAST_VAULT");

        string target = world.PathOf("elsewhere");
        await world.ExpectAsync(0, "apply", world.PathOf("whole.hfx"), "--to", target);
        HoldfastResult dry = await world.RunWithAsync(changes.OutputBytes, "apply", "-", "--to", target, "-n", "--json");
        Assert.True(dry.Code == 0, dry.ToString());
        Assert.Equal(1, dry.Summary.GetProperty("deleted").GetInt64());
        Assert.True(File.Exists(Path.Combine(target, "a")));
        HoldfastResult applied = await world.RunWithAsync(changes.OutputBytes, "apply", "-", "--to", target);
        Assert.True(applied.Code == 0, applied.ToString());
        TreeCompare.AssertEqual(after, TreeSnapshot.Take(target));
        File.WriteAllText(Path.Combine(target, "b"), "not what was exported");
        Assert.Equal(14, (await world.RunWithAsync(changes.OutputBytes, "apply", "-", "--to", target)).Code);
        world.Variables["HOLDFAST_PASSWORD"] = "wrong";
        await world.ExpectAsync(12, "apply", world.PathOf("whole.hfx"), "--to", world.PathOf("x"));
    }

    [Fact]
    public async Task KeysOpenTheVaultUntilTheyAreRemoved()
    {
        await world.InitAsync();
        string first = (await world.ExpectAsync(0, "key", "list", "--json")).Document[0].GetProperty("id").GetString()!;
        File.WriteAllText(world.PathOf("new"), "other password\n");
        File.SetUnixFileMode(world.PathOf("new"), UnixFileMode.UserRead);
        await world.ExpectAsync(0, "key", "add", "--new-password-file", world.PathOf("new"), "--label", "safe");
        await world.ExpectAsync(15, "key", "remove", first);
        world.Variables["HOLDFAST_PASSWORD"] = "other password";
        await world.ExpectAsync(0, "key", "remove", first[..8]);
        await world.ExpectAsync(0, "points");
        world.Variables["HOLDFAST_PASSWORD"] = "correct horse";
        await world.ExpectAsync(12, "points");
        world.Variables["HOLDFAST_PASSWORD"] = "other password";
        File.Delete(world.PathOf("new"));
        File.WriteAllText(world.PathOf("new"), "third\n");
        await world.ExpectAsync(0, "key", "passwd", "--new-password-file", world.PathOf("new"));
        await world.ExpectAsync(12, "points");
        world.Variables["HOLDFAST_PASSWORD"] = "third";
        Assert.Equal(1, (await world.ExpectAsync(0, "key", "list", "--json")).Document.GetArrayLength());
    }

    public void Dispose() => world.Dispose();

    private static string[] FilesIn(string directory) =>
        [.. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(directory, path)).Order(StringComparer.Ordinal)];

    private static string WithoutDirectories(string lines) =>
        string.Concat(lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.EndsWith('/')).Select(line => line + "\n"));
}
