using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Exporting;

public sealed class ApplyRefusalTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// Goal: a run that is killed at any call can be finished by running it again. Method: kill it at each changing call
    /// (a prime step through many), run again, compare with the later state.
    [Theory, InlineData(31), InlineData(32)]
    public async Task ARunThatWasCutOffAnywhereIsFinishedByTheNext(int seed)
    {
        TreeGenerator.Create(fixture.Source, seed, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        TreeGenerator.Mutate(fixture.Source, seed, changes: 30);
        BackupSummary second = await fixture.BackupAsync(vault);
        byte[] export = await fixture.ExportAsync(vault, second, first);
        await fixture.RestoreAsync(vault, second.Point!.Value, "expected");
        TreeSnapshot expected = TreeSnapshot.Take(fixture.PathOf("expected"));
        bool finished = false;
        for (int cutAt = 1; !finished; cutAt += 7)
        {
            string target = $"target-{cutAt}";
            await fixture.RestoreAsync(vault, first.Point!.Value, target);
            try
            {
                await fixture.ApplyAsync(export, target, wrap: tree => new CutOffTree(tree, cutAt));
                finished = true;
            }
            catch (CutOffException)
            {
                await fixture.ApplyAsync(export, target);
            }

            TreeCompare.AssertEqual(expected, TreeSnapshot.Take(fixture.PathOf(target)));
            TreeGenerator.Delete(fixture.PathOf(target));
        }
    }

    [Fact]
    public async Task ABrokenFileIsRefusedBeforeAnythingChanges()
    {
        (byte[] export, _) = await MakeAsync();

        Assert.Equal(ErrorKind.WrongKey, (await fixture.RefusalAsync(export, "target", password: "another")).Kind);
        foreach (int length in new[] { 0, 7, 63 }) Assert.Equal(ErrorKind.Usage, (await fixture.RefusalAsync(export[..length], "target")).Kind);
        foreach (int length in new[] { 64, 70, 100, export.Length / 2, export.Length - 1 })
        {
            HoldfastException error = await fixture.RefusalAsync(export[..length], "target");
            Assert.Equal(ErrorKind.Damage, error.Kind);
            Assert.Contains("cut off", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(ErrorKind.Damage, (await fixture.RefusalAsync([.. export, 0], "target")).Kind);
        for (int at = 0; at < export.Length; at += 1 + (at >= 128 ? export.Length / 20 : 8))
        {
            byte[] flipped = [.. export];
            flipped[at] ^= 4;
            HoldfastException error = await fixture.RefusalAsync(flipped, "target");
            Assert.True(error.Kind is ErrorKind.Damage or ErrorKind.Usage or ErrorKind.Failed, $"byte {at}: {error.Kind} {error.Message}");
        }
    }

    [Fact]
    public async Task ATargetThatIsNotInTheStateOfTheBaseIsRefusedByName()
    {
        (byte[] export, SessionId first) = await MakeAsync();
        string target = fixture.PathOf("target");
        using OpenVault vault = await fixture.OpenAsync();
        string Name(string name) => Path.Combine(target, name);

        await RefusedAsync("gone", "gone: its content is not as it was", async path =>
        {
            await File.WriteAllTextAsync(path, "GONE", Cancel);
        });
        await RefusedAsync("changed", "changed: has 3 bytes, 6 expected", path => File.WriteAllTextAsync(path, "abc", Cancel));
        await RefusedAsync("changed", "changed: is missing", path => Task.Run(() => File.Delete(path), Cancel));
        var time = new DateTime(2001, 2, 3, 0, 0, 0, DateTimeKind.Utc);
        await RefusedAsync("mode", "mode: was modified at 2001-02-03 00:00:00", path => Task.Run(() => File.SetLastWriteTimeUtc(path, time), Cancel));
        await RefusedAsync(
            "stays/1", "stays: this or a path after it, up to stays/2, is not as it was: 3 paths found, 3 expected",
            path => File.WriteAllTextAsync(path, "other", Cancel));
        await File.WriteAllTextAsync(Name("new"), "somebody else's", Cancel);
        Assert.Equal("new: is there, but should not be", (await fixture.RefusalAsync(export, "target")).Message);
        File.Delete(Name("new"));
        await File.WriteAllTextAsync(Name("zzz"), "somebody else's", Cancel);
        HoldfastException error = await fixture.RefusalAsync(export, "target");
        Assert.Equal((ErrorKind.Unverified, "zzz: should not be there"), (error.Kind, error.Message));
        File.Delete(Name("zzz"));
        await fixture.ApplyAsync(export, "target");
        TreeCompare.AssertEqual(TreeSnapshot.Take(fixture.Source), TreeSnapshot.Take(target));

        async Task RefusedAsync(string name, string message, Func<string, Task> spoil)
        {
            await spoil(Name(name));
            HoldfastException refused = await fixture.RefusalAsync(export, "target");
            Assert.Equal(ErrorKind.Unverified, refused.Kind);
            Assert.StartsWith(message, refused.Message, StringComparison.Ordinal);
            await fixture.RestoreAsync(vault, first, "target");
        }
    }

    [Fact]
    public async Task PointsThatRestoreToDifferentPlacesAreNotLaidOverEachOther()
    {
        string one = Path.Combine(fixture.Source, "one"), two = Path.Combine(fixture.Source, "two");
        Directory.CreateDirectory(one);
        Directory.CreateDirectory(two);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary narrow = await BackupRun.RunAsync(vault, fixture.Request(one), Cancel);
        BackupSummary both = await BackupRun.RunAsync(vault, fixture.Request(one, two), Cancel);

        HoldfastException error = await Assert.ThrowsAsync<HoldfastException>(() => fixture.ExportAsync(vault, both, narrow));

        Assert.Equal(ErrorKind.Usage, error.Kind);
    }

    [Fact]
    public async Task ASymlinkInTheTargetLeadsNowhere()
    {
        (byte[] export, _) = await MakeAsync();
        string target = fixture.PathOf("target"), outside = fixture.PathOf("outside");
        Directory.Move(Path.Combine(target, "stays"), outside);
        File.CreateSymbolicLink(Path.Combine(target, "stays"), outside);

        HoldfastException error = await fixture.RefusalAsync(export, "target");

        Assert.Equal(ErrorKind.Unverified, error.Kind);
    }

    /// An export of one change of each sort, and a target in the state of its base.
    private async Task<(byte[] Export, SessionId Base)> MakeAsync()
    {
        string Name(string name) => Path.Combine(fixture.Source, name);
        Directory.CreateDirectory(Name("stays"));
        foreach (string name in new[] { "gone", "mode", "stays/1", "stays/2" }) await File.WriteAllTextAsync(Name(name), "text", Cancel);
        await File.WriteAllTextAsync(Name("changed"), "before", Cancel);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        await fixture.RestoreAsync(vault, first.Point!.Value, "target");
        File.Delete(Name("gone"));
        await File.WriteAllTextAsync(Name("changed"), "afterwards", Cancel);
        await File.WriteAllTextAsync(Name("new"), "new", Cancel);
        File.SetUnixFileMode(Name("mode"), UnixFileMode.UserRead);
        BackupSummary second = await fixture.BackupAsync(vault);
        return (await fixture.ExportAsync(vault, second, first), first.Point!.Value);
    }
}
