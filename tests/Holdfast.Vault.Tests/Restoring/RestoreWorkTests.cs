using System.Diagnostics;
using System.Globalization;
using Holdfast.Files;
using Holdfast.Testing;
using Holdfast.Vault.Tests.Checking;

namespace Holdfast.Vault.Tests.Restoring;

/// How the work of a restore is divided: batches, workers, what is set at once and what at the end.
public sealed class RestoreWorkTests : IDisposable
{
    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly VaultFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Theory, InlineData(11, 1), InlineData(12, 3), InlineData(13, 16)]
    public async Task SmallBatchesAndManyWorkersRestoreTheSame(int seed, int workers)
    {
        TreeGenerator.Create(fixture.Source, seed, TreeShape.Small);
        WriteRandom("big", 9 << 20, seed);
        TreeSnapshot expected = TreeSnapshot.Take(fixture.Source);
        using OpenVault vault = await fixture.InitAsync();
        SessionId point = (await fixture.BackupAsync(vault)).Point!.Value;
        RestoreRequest Divided(RestoreRequest request) => request with { Workers = workers, BatchChunks = 16, Verify = true };

        RestoreSummary made = await fixture.RestoreAsync(vault, point, "target", Divided);
        TreeCompare.AssertEqual(expected, TreeSnapshot.Take(fixture.PathOf("target")), new TreeCompareOptions { IgnoreSockets = true });
        Assert.True(made is { Errors: 0, Unverified: 0 }, $"seed {seed}: {made}");

        // The same onto itself, with some bytes of the big file changed, and with the file cut off.
        File.WriteAllBytes(fixture.PathOf("target/big"), Changed(File.ReadAllBytes(fixture.PathOf("target/big")), at: 5 << 20));
        RestoreSummary changed = await fixture.RestoreAsync(vault, point, "target", Divided);
        Assert.True(changed.BytesWritten is > 0 and < 1 << 20, $"seed {seed}: wrote {changed.BytesWritten}");
        using (FileStream big = File.OpenWrite(fixture.PathOf("target/big"))) big.SetLength(4 << 20);
        await fixture.RestoreAsync(vault, point, "target", Divided);
        TreeCompare.AssertEqual(expected, TreeSnapshot.Take(fixture.PathOf("target")), new TreeCompareOptions { IgnoreSockets = true });
    }

    [Theory, InlineData(1), InlineData(4)]
    public async Task ABigFileWithDamageInTheMiddleIsNotLeftAndAllElseIs(int workers)
    {
        WriteRandom("big", 24 << 20, seed: 21);
        WriteRandom("small", 100_000, seed: 22);
        using OpenVault vault = await fixture.InitAsync();
        SessionId point = (await fixture.BackupAsync(vault)).Point!.Value;
        string[] packs = fixture.Objects("data/");
        string largest = packs.MaxBy(fixture.LengthOf)!;
        fixture.Flip(largest, fixture.LengthOf(largest) / 2);

        RestoreSummary summary = await fixture.RestoreAsync(
            vault, point, "target", request => request with { Workers = workers, BatchChunks = 64 });

        Assert.Equal((1, 1), (summary.Errors, summary.Damaged));
        Assert.Equal("big", System.Text.Encoding.UTF8.GetString(Assert.Single(fixture.Notices, notice => notice.IsError).Path.Span));
        Assert.Equal(["small"], Directory.GetFileSystemEntries(fixture.PathOf("target")).Select(Path.GetFileName));
        Assert.Equal(File.ReadAllBytes(Path.Combine(fixture.Source, "small")), File.ReadAllBytes(fixture.PathOf("target/small")));

        // Over what is there already, what is whole in the vault is put right, and the rest stays as it is.
        byte[] source = File.ReadAllBytes(Path.Combine(fixture.Source, "big"));
        File.WriteAllBytes(fixture.PathOf("target/big"), Changed([.. source], at: 1000));
        await fixture.RestoreAsync(vault, point, "target", request => request with { Workers = workers });
        Assert.Equal(source, File.ReadAllBytes(fixture.PathOf("target/big")));
    }

    [Fact]
    public async Task ACancelledRestoreLeavesOnlyWholeFiles()
    {
        for (int i = 0; i < 200; i++) WriteRandom(string.Create(CultureInfo.InvariantCulture, $"f{i:000}"), 150_000, seed: 100 + i);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary backup = await fixture.BackupAsync(vault);
        RestorePoint point = await fixture.PointAsync(vault, backup);
        Directory.CreateDirectory(fixture.PathOf("target"));
        int left = 40;
        using var stop = new CancellationTokenSource();
        var request = new RestoreRequest
        {
            Target = fixture.Tree(fixture.PathOf("target")),
            Workers = 3,
            BatchChunks = 64,
            OnChange = _ =>
            {
                if (Interlocked.Decrement(ref left) == 0) stop.Cancel();
            },
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RestoreRun.RunAsync(vault, point, request, stop.Token));

        string[] made = Directory.GetFiles(fixture.PathOf("target"));
        Assert.True(made.Length is > 20 and < 200, $"{made.Length} files");
        foreach (string path in made)
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(fixture.Source, Path.GetFileName(path))), File.ReadAllBytes(path));
        }
    }

    [Fact]
    public async Task ModesComeBackWhateverTheTargetHandsDown()
    {
        UnixFileMode[] modes =
        [
            UnixFileMode.UserRead, OwnersAlone, OwnersAlone | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite,
            OwnersAlone | UnixFileMode.UserExecute | UnixFileMode.SetUser, UnixFileMode.UserRead | UnixFileMode.SetGroup | UnixFileMode.StickyBit,
        ];
        for (int i = 0; i < modes.Length; i++)
        {
            WriteRandom(string.Create(CultureInfo.InvariantCulture, $"f{i}"), i * 1000, seed: i);
            File.SetUnixFileMode(Path.Combine(fixture.Source, string.Create(CultureInfo.InvariantCulture, $"f{i}")), modes[i]);
        }

        Directory.CreateDirectory(Path.Combine(fixture.Source, "inner"));
        WriteRandom("inner/file", 1000, seed: 31);
        TreeSnapshot expected = TreeSnapshot.Take(fixture.Source);
        using OpenVault vault = await fixture.InitAsync();
        SessionId point = (await fixture.BackupAsync(vault)).Point!.Value;
        Directory.CreateDirectory(fixture.PathOf("target"));
        DirectoryTree target = fixture.Tree(fixture.PathOf("target"));
        var caller = new Caller { Uid = 0, Gid = 0 };
        Result<Mutation> handsDown = await target.SetXattrAsync(caller, target.Root, "system.posix_acl_default"u8.ToArray(), DefaultAcl(), XattrMode.Set);
        if (handsDown.Error == Errno.NotSupported) Assert.Skip("needs a file system with ACLs");
        Assert.Equal(Errno.None, handsDown.Error);

        RestoreSummary summary = await fixture.RestoreAsync(vault, point, "target");

        Assert.Equal(0, summary.Errors);
        TreeCompare.AssertEqual(expected, TreeSnapshot.Take(fixture.PathOf("target")));
    }

    [Fact]
    public async Task AProgramThatRunsIsLeftWhereItIsRightAndReplacedWhereNot()
    {
        File.Copy("/bin/sleep", Path.Combine(fixture.Source, "program"));
        using OpenVault vault = await fixture.InitAsync();
        SessionId point = (await fixture.BackupAsync(vault)).Point!.Value;
        await fixture.RestoreAsync(vault, point, "target");
        string target = fixture.PathOf("target/program");
        using Process running = Process.Start(target, "1000");
        try
        {
            RestoreSummary unchanged = await fixture.RestoreAsync(vault, point, "target");
            Assert.Equal((0L, 1L, 0L), (unchanged.FilesModified, unchanged.FilesUnmodified, unchanged.Errors));

            File.Move(target, target + "-old");
            File.WriteAllBytes(target, [.. File.ReadAllBytes(target + "-old"), 1]);
            File.SetUnixFileMode(target, OwnersAlone | UnixFileMode.UserExecute);
            using Process other = Process.Start(target, "1000");
            RestoreSummary changed = await fixture.RestoreAsync(vault, point, "target");
            other.Kill();
            Assert.Equal((1L, 0L), (changed.FilesModified, changed.Errors));
            Assert.Equal(File.ReadAllBytes("/bin/sleep"), File.ReadAllBytes(target));
        }
        finally
        {
            running.Kill();
        }
    }

    /// user::rwx user:1234:rwx group::r-x mask::rwx other::r-x, as the kernel keeps it.
    private static byte[] DefaultAcl()
    {
        const uint nobody = uint.MaxValue;
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(2u);
        foreach ((int tag, int rights, uint id) in new[] { (1, 7, nobody), (2, 7, 1234u), (4, 5, nobody), (16, 7, nobody), (32, 5, nobody) })
        {
            writer.Write((ushort)tag);
            writer.Write((ushort)rights);
            writer.Write(id);
        }

        return bytes.ToArray();
    }

    private static byte[] Changed(byte[] content, int at)
    {
        for (int i = 0; i < 100; i++) content[at + i] ^= 0xFF;
        return content;
    }

    private void WriteRandom(string name, int bytes, int seed)
    {
        byte[] content = new byte[bytes];
        new Random(seed).NextBytes(content);
        File.WriteAllBytes(Path.Combine(fixture.Source, name), content);
    }
}
