using System.Text;
using System.Text.Json;

namespace Holdfast.System.Tests;

/// What a backup takes of what is named.
public sealed class SourceTests : IDisposable
{
    private readonly SystemFixture world = new();

    [Fact]
    public async Task ExcludesCountInTheOrderGiven()
    {
        await world.InitAsync();
        world.Write("keep.tmp", "1");
        world.Write("drop.tmp", "2");
        world.Write("Photo.BAK", "3");
        world.Write("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
        world.Write("cache/x", "4");
        world.Write("skip/.nobackup", "");
        world.Write("skip/y", "5");
        world.Write("large", new string('x', 5000));
        world.Write("logs/a.log", "6");
        world.Write("text", "7");
        File.WriteAllText(world.PathOf("rules"), "# comment\n/logs/\n!keep.tmp\n");
        await world.BackupAsync(
            "--exclude", "*.tmp", "--exclude-file", world.PathOf("rules"), "--iexclude", "*.bak", "--exclude-caches",
            "--exclude-if-present", ".nobackup", "--exclude-larger-than", "4K");
        Assert.Equal(["cache/CACHEDIR.TAG", "keep.tmp", "skip/.nobackup", "text"], await FilesAsync());
    }

    [Fact]
    public async Task StandardInputIsOneFile()
    {
        await world.InitAsync();
        byte[] content = new byte[3_000_001];
        new Random(3).NextBytes(content);
        HoldfastResult backup = await world.RunWithAsync(content, "backup", "--stdin", "--stdin-name", "shop.sql", "--json");
        Assert.Equal(0, backup.Code);
        Assert.Equal(content.Length, backup.Summary.GetProperty("bytesRead").GetInt64());
        HoldfastResult cat = await world.ExpectAsync(0, "cat", "latest", "shop.sql");
        Assert.Equal(content, cat.OutputBytes);
        await world.ExpectAsync(0, "restore", "latest", "--to", world.PathOf("to"));
        Assert.Equal(content, File.ReadAllBytes(world.PathOf("to/shop.sql")));
    }

    [Fact]
    public async Task NamesThatAreNotUtf8AreTakenFromTheCommandLineAndFromLists()
    {
        await world.InitAsync();
        byte[] root = Encoding.UTF8.GetBytes(world.Source);
        await ShellAsync("printf 1 >\"$1/$(printf 'caf\\351')\"", world.Source);
        world.Write("other", "2");
        HoldfastResult backup = await world.ExpectAsync(0, "backup", world.Source + "/caf\udce9", "--json");
        Assert.Equal(1, backup.Summary.GetProperty("files").GetInt64());
        JsonElement point = (await world.ExpectAsync(0, "points", "--json")).Document[0];
        Assert.Equal(world.Source + "/caf\uFFFD", point.GetProperty("paths")[0].GetString());
        Assert.Equal([.. root, .. "/caf"u8, 0xe9], point.GetProperty("pathsBase64")[0].GetBytesFromBase64());
        JsonElement entry = (await world.ExpectAsync(0, "ls", "latest", "--json")).Document[0];
        Assert.Equal([.. "caf"u8, 0xe9], entry.GetProperty("pathBase64").GetBytesFromBase64());
        Assert.Equal([.. "caf"u8, 0xe9, (byte)'\n'], (await world.ExpectAsync(0, "ls", "latest")).OutputBytes);
        Assert.Equal("1", (await world.ExpectAsync(0, "cat", "latest", "caf\udce9")).Output);

        HoldfastResult list = await world.RunWithAsync([.. root, .. "/caf"u8, 0xe9, 0, .. root, .. "/other"u8, 0], "backup", "--files-from0", "-", "--json");
        Assert.Equal((0, 2), (list.Code, list.Summary.GetProperty("files").GetInt32()));
    }

    [Fact]
    public async Task LinksAreFollowedWhereTheyAreNamedAndNowhereElse()
    {
        await world.InitAsync();
        world.Write("real/a", "1");
        Directory.CreateSymbolicLink(world.PathOf("link"), Path.Combine(world.Source, "real"));
        Directory.CreateSymbolicLink(Path.Combine(world.Source, "inner"), "real");
        File.CreateSymbolicLink(world.PathOf("file-link"), Path.Combine(world.Source, "real/a"));
        await world.ExpectAsync(0, "backup", world.PathOf("link"));
        Assert.Equal(["a"], await FilesAsync());
        await world.ExpectAsync(0, "backup", world.PathOf("file-link"));
        Assert.Equal("symlink", (await world.ExpectAsync(0, "ls", "latest", "--json")).Document[0].GetProperty("kind").GetString());
        File.WriteAllText(world.PathOf("list"), $"{world.PathOf("link")}\n{world.Source}\n");
        await world.ExpectAsync(0, "backup", "--files-from", world.PathOf("list"));
        JsonElement entries = (await world.ExpectAsync(0, "ls", "latest", "-R", "--json")).Document;
        Assert.Equal(2, entries.EnumerateArray().Count(entry => entry.GetProperty("kind").GetString() == "symlink"));
    }

    [Fact]
    public async Task AVaultDoesNotBackUpItself()
    {
        await world.InitAsync();
        world.Write("a", "1");
        HoldfastResult backup = await world.ExpectAsync(0, "backup", world.Root, "--json");
        Assert.Contains("is the vault itself", backup.Records("notice").Single().GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(["source/a"], await FilesAsync());
        await world.ExpectAsync(2, "backup", Path.Combine(world.Vault, "keys"));
        await world.ExpectAsync(15, "restore", "latest", "--to", world.Root, "--delete");
        await world.ExpectAsync(15, "restore", "latest", "--to", Path.Combine(world.Vault, "new"));
        Assert.False(Directory.Exists(Path.Combine(world.Vault, "new")));
    }

    [Fact]
    public async Task WhatIsMissingIsNamedAndTheRestIsBackedUp()
    {
        await world.InitAsync();
        world.Write("a", "1");
        HoldfastResult backup = await world.ExpectAsync(3, "backup", world.PathOf("gone"), world.Source, "--json");
        Assert.Equal(world.PathOf("gone"), backup.Records("error").Single().GetProperty("path").GetString());
        Assert.Equal(1, backup.Summary.GetProperty("errors").GetInt64());
        Assert.Equal(["a"], await FilesAsync());
        HoldfastResult none = await world.ExpectAsync(1, "backup", world.PathOf("gone"));
        Assert.Contains(world.PathOf("gone") + ": no such file or directory", none.Error, StringComparison.Ordinal);
        Assert.Single(await world.PointsAsync());
    }

    [Fact]
    public async Task WhatMayNotBeReadIsNamedAndTheRestIsBackedUp()
    {
        Assert.SkipUnless(SystemFixture.IsRoot && File.Exists("/usr/bin/setpriv"), "needs root, and setpriv");
        await world.InitAsync();
        world.Write("open", "1");
        world.Write("secret", "2");
        File.SetUnixFileMode(Path.Combine(world.Source, "secret"), UnixFileMode.None);
        HoldfastProcess Start(params string[] arguments) => HoldfastProcess.Start(
            world.Variables, world.Root, arguments, ["/usr/bin/setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps=-all", "--"]);
        File.SetUnixFileMode(world.Root, (UnixFileMode)0x1FF);
        await ShellAsync("chown -R 65534 \"$1\"", world.Vault);
        using HoldfastProcess process = Start("backup", world.Source, "--json");
        HoldfastResult result = await process.WaitAsync();
        Assert.True(result.Code == 3, result.ToString());
        Assert.Equal(Path.Combine(world.Source, "secret"), result.Records("error").Single().GetProperty("path").GetString());
        Assert.Equal(["open"], await FilesAsync());

        Directory.CreateDirectory(world.PathOf("mine"));
        File.SetUnixFileMode(world.PathOf("mine"), (UnixFileMode)0x1ED);
        using HoldfastProcess restore = Start("restore", "latest", "--to", world.PathOf("mine"));
        HoldfastResult refused = await restore.WaitAsync();
        Assert.Equal(1, refused.Code);
        Assert.Contains("permission denied", refused.Error, StringComparison.Ordinal);
    }

    public void Dispose() => world.Dispose();

    private static async Task ShellAsync(string script, string argument)
    {
        using var shell = global::System.Diagnostics.Process.Start("/bin/sh", ["-ec", script, "sh", argument]);
        await shell.WaitForExitAsync();
        Assert.Equal(0, shell.ExitCode);
    }

    /// The files of the newest point.
    private async Task<string[]> FilesAsync() =>
    [
        .. (await world.ExpectAsync(0, "ls", "latest", "-R", "--json")).Document.EnumerateArray()
            .Where(entry => entry.GetProperty("kind").GetString() == "file")
            .Select(entry => entry.GetProperty("path").GetString()!),
    ];
}
