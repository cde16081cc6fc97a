using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Disks;

public class HostDiskTests : DiskContract, IDisposable
{
    private readonly TemporaryDirectory directory = new();

    protected override IDisk Disk { get; } = new HostDisk();

    protected override string Root => directory.Path;

    public void Dispose()
    {
        directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void TheKernelsStructuresHaveTheirSizes()
    {
        Assert.Equal(256, Unsafe.SizeOf<LibC.FileStatus>());
        Assert.Equal(20, Unsafe.SizeOf<LibC.DirectoryRecord>());
    }

    [Fact]
    public void TimesHaveTheFileSystemsPrecision()
    {
        Publish($"{Root}/f", "x"u8);
        var time = new DateTimeOffset(2026, 11, 20, 14, 3, 5, TimeSpan.Zero);
        time = time.AddTicks(1_234_567);
        File.SetLastWriteTimeUtc($"{Root}/f", time.UtcDateTime);

        DiskStat stat = Disk.TryStat($"{Root}/f")!.Value;

        Assert.Equal(time, stat.Modified);
        Assert.Equal(1, stat.Length);
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public void FilesAndDirectoriesAreTheOwnersAlone()
    {
        Publish($"{Root}/f", "x"u8);
        Disk.TryCreateDirectory($"{Root}/d");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{Root}/f"));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode($"{Root}/d"));
    }

    [Fact]
    public void ALinkCountsAsWhatItLeadsTo()
    {
        Disk.TryCreateDirectory($"{Root}/target");
        Publish($"{Root}/target/file", "x"u8);
        Directory.CreateSymbolicLink($"{Root}/folder", $"{Root}/target");
        File.CreateSymbolicLink($"{Root}/file", $"{Root}/target/file");
        File.CreateSymbolicLink($"{Root}/dangling", $"{Root}/nowhere");

        Assert.Equal(
            [new("dangling", false), new("file", false), new("folder", true), new("target", true)],
            Disk.TryList(Root)!.OrderBy(e => e.Name, StringComparer.Ordinal));
        Assert.Equal("x"u8, Content($"{Root}/folder/file"));
        Assert.Null(Disk.TryStat($"{Root}/dangling"));
    }

    [Fact]
    public void LargeAndOddlyNamedThingsWork()
    {
        byte[] content = new byte[(5 << 20) + 3];
        new Random(1).NextBytes(content);
        Publish($"{Root}/a name with ünïcode", content);

        Assert.Equal(content, Content($"{Root}/a name with ünïcode"));
        Assert.Equal("a name with ünïcode", Assert.Single(Disk.TryList(Root)!).Name);
    }
}

/// As on file systems without O_TMPFILE.
public sealed class StagingHostDiskTests : HostDiskTests
{
    protected override IDisk Disk { get; } = StagingDisk.Create();

    [Fact]
    public void AFileUnderWorkHasAStagingName()
    {
        using IDiskFile file = Disk.CreateUnnamed(Root);

        Assert.Matches("^\\.staging-[0-9a-f]{16}$", Assert.Single(Disk.TryList(Root)!).Name);
    }
}

public sealed class SimulatedDiskContractTests : DiskContract
{
    public SimulatedDiskContractTests() => Disk.TryCreateDirectory(Root);

    protected override IDisk Disk { get; } = new SimulatedDisk(seed: 1);

    protected override string Root => "/root";
}
