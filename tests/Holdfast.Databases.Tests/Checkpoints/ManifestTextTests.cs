using System.Text;
using Holdfast.Databases.Checkpoints;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests.Checkpoints;

/// The manifest says what was written, or that it is damaged; it never leads out of its directory.
public sealed class ManifestTextTests
{
    private const string Folder = "/copy";
    private const string Path = Folder + "/" + CheckpointManifest.FileName;

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        SimulatedHost host = HostWithFolder();
        CheckpointManifest manifest = Manifest();

        ManifestText.Write(host.Disk, Folder, manifest);

        CheckpointManifest read = ManifestText.TryRead(host.Disk, Folder)!;
        Assert.Equal(manifest.Files, read.Files);
        Assert.Equal(manifest with { Files = read.Files }, read);
        Assert.Equal((60, 10, 20, 30), (read.Bytes, read.BytesLinked, read.BytesCloned, read.BytesCopied));
    }

    [Fact]
    public void ADatabaseWithoutIdAndSequenceIsReadSo()
    {
        SimulatedHost host = HostWithFolder();
        ManifestText.Write(host.Disk, Folder, Manifest() with { Database = null, Sequence = null });

        CheckpointManifest read = ManifestText.TryRead(host.Disk, Folder)!;

        Assert.Null(read.Database);
        Assert.Null(read.Sequence);
    }

    [Theory]
    [InlineData("holdfast-checkpoint", "other")]
    [InlineData("\"a\"", "\"../a\"")]
    [InlineData("\"a\"", "\"..\"")]
    [InlineData("\"linked\"", "\"stolen\"")]
    [InlineData("\"agent\"", "17x")]
    [InlineData("{", "")]
    [InlineData("\"bytes\": 10", "\"bytes\": \"ten\"")]
    public void WhatIsNoManifestIsDamage(string what, string with)
    {
        SimulatedHost host = HostWithFolder();
        ManifestText.Write(host.Disk, Folder, Manifest());
        Change(host, what, with);

        var damage = Assert.Throws<HoldfastException>(() => ManifestText.TryRead(host.Disk, Folder));
        Assert.Equal(ErrorKind.Damage, damage.Kind);
        Assert.StartsWith(Path, damage.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownVersionIsNamed()
    {
        SimulatedHost host = HostWithFolder();
        ManifestText.Write(host.Disk, Folder, Manifest());
        Change(host, "\"version\": 1", "\"version\": 2");

        var refused = Assert.Throws<HoldfastException>(() => ManifestText.TryRead(host.Disk, Folder));
        Assert.Contains("format version 2", refused.Message, StringComparison.Ordinal);
        Assert.Null(ManifestText.TryRead(host.Disk, "/elsewhere"));
    }

    private static SimulatedHost HostWithFolder()
    {
        SimulatedHost host = SimulatedHost.Create(seed: 1);
        Assert.True(host.Disk.TryCreateDirectory(Folder));
        return host;
    }

    private static CheckpointManifest Manifest() => new()
    {
        Source = new DatabaseAddress("rocksdb", "/srv/ä b"),
        Database = "f3b1",
        Sequence = ulong.MaxValue,
        Way = CaptureWay.Agent,
        Created = new DateTimeOffset(2026, 11, 20, 14, 3, 5, TimeSpan.Zero).AddTicks(17),
        Duration = TimeSpan.FromMilliseconds(12),
        Files =
        [
            new CheckpointFile("a", 10, "aa", "id/1", FileTransfer.Linked),
            new CheckpointFile("b", 20, "bb", "id/2", FileTransfer.Cloned),
            new CheckpointFile("c", 30, "cc", null, FileTransfer.Copied),
        ],
    };

    private static void Change(SimulatedHost host, string what, string with)
    {
        using IDiskFile file = host.Disk.TryOpen(Path, DiskAccess.Read)!;
        byte[] bytes = new byte[file.Length];
        _ = file.Read(0, bytes);
        string text = Encoding.UTF8.GetString(bytes);
        int at = text.IndexOf(what, StringComparison.Ordinal);
        Assert.True(at >= 0, what);
        Assert.True(host.Disk.TryDelete(Path));
        using IDiskFile changed = host.Disk.CreateUnnamed(Folder);
        changed.Write(0, Encoding.UTF8.GetBytes(text[..at] + with + text[(at + what.Length)..]));
        Assert.True(host.Disk.TryPublish(changed, Path));
    }
}
