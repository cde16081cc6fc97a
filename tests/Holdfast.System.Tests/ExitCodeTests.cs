using System.Buffers.Binary;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// Bad input and bad places: the code of the table, one line that says what, and no stack trace.
public sealed class ExitCodeTests : IDisposable
{
    private readonly SystemFixture world = new();

    [Fact]
    public async Task EachFailureHasItsCodeAndOneClearLine()
    {
        world.Write("a", "1");
        await FailsAsync(10, "there is no vault", "points");
        await FailsAsync(10, "there is no vault", "backup", world.Source);
        await FailsAsync(2, "is no flag", "backup", "--exlude", world.Source);
        await world.InitAsync();
        await FailsAsync(15, "there is a vault already", "init");
        await FailsAsync(2, "is not empty", ["init", "-r", world.Source], or: 15);
        await FailsAsync(2, "there is none", "ls", "abcdef");
        await FailsAsync(2, "there is none", "restore", "latest", "--to", world.PathOf("x"));
        await FailsAsync(1, "no such file or directory", "backup", world.PathOf("nothing"));
        await FailsAsync(2, "no such file or directory", "backup", world.Source, "--exclude-file", world.PathOf("nothing"));
        await FailsAsync(2, "this version opens /path, file:/path, s3://bucket/prefix", "points", "-r", "gopher://host/x");
        foreach ((string name, string value) in ((string, string)[])[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", ""), ("AWS_CONFIG_FILE", "/dev/null"), ("AWS_EC2_METADATA_DISABLED", "true")])
        {
            world.Variables[name] = value;
        }

        await FailsAsync(2, "s3://bucket/x: No RegionEndpoint", "points", "-r", "s3://bucket/x");
        await world.BackupAsync();
        await FailsAsync(1, "not a directory", "restore", "latest", "--to", Path.Combine(world.Source, "a"));
        await FailsAsync(2, "is a directory", "cat", "latest", "/");
        world.Variables["HOLDFAST_PASSWORD"] = "wrong";
        await FailsAsync(12, "wrong password", "points");
        await FailsAsync(12, "wrong password", "backup", world.Source);
        world.Variables["HOLDFAST_PASSWORD"] = "";
        await FailsAsync(2, "no password is given", "points");
    }

    [Fact]
    public async Task AVaultOfANewerVersionIsNotTouched()
    {
        await world.InitAsync();
        string descriptor = Path.Combine(world.Vault, "vault");
        byte[] content = File.ReadAllBytes(descriptor);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(8), 2);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(28), Crc32C.Compute(content.AsSpan(0, 28)));
        File.Delete(descriptor);
        File.WriteAllBytes(descriptor, content);
        world.Write("a", "1");
        await FailsAsync(1, "a vault of format 2; this program reads format 1", "backup", world.Source);
        await FailsAsync(15, "there is a vault already", "init");
    }

    [Fact]
    public async Task AFullDiskEndsABackupAndTheNextOneGoesOn()
    {
        using var disk = SmallDisk.TryMount(world.PathOf("disk"), megabytes: 12);
        Assert.SkipWhen(disk is null, "needs root, to mount a small file system");
        world.Variables["HOLDFAST_VAULT"] = world.PathOf("disk/vault");
        await world.InitAsync();
        world.WriteRandom("small", 1, 1 << 20);
        string point = await world.BackupPointAsync();
        TreeSnapshot before = TreeSnapshot.Take(world.Source);
        for (int i = 0; i < 8; i++) world.WriteRandom($"large{i}", 10 + i, 4 << 20);
        await FailsAsync(1, "no space left on device", "backup", world.Source);
        for (int i = 0; i < 8; i++) File.Delete(Path.Combine(world.Source, $"large{i}"));
        await world.ExpectRestoredAsync(point, before, new TreeCompareOptions { IgnoreRootAttributes = true });
        await world.ExpectAsync(0, "check", "--read-data");
    }

    [Fact]
    public async Task AFullDiskEndsARestoreInOneLine()
    {
        using var disk = SmallDisk.TryMount(world.PathOf("disk"), megabytes: 4);
        Assert.SkipWhen(disk is null, "needs root, to mount a small file system");
        await world.InitAsync();
        for (int i = 0; i < 4; i++) world.WriteRandom($"f{i}", i, 2 << 20);
        await world.BackupAsync();
        HoldfastResult result = await world.RunAsync("restore", "latest", "--to", world.PathOf("disk/to"));
        Assert.True(result.Code is 1 or 3, result.ToString());
        Assert.Contains("no space left on device", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DamageIsNamedWithWhatItAffectsAndEverythingElseComesBack()
    {
        await world.InitAsync();
        for (int i = 0; i < 3; i++) world.WriteRandom($"random{i}", i, 3_000_000);
        world.Write("text", "untouched\n");
        string first = await world.BackupPointAsync();
        world.Write("more", "2");
        string second = await world.BackupPointAsync();
        await world.ExpectAsync(0, "check", "--read-data");
        FlipByte(world.Packs().MaxBy(pack => new FileInfo(pack).Length)!, 1_500_000);

        HoldfastResult check = await world.ExpectAsync(13, "check", "--read-data", "--json");
        var affected = check.Records("damage").SelectMany(damage => damage.GetProperty("affected").EnumerateArray()).ToArray();
        Assert.Equal(new HashSet<string?> { first, second }, [.. affected.Select(item => item.GetProperty("point").GetString())]);
        string[] paths = [.. affected.Select(item => item.GetProperty("path").GetString()!).Distinct()];
        Assert.NotEmpty(paths);
        Assert.All(paths, path => Assert.StartsWith(world.Source + "/random", path, StringComparison.Ordinal));
        HoldfastResult people = await world.ExpectAsync(13, "check", "--read-data");
        Assert.Contains(paths[0], people.Output, StringComparison.Ordinal);

        HoldfastResult restore = await world.ExpectAsync(13, "restore", first, "--to", world.PathOf("to"), "--json");
        Assert.Equal(paths.Length, restore.Summary.GetProperty("damaged").GetInt64());
        string[] lost = [.. paths.Select(path => Path.GetFileName(path))];
        foreach (string name in new[] { "random0", "random1", "random2", "text" }.Except(lost))
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(world.Source, name)), File.ReadAllBytes(Path.Combine(world.PathOf("to"), name)));
        }
    }

    public void Dispose() => world.Dispose();

    private static void FlipByte(string path, int offset)
    {
        byte[] content = File.ReadAllBytes(path);
        content[offset] ^= 0x40;
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(path, content);
    }

    private Task FailsAsync(int code, string says, params string[] arguments) => FailsAsync(code, says, arguments, or: code);

    private async Task FailsAsync(int code, string says, string[] arguments, int or)
    {
        HoldfastResult result = await world.RunAsync(arguments);
        Assert.True(result.Code == code || result.Code == or, $"holdfast {string.Join(' ', arguments)}: {code} expected, {result}");
        Assert.Contains(says, result.Error, StringComparison.Ordinal);
        Assert.StartsWith("holdfast: ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("unexpected error", result.Error, StringComparison.Ordinal);
        Assert.InRange(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 1, 2);
    }
}
