using System.Text.Json;

namespace Holdfast.Cli.Tests;

/// The care of a vault on the command line: what people are told of damage, with which exit code, and what they can do.
public sealed class VaultCareTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("holdfast-care-").FullName;
    private readonly TestWorld world = new();

    public VaultCareTests()
    {
        world.Clock.TimestampStep = TimeSpan.FromMilliseconds(100);
        world.Variables["HOLDFAST_PASSWORD"] = "correct horse";
        world.Variables["HOLDFAST_VAULT"] = Vault;
        world.Variables["XDG_STATE_HOME"] = Path.Combine(root, "state");
        Directory.CreateDirectory(Source);
        File.WriteAllText(Path.Combine(Source, "file"), "content");
    }

    private string Vault => Path.Combine(root, "vault");

    private string Source => Path.Combine(root, "source");

    private string Output => world.Output.ToString();

    private string Error => world.Error.ToString();

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task ADamagedMarkIsNamedByAllVerbsThatGoByMarksAndHoldsAreNotKnown()
    {
        string point = await MakeAsync();
        await ExpectAsync(0, "hold", point);
        string mark = Damage("marks/00000000");

        foreach (string[] verb in (string[][])[["points"], ["points", "-q"], ["points", "--json"], ["undelete"], ["stats"], ["release", point]])
        {
            await ExpectAsync(13, verb);
            Assert.Contains($"damage: {mark}", Error, StringComparison.Ordinal);
            Assert.Contains("which points it put on hold, or dropped, is not known", Error, StringComparison.Ordinal);
        }

        Assert.Contains("whether it is on hold is not known", Output, StringComparison.Ordinal);
        foreach (string[] verb in (string[][])[["forget", point, "--allow-remove-all"], ["prune"]])
        {
            await ExpectAsync(13, verb);
            Assert.Contains("repair --from", Error, StringComparison.Ordinal);
            Assert.Contains("--drop-unreadable", Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task WhatIsSaidOfAKeyAndIsDamagedIsNamedAlsoWhenQuietAndABackupIsWholeAllTheSame()
    {
        string point = await MakeAsync();
        string[] before = Directory.GetFiles(Path.Combine(Vault, "writers"));
        await AddKeyAsync("other");
        string writer = Damage(Path.GetRelativePath(Vault, Assert.Single(Directory.GetFiles(Path.Combine(Vault, "writers")).Except(before))));

        foreach (string[] verb in (string[][])[["key", "list"], ["prune", "-q"], ["prune", "--dry-run"], ["points"], ["hold", point]])
        {
            await ExpectAsync(13, verb);
            Assert.Contains($"damage: {writer}", Error, StringComparison.Ordinal);
        }

        foreach (string[] verb in (string[][])[["backup", "-q", Source], ["ls", point], ["restore", point, "--to", Path.Combine(root, "to")]])
        {
            await ExpectAsync(0, verb);
            Assert.Contains($"damage: {writer}", Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ACheckNamesEachDamageOnceAndSaysHowManyPointsAreDropped()
    {
        await MakeAsync();
        string second = await BackupAsync("more");
        await ExpectAsync(0, "forget", second, "--allow-remove-all");
        await ExpectAsync(0, "check");
        Assert.Contains("checked 2 restore points (1 of them dropped", Output, StringComparison.Ordinal);
        string references = Damage(Path.Combine("refs", second));

        await ExpectAsync(13, "check");

        Assert.Contains(references, Output, StringComparison.Ordinal);
        Assert.DoesNotContain(references, Error, StringComparison.Ordinal);
        await ExpectAsync(13, "repair", "--dry-run");
        Assert.Contains("1 thing is damaged, ", Output, StringComparison.Ordinal);
        await ExpectAsync(0, "repair");
    }

    [Fact]
    public async Task UndeleteSaysWhichPointsThereAreToBringBack()
    {
        string point = await MakeAsync();
        await ExpectAsync(2, "undelete", "zzz");
        Assert.Contains("\"holdfast undelete\" lists", Error, StringComparison.Ordinal);
        await ExpectAsync(2, "undelete", point);
        Assert.Contains("was not dropped", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADamagedPointThatStopsAPruneIsNamedWithWhatToDo()
    {
        string point = await MakeAsync();
        Damage(Path.Combine("points", point));
        await ExpectAsync(13, "prune");
        Assert.Contains("repair --from", Error, StringComparison.Ordinal);
        Assert.Contains("--drop-unreadable", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APointThatIsLostComesBackFromAPlainCopyAndTheCheckSaysThatItMay()
    {
        string point = await MakeAsync();
        string copy = Path.Combine(root, "copy");
        CopyDirectory(Vault, copy);
        File.Delete(Path.Combine(Vault, "points", point));
        await ExpectAsync(0, "check");
        Assert.Contains("repair --from", Error, StringComparison.Ordinal);

        await ExpectAsync(0, "repair", "--from", copy);

        await ExpectAsync(0, "restore", point, "--to", Path.Combine(root, "to"));
        Assert.Equal("content", File.ReadAllText(Path.Combine(root, "to", "file")));
    }

    [Fact]
    public async Task ALostTreePackIsBroughtBackAndTheRestIsNotCalledLost()
    {
        await MakeAsync();
        string copy = Path.Combine(root, "copy");
        CopyDirectory(Vault, copy);
        foreach (string pack in Directory.GetFiles(Path.Combine(Vault, "trees"), "*", SearchOption.AllDirectories)) File.Delete(pack);

        await ExpectAsync(0, "repair", "--from", copy);

        Assert.DoesNotContain("is lost", Output, StringComparison.Ordinal);
        await ExpectAsync(0, "check", "--read-data");
    }

    [Fact]
    public async Task AVaultWhoseOnlyKeySlotIsDamagedOpensWithThatOfACopy()
    {
        await MakeAsync();
        string copy = Path.Combine(root, "copy");
        CopyDirectory(Vault, copy);
        string slot = Damage(Path.GetRelativePath(Vault, Assert.Single(Directory.GetFiles(Path.Combine(Vault, "keys")))));
        await ExpectAsync(13, "points");
        Assert.Contains($"bring {slot} back", Error, StringComparison.Ordinal);

        await ExpectAsync(0, "repair", "--from", copy);

        await ExpectAsync(0, "points");
    }

    [Fact]
    public async Task ANewPasswordThatOpensAKeyAlreadyIsRefused()
    {
        await MakeAsync();
        string file = PasswordFile("correct horse");
        foreach (string[] verb in (string[][])[["key", "add"], ["key", "add", "--role", "add"], ["key", "passwd"]])
        {
            await ExpectAsync(2, [.. verb, "--new-password-file", file]);
            Assert.Contains("a password opens one key", Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ErrorsOfPasswordsAndFilesSayWhatToDo()
    {
        await MakeAsync();
        string other = Path.Combine(root, "other");
        await ExpectAsync(0, "init", "-r", other, "--password-file", PasswordFile("another"));

        await ExpectAsync(12, "copy", "--from", other);
        Assert.Contains("--from-password-file", Error, StringComparison.Ordinal);
        await ExpectAsync(2, "import", Path.Combine(root, "nosuch"));
        Assert.Contains("check the name", Error, StringComparison.Ordinal);
        await ExpectAsync(2, "points", "--password-file", Path.Combine(root, "nosuch"));
        Assert.Contains("check its name", Error, StringComparison.Ordinal);
        await ExpectAsync(2, "points", "--password-command", "false");
    }

    private async Task<string> MakeAsync()
    {
        await ExpectAsync(0, "init");
        return await BackupAsync("first");
    }

    private async Task<string> BackupAsync(string change)
    {
        File.WriteAllText(Path.Combine(Source, change), change);
        await ExpectAsync(0, "backup", Source, "--json");
        string summary = Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        return JsonDocument.Parse(summary).RootElement.GetProperty("point").GetString()!;
    }

    private async Task AddKeyAsync(string password) =>
        await ExpectAsync(0, "key", "add", "--role", "restore", "--label", password, "--new-password-file", PasswordFile(password));

    private string PasswordFile(string password)
    {
        string file = Path.Combine(root, "password of " + password);
        File.WriteAllText(file, password);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }

    private string Damage(string name)
    {
        string path = Path.Combine(Vault, name);
        byte[] content = File.ReadAllBytes(path);
        content[^40] ^= 1;
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(path, content);
        return name;
    }

    private static void CopyDirectory(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private async Task ExpectAsync(int exitCode, params string[] arguments)
    {
        world.Output.GetStringBuilder().Clear();
        world.Error.GetStringBuilder().Clear();
        int found = await world.RunAsync(arguments);
        Assert.True(exitCode == found, $"{string.Join(' ', arguments)}: exit code {found}, expected {exitCode}\n{Output}{Error}");
    }
}
