using System.Text;
using Holdfast.Log;

namespace Holdfast.Vault.Tests.Queries;

public sealed class PointSearchTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NamesAndPathsAreFoundInEveryPointThatHasThem()
    {
        Directory.CreateDirectory(Path.Combine(fixture.Source, "a/deep/er"));
        Directory.CreateDirectory(Path.Combine(fixture.Source, "b"));
        foreach (string name in new[] { "a/deep/er/Note.txt", "a/note.txt", "b/other" })
        {
            await File.WriteAllTextAsync(Path.Combine(fixture.Source, name), name, Cancel);
        }

        using OpenVault vault = await fixture.InitAsync();
        RestorePoint first = await fixture.PointAsync(vault, await fixture.BackupAsync(vault));
        await File.WriteAllTextAsync(Path.Combine(fixture.Source, "b/note.txt"), "new", Cancel);
        RestorePoint second = await fixture.PointAsync(vault, await fixture.BackupAsync(vault));

        Assert.Equal(["1 a/note.txt", "2 a/note.txt", "2 b/note.txt"], await FindAsync("note.txt"));
        Assert.Equal(["1 a/deep/er/Note.txt", "1 a/note.txt", "2 a/deep/er/Note.txt", "2 a/note.txt", "2 b/note.txt"], await FindAsync("NOTE*", ignoreCase: true));
        Assert.Equal(["1 a/deep/er", "2 a/deep/er"], await FindAsync("a/**/er"));
        Assert.Equal(["1 a/deep", "2 a/deep"], await FindAsync("deep/"));
        Assert.Equal(["1 b", "2 b"], await FindAsync(fixture.Source + "/b"));
        Assert.Equal(["2 b/note.txt"], await FindAsync("/b/note.txt"));
        Assert.Empty(await FindAsync("nothing"));

        async Task<string[]> FindAsync(string pattern, bool ignoreCase = false) =>
            await PointSearch.FindAsync(vault, [first, second], Encoding.UTF8.GetBytes(pattern), ignoreCase, Cancel)
                .Select(found => $"{(found.Point.Id == first.Id ? 1 : 2)} {Encoding.UTF8.GetString(found.Entry.Path.Span)}")
                .ToArrayAsync(Cancel);
    }

    [Fact]
    public async Task RootsOfAPointWithSeveralAreFoundToo()
    {
        string one = Path.Combine(fixture.Source, "one"), two = Path.Combine(fixture.Source, "two");
        Directory.CreateDirectory(Path.Combine(one, "two"));
        Directory.CreateDirectory(two);
        using OpenVault vault = await fixture.InitAsync();
        RestorePoint point = await fixture.PointAsync(vault, await BackupRun.RunAsync(vault, fixture.Request(one, two), Cancel));

        string[] found = await PointSearch.FindAsync(vault, [point], "two"u8.ToArray(), ignoreCase: false, Cancel)
            .Select(entry => Encoding.UTF8.GetString(entry.Entry.Path.Span)).ToArrayAsync(Cancel);

        Assert.Equal([one + "/two", two], found);
    }

    [Fact]
    public async Task ANegatedPatternIsRefused()
    {
        using OpenVault vault = await fixture.InitAsync();

        HoldfastException error = Assert.Throws<HoldfastException>(() => PointSearch.FindAsync(vault, [], "!x"u8.ToArray(), false, Cancel));

        Assert.Equal(ErrorKind.Usage, error.Kind);
    }
}
