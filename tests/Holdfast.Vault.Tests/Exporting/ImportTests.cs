using System.Text;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Exporting;

/// Goal: an export that is imported into another vault is the point that it was made of, and nothing else is ever there. Method: random
/// trees are backed up, changed and backed up again; what is restored from either vault is compared, and what the points say.
public sealed class ImportTests : IDisposable
{
    private readonly VaultFixture fixture = new();
    private readonly IObjectStore store;

    public ImportTests() => store = ObjectStores.Open(fixture.PathOf("second"), fixture.Host);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6)]
    public async Task ImportedPointsAreThePointsThatWereExported(int seed)
    {
        TreeGenerator.Create(fixture.Source, seed, seed == 1 ? TreeShape.Default : TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault, static request => request with { Tags = ["one", "t"], Time = DateTimeOffset.UnixEpoch.AddDays(20_000) });
        IReadOnlyList<string> done = TreeGenerator.Mutate(fixture.Source, 1000 + seed, changes: 60);
        BackupSummary second = await fixture.BackupAsync(vault);
        using OpenVault other = await InitOtherAsync();

        ImportSummary whole = await ImportAsync(other, await fixture.ExportAsync(vault, first, null));
        ImportSummary changes = await ImportAsync(other, await fixture.ExportAsync(vault, second, first));

        Assert.Equal((whole.Point, false, false), (changes.Base, whole.IsThere, changes.IsThere));
        await AssertSameAsync(vault, first.Point!.Value, other, whole.Point, $"seed {seed}, whole");
        await AssertSameAsync(vault, second.Point!.Value, other, changes.Point, $"seed {seed}:\n{string.Join('\n', done)}");
        Assert.Equal(await ChangesAsync(vault, second.Point!.Value), await ChangesAsync(other, changes.Point));
        CheckReport check = await CheckRun.RunAsync(other, new CheckRequest { ReadData = true }, Cancel);
        Assert.Empty(check.Damages);

        string[] names = await NamesAsync();
        Assert.True((await ImportAsync(other, await fixture.ExportAsync(vault, first, null))).IsThere);
        Assert.Equal((changes.Point, true, 0L), await ImportAsync(other, await fixture.ExportAsync(vault, second, null)) is var again ? (again.Point, again.IsThere, again.BytesStored) : default);
        Assert.True((await ImportAsync(vault, await fixture.ExportAsync(vault, second, first))).IsThere);
        Assert.Equal(names, await NamesAsync());
    }

    [Fact]
    public async Task EachRootOfSeveralIsItselfAgain()
    {
        string one = Path.Combine(fixture.Source, "one"), two = Path.Combine(fixture.Source, "two"), three = Path.Combine(fixture.Source, "three");
        foreach (string path in (string[])[one, two, three]) Directory.CreateDirectory(path);
        TreeGenerator.Create(one, 21, TreeShape.Small);
        TreeGenerator.Create(two, 22, TreeShape.Small);
        TreeGenerator.Create(three, 24, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await BackupRun.RunAsync(vault, fixture.Request(one, two), Cancel);
        TreeGenerator.Mutate(one, 23);
        BackupSummary second = await BackupRun.RunAsync(vault, fixture.Request(one, three), Cancel);
        using OpenVault other = await InitOtherAsync();

        ImportSummary whole = await ImportAsync(other, await fixture.ExportAsync(vault, first, null));
        ImportSummary changes = await ImportAsync(other, await fixture.ExportAsync(vault, second, first));

        await AssertSameAsync(vault, first.Point!.Value, other, whole.Point, "whole");
        await AssertSameAsync(vault, second.Point!.Value, other, changes.Point, "changes");
        Assert.Equal(2, (await PointAsync(other, changes.Point)).Roots.Count);
    }

    [Fact]
    public async Task ARootThatIsAFileIsItselfAgain()
    {
        await File.WriteAllTextAsync(Path.Combine(fixture.Source, "file"), "content", Cancel);
        using OpenVault vault = await fixture.InitAsync();
        byte[] path = Encoding.UTF8.GetBytes(Path.Combine(fixture.Source, "file"));
        BackupRequest request = fixture.Request() with { Roots = [new BackupRoot(path, fixture.Tree(fixture.Source), "file"u8.ToArray())] };
        BackupSummary point = await BackupRun.RunAsync(vault, request, Cancel);
        using OpenVault other = await InitOtherAsync();
        ImportSummary made = await ImportAsync(other, await fixture.ExportAsync(vault, point, null));
        await AssertSameAsync(vault, point.Point!.Value, other, made.Point, "file");
        Assert.Equal(path, (await PointAsync(other, made.Point)).Roots[0].ToArray());
    }

    [Fact]
    public async Task HardLinksAreOneFileAgain()
    {
        string Name(string name) => Path.Combine(fixture.Source, name);
        foreach (string name in (string[])["a", "d", "g", "k", "m"]) await File.WriteAllTextAsync(Name(name), name, Cancel);
        Link("a", "b");
        Link("d", "e");
        Link("g", "h");
        Link("k", "l");
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        Link("b", "0-new-in-front");
        Link("m", "1-of-one-that-had-none");
        File.Delete(Name("e"));
        File.Copy(Name("d"), Name("e"));
        File.SetLastWriteTimeUtc(Name("e"), File.GetLastWriteTimeUtc(Name("d")));
        File.Delete(Name("g"));
        Link("k", "g");
        await File.AppendAllTextAsync(Name("l"), "more", Cancel);
        // Its first name in the order of paths is new, the one that had content before is written anew.
        await File.AppendAllTextAsync(Name("h"), "more", Cancel);
        Link("h", "2-before-what-it-names");
        BackupSummary second = await fixture.BackupAsync(vault);
        using OpenVault other = await InitOtherAsync();

        await ImportAsync(other, await fixture.ExportAsync(vault, first, null));
        ImportSummary changes = await ImportAsync(other, await fixture.ExportAsync(vault, second, first));

        await fixture.RestoreAsync(other, changes.Point, "target");
        TreeCompare.AssertEqual(TreeSnapshot.Take(fixture.Source), TreeSnapshot.Take(fixture.PathOf("target")));

        void Link(string existing, string name)
        {
            using PosixDirectory directory = PosixDirectory.Open(Encoding.UTF8.GetBytes(fixture.Source));
            directory.Link(Encoding.UTF8.GetBytes(name), directory, Encoding.UTF8.GetBytes(existing));
        }
    }

    [Fact]
    public async Task WhatBecomesAnotherKindIsThatInThePoint()
    {
        string Name(string name) => Path.Combine(fixture.Source, name);
        Directory.CreateDirectory(Name("to-file/deep/er"));
        await File.WriteAllTextAsync(Name("to-file/deep/er/x"), "x", Cancel);
        Directory.CreateDirectory(Name("to-link/deep"));
        await File.WriteAllTextAsync(Name("to-directory"), "file", Cancel);
        await File.WriteAllTextAsync(Name("to-file-"), "neighbour in the order of bytes", Cancel);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        Directory.Delete(Name("to-file"), recursive: true);
        await File.WriteAllTextAsync(Name("to-file"), "now a file", Cancel);
        Directory.Delete(Name("to-link"), recursive: true);
        File.CreateSymbolicLink(Name("to-link"), "/etc");
        File.Delete(Name("to-directory"));
        Directory.CreateDirectory(Name("to-directory/deep"));
        await File.WriteAllTextAsync(Name("to-directory/deep/y"), "y", Cancel);
        BackupSummary second = await fixture.BackupAsync(vault);
        foreach ((BackupSummary from, BackupSummary to, string place) in ((BackupSummary, BackupSummary, string)[])[(first, second, "third"), (second, first, "fourth")])
        {
            using OpenVault other = await InitOtherAsync(place);
            await ImportAsync(other, await fixture.ExportAsync(vault, from, null));
            ImportSummary made = await ImportAsync(other, await fixture.ExportAsync(vault, to, from));
            await AssertSameAsync(vault, to.Point!.Value, other, made.Point, place);
        }
    }

    /// The base may have come by any way: it is known by where it was made.
    [Fact]
    public async Task ChangesAreLaidOverACopyOfTheBaseAndOverNothingElse()
    {
        TreeGenerator.Create(fixture.Source, 31, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        using OpenVault other = await InitOtherAsync();
        TreeGenerator.Mutate(fixture.Source, 32);
        BackupSummary second = await fixture.BackupAsync(vault);
        byte[] changes = await fixture.ExportAsync(vault, second, first);

        HoldfastException error = await Assert.ThrowsAsync<HoldfastException>(() => ImportAsync(other, changes));
        Assert.Equal(ErrorKind.NotThere, error.Kind);
        Assert.Contains(first.Point!.Value.ToShortString(), error.Message, StringComparison.Ordinal);

        await CopyRun.RunAsync(other, new CopyRequest { From = vault, Points = [await PointAsync(vault, first.Point!.Value)] }, Cancel);
        ImportSummary made = await ImportAsync(other, changes);
        await AssertSameAsync(vault, second.Point!.Value, other, made.Point, "changes");
        // Copying finds it there, as it was copied.
        Assert.Equal((0, 2), await CopyRun.RunAsync(other, new CopyRequest { From = vault }, Cancel) is var copy ? (copy.Points, copy.PointsThere) : default);
    }

    [Fact]
    public async Task AFileThatIsCutOffOrAlteredLeavesNothing()
    {
        TreeGenerator.Create(fixture.Source, 41, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary point = await fixture.BackupAsync(vault);
        byte[] export = await fixture.ExportAsync(vault, point, null);
        using OpenVault other = await InitOtherAsync();
        string[] names = await NamesAsync();
        var random = new Random(41);
        int[] places = [64, 70, export.Length / 2, export.Length - 1, .. Enumerable.Range(0, 3).Select(_ => random.Next(64, export.Length))];
        foreach (int at in places)
        {
            byte[] altered = [.. export];
            altered[at] ^= 1;
            foreach (byte[] bad in (byte[][])[export[..at], altered, [.. export, 0]])
            {
                Assert.Equal(ErrorKind.Damage, (await Assert.ThrowsAsync<HoldfastException>(() => ImportAsync(other, bad))).Kind);
            }
        }

        Assert.Equal(ErrorKind.WrongKey, (await Assert.ThrowsAsync<HoldfastException>(() => ImportAsync(other, export, "another"))).Kind);
        Assert.Equal(names, await NamesAsync());
    }

    private async Task<OpenVault> InitOtherAsync(string? place = null)
    {
        using VaultSecret secret = VaultFixture.Secret("another");
        return await OpenVault.InitAsync(fixture.Host, place is null ? store : ObjectStores.Open(fixture.PathOf(place), fixture.Host), secret, "first", Cancel);
    }

    private static async Task<ImportSummary> ImportAsync(OpenVault vault, byte[] export, string password = "export")
    {
        using VaultSecret secret = VaultFixture.Secret(password);
        return await ImportRun.RunAsync(vault, new MemoryStream(export), secret, new ImportRequest { Name = "file", Host = "there" }, Cancel);
    }

    private static async Task<RestorePoint> PointAsync(OpenVault vault, SessionId id) => (await RestorePoints.ListAsync(vault, Cancel)).Single(point => point.Id == id);

    private async Task<string[]> NamesAsync()
    {
        var names = new List<string>();
        await foreach (ObjectEntry entry in store.ListAsync("", Cancel)) names.Add(entry.Name);
        return [.. names];
    }

    private static async Task<List<string>> ChangesAsync(OpenVault vault, SessionId id)
    {
        var changes = new List<string>();
        await foreach (TreeChange change in RestorePoints.ReadChangesAsync(vault, await PointAsync(vault, id), Cancel)) changes.Add($"{change.Kind} {Convert.ToHexString(change.Path.Span)}");
        return changes;
    }

    /// What is restored is the same, and so is what the points say.
    private async Task AssertSameAsync(OpenVault vault, SessionId original, OpenVault other, SessionId imported, string about)
    {
        string name = $"{original}-{imported}";
        await fixture.RestoreAsync(vault, original, $"expected-{name}");
        await fixture.RestoreAsync(other, imported, $"found-{name}");
        var options = TreeCompareOptions.Everything;
        RestorePoint expected = await PointAsync(vault, original), found = await PointAsync(other, imported);
        // Only what lies in roots: the directory that a single file was restored to has a time of its own.
        if (expected.Roots[0].Span.EndsWith("/file"u8)) options = options with { Only = (path, _) => path.EndsWith("file", StringComparison.Ordinal) };
        if (expected.Roots.Count > 1) options = options with { Only = (path, _) => path.Contains("/source/", StringComparison.Ordinal) };
        try
        {
            TreeCompare.AssertEqual(TreeSnapshot.Take(fixture.PathOf($"expected-{name}")), TreeSnapshot.Take(fixture.PathOf($"found-{name}")), options);
        }
        catch (Exception different)
        {
            throw new InvalidOperationException(about, different);
        }

        Assert.Equal((expected.Time, expected.Host, expected.Program, expected.Counts), (found.Time, found.Host, found.Program, found.Counts));
        Assert.Equal(expected.Tags, found.Tags);
        Assert.True(found.IsOfSource(expected.Source));
        Assert.Equal(new PointOrigin(vault.Id, original), found.Origin);
    }
}
