using System.IO.Pipes;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using System.Text;
using Holdfast.Testing;
using Microsoft.Win32.SafeHandles;

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
        Assert.Equal(112, Unsafe.SizeOf<LibC.FileSystemStatus>());
        Assert.Equal(16, Unsafe.SizeOf<LibC.Buffer>());
    }

    /// A pipe has no offsets: an error that nobody can tell from one of the sync.
    [Fact]
    public void AFailedDurableWriteIsSticky()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using HostDiskFile file = Over(new SafeFileHandle(pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: false));

        Assert.Equal(29, Assert.Throws<DiskException>(() => file.WriteDurably(0, "x"u8)).Errno);

        DiskException later = Assert.Throws<DiskException>(() => file.Read(0, new byte[1]));
        Assert.Contains("earlier", later.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFullDiskFailsTheDurableWriteAndNotTheFile()
    {
        using HostDiskFile file = Over(File.OpenHandle("/dev/full", FileMode.Open, FileAccess.ReadWrite));

        Assert.Equal(DiskException.NoSpace, Assert.Throws<DiskException>(() => file.WriteDurably(0, "x"u8)).Errno);
        Assert.Equal(DiskException.NoSpace, Assert.Throws<DiskException>(() => file.WriteDurably(0, "x"u8)).Errno);
        Assert.Equal(1, file.Read(0, new byte[1]));
    }

    /// Files of /proc know neither the flag of pwritev2 nor fdatasync: the error is that of the latter.
    [Fact]
    public void WithoutTheCallADurableWriteIsAWriteAndASync()
    {
        const string path = "/proc/self/coredump_filter";
        string before = File.ReadAllText(path);
        using HostDiskFile file = Over(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite));

        DiskException error =
            Assert.Throws<DiskException>(() => file.WriteDurably(0, Encoding.ASCII.GetBytes($"0x{before}")));

        Assert.Contains(": fdatasync:", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(path));
    }

    [Fact]
    public void ALinkToAnotherFileSystemIsRefusedInAWayThatTellsToCopy()
    {
        Publish($"{Root}/f", "x"u8);

        DiskException error = Assert.Throws<DiskException>(() => Disk.TryLink($"{Root}/f", "/sys/x"));

        // 30: in a container /sys may be read-only, which is looked at first.
        Assert.True(error.IsLinkRefused || error.Errno == 30, error.Message);
        Assert.NotEqual(Disk.TryStat("/sys")!.Value.DeviceId, Disk.TryStat(Root)!.Value.DeviceId);
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

    private static HostDiskFile Over(SafeFileHandle handle) => new(handle, "/f", isNamed: true, stagingPath: null);

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

    protected override IDisk Disk { get; } = new SimulatedDisk(seed: 1) { Clones = true };

    protected override string Root => "/root";
}
