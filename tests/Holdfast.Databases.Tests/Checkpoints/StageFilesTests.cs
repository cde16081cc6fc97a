using System.Diagnostics;
using Holdfast.Databases.Checkpoints;
using Holdfast.Databases.Tests.Sqlite;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests.Checkpoints;

/// <summary>How files come into a copy on file systems of all kinds.</summary>
public sealed class StageFilesTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void AFileWithTooManyNamesIsCopiedAndTheNextOneIsLinked()
    {
        string[] sources = [Make("first"), Make("second"), Make("third")];
        StageFiles stage = Stage(new RefusingDisk(DiskException.TooManyLinks, sources[1]));
        Assert.Equal(FileTransfer.Linked, stage.TryBring(sources[0], "first", TestContext.Current.CancellationToken));
        Assert.NotEqual(FileTransfer.Linked, stage.TryBring(sources[1], "second", TestContext.Current.CancellationToken));
        Assert.Equal(FileTransfer.Linked, stage.TryBring(sources[2], "third", TestContext.Current.CancellationToken));
        foreach (string source in sources) Assert.Equal(File.ReadAllBytes(source), File.ReadAllBytes($"{directory.Path}/copy/{Path.GetFileName(source)}"));
    }

    [Fact]
    public void WhereNoFileCanBeLinkedAllAreCopiedAndOnlyTheFirstIsTried()
    {
        string[] sources = [Make("first"), Make("second")];
        var disk = new RefusingDisk(DiskException.NotPermitted, sources);
        StageFiles stage = Stage(disk);
        foreach (string source in sources)
        {
            Assert.NotEqual(FileTransfer.Linked, stage.TryBring(source, Path.GetFileName(source), TestContext.Current.CancellationToken));
            Assert.Equal(File.ReadAllBytes(source), File.ReadAllBytes($"{directory.Path}/copy/{Path.GetFileName(source)}"));
        }

        Assert.Equal(1, disk.Refusals);
    }

    /// Needs root, a loop device and a file system that shares blocks.
    [Fact]
    public void WhereBlocksCanBeSharedAFileThatCannotBeLinkedIsCloned()
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists("/usr/sbin/mkfs.xfs") || !File.ReadAllText("/proc/filesystems").Contains("\txfs\n", StringComparison.Ordinal))
        {
            Assert.Skip("no xfs can be mounted here");
        }

        string image = $"{directory.Path}/image", mount = $"{directory.Path}/mount";
        using (FileStream file = File.Create(image)) file.SetLength(400 << 20);
        Directory.CreateDirectory(mount);
        Run("/usr/sbin/mkfs.xfs", "-q", image);
        if (!TryRun("mount", "-o", "loop", image, mount)) Assert.Skip("no loop device can be mounted here");
        try
        {
            string source = $"{mount}/table";
            byte[] content = new byte[3 << 20];
            new Random(1).NextBytes(content);
            File.WriteAllBytes(source, content);
            Directory.CreateDirectory($"{mount}/copy");
            var stage = new StageFiles(new RefusingDisk(DiskException.TooManyLinks, source), TimeProvider.System, $"{mount}/copy", new CaptureOptions());
            Assert.Equal(FileTransfer.Cloned, stage.TryBring(source, "table", TestContext.Current.CancellationToken));
            Assert.Equal(content, File.ReadAllBytes($"{mount}/copy/table"));

            // What is written to the one is not seen in the other.
            using (FileStream changed = File.OpenWrite(source)) changed.Write(new byte[100]);
            Assert.Equal(content, File.ReadAllBytes($"{mount}/copy/table"));
        }
        finally
        {
            Run("umount", mount);
        }
    }

    private static void Run(string program, params string[] arguments) => Assert.True(TryRun(program, arguments), $"{program} {string.Join(' ', arguments)}");

    private static bool TryRun(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private StageFiles Stage(IDisk disk)
    {
        Directory.CreateDirectory($"{directory.Path}/copy");
        return new StageFiles(disk, TimeProvider.System, $"{directory.Path}/copy", new CaptureOptions());
    }

    private string Make(string name)
    {
        string path = $"{directory.Path}/{name}";
        File.WriteAllText(path, $"content of {name}");
        return path;
    }

    /// <summary>The real disk, where some files cannot be linked.</summary>
    private sealed class RefusingDisk(int errno, params string[] files) : PassingDisk(new HostDisk())
    {
        public int Refusals { get; private set; }

        public override bool TryLink(string existing, string path)
        {
            if (!files.Contains(existing)) return base.TryLink(existing, path);
            Refusals++;
            throw new DiskException("link", existing, errno);
        }
    }
}
