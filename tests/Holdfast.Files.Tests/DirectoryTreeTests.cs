using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Holdfast.Files.Local;

namespace Holdfast.Files.Tests;

[SupportedOSPlatform("linux")]
public sealed class DirectoryTreeTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly Caller caller = new() { Uid = 0, Gid = 0 };

    public void Dispose() => directory.Dispose();

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private async Task<Node> LookUp(DirectoryTree tree, NodeId parent, string name) =>
        (await tree.LookupAsync(caller, parent, Bytes(name))).Value;

    private async Task<Errno> AttributesError(DirectoryTree tree, NodeId node) =>
        (await tree.GetAttributesAsync(caller, node)).Error;

    [Fact]
    public unsafe void StructuresHaveTheKernelsSizes()
    {
        Assert.Equal(256, sizeof(Statx));
        Assert.Equal(16, sizeof(StatxTime));
        Assert.Equal(16, sizeof(TimeSpec));
        Assert.Equal(112, sizeof(StatVfs));
        Assert.Equal(120, sizeof(StatFs));
        Assert.Equal(16, sizeof(ResourceLimit));
        Assert.Equal(136, sizeof(FileHandle));
        Assert.Equal(DirectoryRecord.NameOffset, sizeof(DirectoryRecord));
        Assert.Equal(32, Marshal.OffsetOf<Statx>(nameof(Statx.Inode)).ToInt32());
        Assert.Equal(64, Marshal.OffsetOf<Statx>(nameof(Statx.AccessTime)).ToInt32());
        Assert.Equal(128, Marshal.OffsetOf<Statx>(nameof(Statx.DeviceMajor)).ToInt32());
        Assert.Equal(136, Marshal.OffsetOf<Statx>(nameof(Statx.FileSystemMajor)).ToInt32());
        Assert.Equal(8, Marshal.OffsetOf<FileHandle>(nameof(FileHandle.Bytes)).ToInt32());
    }

    [Theory]
    [InlineData("", Errno.NoEntry), InlineData("/absent-for-sure", Errno.NoEntry)]
    [InlineData("/dev/null", Errno.NotDirectory), InlineData("/tmp\0", Errno.Invalid)]
    public void WhatIsNoDirectoryIsNotOpened(string path, Errno expected) =>
        Assert.Equal(expected, DirectoryTree.TryOpen(Bytes(path)).Error);

    [Fact]
    public void APathWithAnEndlessNameIsNotOpened() =>
        Assert.Equal(Errno.NameTooLong, DirectoryTree.TryOpen(Bytes(new string('x', 5000))).Error);

    [Fact]
    public async Task TheRootsPathMayBeRelativeAndLeadThroughSymlinks()
    {
        Directory.CreateDirectory(directory["real"]);
        File.WriteAllText(directory["real/f"], "x");
        File.CreateSymbolicLink(directory["link"], "real");
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, directory["link"]);
        using DirectoryTree tree = DirectoryTree.TryOpen(Bytes(relative)).Value;
        Assert.Equal(1, (await LookUp(tree, tree.Root, "f")).Attributes.Size);
    }

    [Fact]
    public async Task ASymlinkInTheMiddleOfAPathDoesNotLeadOut()
    {
        using var outside = new TemporaryDirectory();
        File.WriteAllText(outside["secret"], "secret");
        using DirectoryTree tree = directory.OpenTree();
        await tree.CreateDirectoryAsync(caller, tree.Root, "d"u8.ToArray(), 0x1C0);
        Node before = await LookUp(tree, tree.Root, "d");

        // Others swap the directory for a link while it is referenced, and while it is not.
        Directory.Delete(directory["d"]);
        File.CreateSymbolicLink(directory["d"], outside.Path);
        Node link = await LookUp(tree, tree.Root, "d");

        Assert.Equal(NodeKind.Symlink, link.Attributes.Kind);
        Assert.Equal(Errno.NotDirectory, (await tree.LookupAsync(caller, link.Id, "secret"u8.ToArray())).Error);
        Assert.Equal(Errno.NotDirectory, (await tree.ScanAsync(caller, link.Id, new DirectoryScan())).Error);
        OpenRequest create = new(OpenAccess.Write, CreateMode.OpenOrCreate);
        Assert.Equal(Errno.NotDirectory, (await tree.OpenAtAsync(caller, link.Id, "new"u8.ToArray(), create)).Error);
        Assert.Equal(Errno.NoEntry, (await tree.OpenAtAsync(caller, before.Id, "new"u8.ToArray(), create)).Error);
        Assert.Equal(Errno.NotDirectory, (await tree.UnlinkAsync(caller, link.Id, "secret"u8.ToArray())).Error);
        Assert.Equal(["secret"], Directory.GetFiles(outside.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task ASymlinkIsNotFollowedWhenANodeIsOpenedAgain()
    {
        using var outside = new TemporaryDirectory();
        Directory.CreateDirectory(directory["a/b"]);
        Directory.CreateDirectory(outside["b"]);
        using DirectoryTree tree = directory.OpenTree(maxHeldNodes: 1);
        Node a = await LookUp(tree, tree.Root, "a"), b = await LookUp(tree, a.Id, "b");
        await LookUp(tree, tree.Root, "a");
        Directory.Move(directory["a"], directory["elsewhere"]);
        File.CreateSymbolicLink(directory["a"], outside.Path);
        await LookUp(tree, tree.Root, "a");
        Assert.Equal(Errno.Stale, await AttributesError(tree, b.Id));
        Assert.Equal(Errno.Stale, await AttributesError(tree, a.Id));
    }

    [Fact]
    public async Task DotDotOfADirectoryThatWasMovedOutDoesNotLeadOut()
    {
        using var outside = new TemporaryDirectory();
        Directory.CreateDirectory(directory["d/inner"]);
        using DirectoryTree tree = directory.OpenTree();
        Node d = await LookUp(tree, tree.Root, "d"), inner = await LookUp(tree, d.Id, "inner");
        Directory.Move(directory["d"], outside["d"]);
        Assert.Equal(Errno.Stale, (await tree.LookupAsync(caller, d.Id, ".."u8.ToArray())).Error);
        Assert.Equal(Errno.Stale, (await tree.LookupAsync(caller, inner.Id, ".."u8.ToArray())).Error);
    }

    [Fact]
    public async Task ATreeDeeperThanTheKernelsPathsIsMadeScannedAndOpened()
    {
        const int levels = 60;
        string name = new('n', 200);
        using DirectoryTree tree = directory.OpenTree(maxHeldNodes: 8);
        var chain = new List<NodeId> { tree.Root };
        for (int i = 0; i < levels; i++)
        {
            chain.Add((await tree.CreateDirectoryAsync(caller, chain[^1], Bytes(name), 0x1C0)).Value.Node.Id);
        }

        OpenRequest create = new(OpenAccess.Write, CreateMode.CreateNew);
        tree.Close((await tree.OpenAtAsync(caller, chain[^1], "deep"u8.ToArray(), create)).Value.File);
        var scan = new DirectoryScan();
        foreach (NodeId node in chain) Assert.Equal(1, (await tree.ScanAsync(caller, node, scan)).Value);
        Assert.Equal("deep"u8.ToArray(), scan.NameOf(0).ToArray());
        for (int i = 1; i < chain.Count; i++)
        {
            Assert.Equal(chain[i - 1], (await tree.LookupAsync(caller, chain[i], ".."u8.ToArray())).Value.Id);
        }

        string path = directory.Path + string.Concat(Enumerable.Repeat("/" + name, levels)) + "//";
        using DirectoryTree below = DirectoryTree.TryOpen(Bytes(path)).Value;
        Assert.Equal(1, (await below.ScanAsync(caller, below.Root, scan)).Value);
    }

    [Fact]
    public async Task MoreDirectoriesAreReferencedThanDescriptorsAreHeld()
    {
        const int count = 20_000, groups = 100;
        using var fast = TemporaryDirectory.Fast();
        using DirectoryTree tree = fast.OpenTree(maxHeldNodes: 500);
        var nodes = new NodeId[count];
        for (int i = 0; i < count; i++)
        {
            NodeId parent = i < groups ? tree.Root : nodes[i % groups];
            nodes[i] = (await tree.CreateDirectoryAsync(caller, parent, Bytes($"{i}"), 0x1C0)).Value.Node.Id;
        }

        Assert.Equal(count + 1, tree.Nodes.Count);
        Assert.Equal(500, tree.Nodes.ReopenableCount);
        var random = new Random(7);
        for (int i = 0; i < 2000; i++)
        {
            Assert.Equal(Errno.None, await AttributesError(tree, nodes[random.Next(count)]));
        }

        // Renaming a group moves what is below it: all of it is found at its new place.
        Result<TwoDirectoryMutation> renamed = await tree.RenameAsync(
            caller, tree.Root, "3"u8.ToArray(), nodes[5], "moved"u8.ToArray(), RenameMode.Replace);
        Assert.True(renamed.Ok);
        for (int i = 103; i < count; i += groups)
        {
            var mode = new AttributeChanges { Mode = 0x1FF };
            Assert.Equal(Errno.None, (await tree.SetAttributesAsync(caller, nodes[i], mode)).Error);
        }

        Assert.True(tree.Nodes.ReopenableCount <= 500);
        foreach (NodeId node in nodes) tree.Forget(node, 1);
        Assert.Equal(1, tree.Nodes.Count);
        Assert.Equal(0, tree.Nodes.ReopenableCount);
    }

    [Fact]
    public async Task ANodeThatLosesItsNameIsKeptHoweverFewDescriptorsAreHeld()
    {
        using DirectoryTree tree = directory.OpenTree(maxHeldNodes: 1);
        string[] files = ["unlinked", "replaced", "replacing", "first"];
        foreach (string name in files) File.WriteAllText(directory[name], name);
        Directory.CreateDirectory(directory["removed"]);
        Node unlinked = await LookUp(tree, tree.Root, "unlinked"), replaced = await LookUp(tree, tree.Root, "replaced");
        Node replacing = await LookUp(tree, tree.Root, "replacing"), removed = await LookUp(tree, tree.Root, "removed");
        Node linked = await LookUp(tree, tree.Root, "first");
        await tree.LinkAsync(caller, linked.Id, tree.Root, "second"u8.ToArray());

        await tree.UnlinkAsync(caller, tree.Root, "unlinked"u8.ToArray());
        await tree.RemoveDirectoryAsync(caller, tree.Root, "removed"u8.ToArray());
        await tree.RenameAsync(
            caller, tree.Root, "replacing"u8.ToArray(), tree.Root, "replaced"u8.ToArray(), RenameMode.Replace);
        await tree.UnlinkAsync(caller, tree.Root, "first"u8.ToArray());
        Node[] all = [unlinked, replaced, replacing, removed, linked];
        for (int round = 0; round < 2; round++)
        {
            foreach (Node node in all) Assert.Equal(Errno.None, await AttributesError(tree, node.Id));
        }

        Assert.Equal(linked.Id, (await LookUp(tree, tree.Root, "second")).Id);
        foreach (Node node in all) tree.Forget(node.Id, 1);
        tree.Forget(linked.Id, 1);
        Assert.Equal(1, tree.Nodes.Count);
    }

    [Fact]
    public async Task ANodeThatOthersReplacedIsStaleOnceItsDescriptorWasGivenUp()
    {
        using DirectoryTree tree = directory.OpenTree(maxHeldNodes: 1);
        File.WriteAllText(directory["f"], "old");
        Node old = await LookUp(tree, tree.Root, "f");
        File.WriteAllText(directory["other"], "");
        await LookUp(tree, tree.Root, "other");

        // One of the new files is likely to get the old one's inode number: its time of birth tells.
        File.Delete(directory["f"]);
        await Task.Delay(20);
        for (int i = 0; i < 100; i++) File.WriteAllText(directory[$"new {i}"], "new");
        var scan = new DirectoryScan();
        await tree.ScanAsync(caller, tree.Root, scan);
        string successor = "new 0";
        for (int i = 0; i < scan.Count; i++)
        {
            if (scan.AttributesOf(i).Inode != old.Attributes.Inode) continue;
            successor = Encoding.UTF8.GetString(scan.NameOf(i).Span);
        }

        Assert.Equal(0, Rename(directory[successor], directory["f"]));

        Assert.Equal(Errno.Stale, await AttributesError(tree, old.Id));
        Assert.NotEqual(old.Id, (await LookUp(tree, tree.Root, "f")).Id);
        tree.Forget(old.Id, 1);
        Assert.Equal(3, (await LookUp(tree, tree.Root, "f")).Attributes.Size);
    }

    [Fact]
    public async Task ANodeStaysTheSameWhenOthersRenameOrRemoveIt()
    {
        using DirectoryTree tree = directory.OpenTree();
        File.WriteAllText(directory["renamed"], "content");
        File.WriteAllText(directory["removed"], "content");
        Node renamed = await LookUp(tree, tree.Root, "renamed"), removed = await LookUp(tree, tree.Root, "removed");
        File.Copy(directory["renamed"], directory["copy"]);
        Assert.Equal(0, Rename(directory["copy"], directory["renamed"]));
        File.Delete(directory["removed"]);
        Assert.Equal(0u, (await tree.GetAttributesAsync(caller, renamed.Id)).Value.LinkCount);
        OpenId file = (await tree.OpenAsync(caller, removed.Id, OpenAccess.Read)).Value;
        Assert.Equal(7, (await tree.ReadAsync(caller, file, 0, new byte[10])).Value);
        Assert.NotEqual(renamed.Id, (await LookUp(tree, tree.Root, "renamed")).Id);
    }

    private static unsafe int Rename(string from, string to)
    {
        fixed (byte* source = Bytes(from + "\0"), target = Bytes(to + "\0"))
        {
            return LibC.RenameAt(At.CurrentDirectory, source, At.CurrentDirectory, target, 0);
        }
    }

    [Fact]
    public async Task DirectoriesThatOthersTurnAroundDoNotMakeARing()
    {
        Directory.CreateDirectory(directory["a/b"]);
        using DirectoryTree tree = directory.OpenTree(maxHeldNodes: 1);
        Node a = await LookUp(tree, tree.Root, "a"), b = await LookUp(tree, a.Id, "b");
        Directory.Move(directory["a/b"], directory["b"]);
        Directory.Move(directory["a"], directory["b/a"]);

        // As far as the tree knows, b still lies in a.
        Node below = await LookUp(tree, b.Id, "a");
        Assert.Equal(a.Id, below.Id);
        Assert.Equal(Errno.None, await AttributesError(tree, a.Id));
        Assert.Equal(Errno.None, await AttributesError(tree, b.Id));
        Assert.Equal(b.Id, (await LookUp(tree, tree.Root, "b")).Id);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(Errno.None, await AttributesError(tree, a.Id));
            Assert.Equal(Errno.None, await AttributesError(tree, b.Id));
        }

        tree.Forget(a.Id, 2);
        tree.Forget(b.Id, 2);
        Assert.Equal(1, tree.Nodes.Count);
    }

    [Fact]
    public async Task AProgramThatWasWrittenCanBeRunWhileItsNodeIsReferenced()
    {
        using DirectoryTree tree = directory.OpenTree();
        OpenRequest create = new(OpenAccess.Write, CreateMode.CreateNew, 0x1C0);
        OpenedNode program = (await tree.OpenAtAsync(caller, tree.Root, "run"u8.ToArray(), create)).Value;
        await tree.WriteAsync(caller, program.File, 0, File.ReadAllBytes("/bin/true"), Stability.Unstable);
        tree.Close(program.File);
        using System.Diagnostics.Process run = await StartAsync(directory["run"]);
        await run.WaitForExitAsync();
        Assert.Equal(0, run.ExitCode);
    }

    // Another test may just be starting a process: until that has run its program it has our descriptors, too.
    private static async Task<System.Diagnostics.Process> StartAsync(string program)
    {
        const int textFileBusy = 26;
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return System.Diagnostics.Process.Start(program);
            }
            catch (System.ComponentModel.Win32Exception busy) when (busy.NativeErrorCode == textFileBusy
                && System.Diagnostics.Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10))
            {
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task DescriptorsAreGivenBack()
    {
        int before = CountDescriptors();
        using (DirectoryTree tree = directory.OpenTree())
        {
            for (int i = 0; i < 50; i++)
            {
                OpenRequest create = new(OpenAccess.Write, CreateMode.CreateNew);
                OpenedNode made = (await tree.OpenAtAsync(caller, tree.Root, Bytes($"{i}"), create)).Value;
                if (i % 2 == 0) tree.Close(made.File);
                if (i % 3 == 0) tree.Forget(made.Node.Id, 1);
                if (i % 5 == 0) await LookUp(tree, tree.Root, "..");
            }

            Assert.True(CountDescriptors() > before + 20);
        }

        Assert.InRange(CountDescriptors(), 0, before + 5);
    }

    [Fact]
    public async Task AClosedTreeIsNotUsed()
    {
        DirectoryTree tree = directory.OpenTree();
        tree.Dispose();
        tree.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await tree.GetAttributesAsync(caller, tree.Root));
    }

    private int CountDescriptors()
    {
        int count = 0;
        foreach (string link in Directory.GetFiles("/proc/self/fd"))
        {
            try
            {
                string? target = File.ResolveLinkTarget(link, false)?.FullName;
                if (target?.StartsWith(directory.Path, StringComparison.Ordinal) == true) count++;
            }
            catch (FileNotFoundException)
            {
                // Another test has closed it meanwhile.
            }
        }

        return count;
    }

    [Fact]
    public async Task AccessTimesStayWhenAskedTo()
    {
        File.WriteAllText(directory["f"], "content");
        var old = new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        File.SetLastAccessTimeUtc(directory["f"], old);
        using DirectoryTree tree = directory.OpenTree();
        OpenRequest reading = new(OpenAccess.Read | OpenAccess.KeepAccessTime);
        OpenedNode opened = (await tree.OpenAtAsync(caller, tree.Root, "f"u8.ToArray(), reading)).Value;
        await tree.ReadAsync(caller, opened.File, 0, new byte[100]);
        Assert.Equal(old, File.GetLastAccessTimeUtc(directory["f"]));
    }

    [Fact]
    public async Task OpeningAFifoDoesNotHang()
    {
        using DirectoryTree tree = directory.OpenTree();
        await tree.CreateSpecialAsync(caller, tree.Root, "fifo"u8.ToArray(), NodeKind.Fifo, 0x1B6, 0, 0);
        Task<Errno> open = Task.Run(async () =>
            (await tree.OpenAtAsync(caller, tree.Root, "fifo"u8.ToArray(), new OpenRequest(OpenAccess.Read))).Error);
        Assert.Equal(Errno.Invalid, await open.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task AScanMatchesWhatOthersSee()
    {
        File.WriteAllText(directory["file"], "12345");
        DateTime old = new DateTime(1999, 9, 9, 9, 9, 9, DateTimeKind.Utc).AddTicks(1234567);
        File.SetLastWriteTimeUtc(directory["file"], old);
        File.SetUnixFileMode(directory["file"], (UnixFileMode)0x1A5);
        Directory.CreateDirectory(directory["directory"]);
        File.CreateSymbolicLink(directory["link"], "file");
        using DirectoryTree tree = directory.OpenTree();
        var scan = new DirectoryScan();
        await tree.ScanAsync(caller, tree.Root, scan);
        scan.SortByName();
        var start = new System.Diagnostics.ProcessStartInfo("stat") { RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("%n %F %s %h %u %g %i %d %b %.9Y %.9Z");
        foreach (string name in new[] { "directory", "file", "link" }) start.ArgumentList.Add(directory[name]);
        using System.Diagnostics.Process stat = System.Diagnostics.Process.Start(start)!;
        string[] lines = (await stat.StandardOutput.ReadToEndAsync()).TrimEnd().Split('\n');
        Assert.Equal(3, scan.Count);
        for (int i = 0; i < 3; i++) Assert.Equal(lines[i], Describe(scan, i));
        Assert.Equal(old, scan.AttributesOf(1).ModifyTime.ToDateTimeOffset().UtcDateTime);
        Assert.Equal((uint)File.GetUnixFileMode(directory["file"]), scan.AttributesOf(1).Mode);
    }

    private string Describe(DirectoryScan scan, int index)
    {
        NodeAttributes a = scan.AttributesOf(index);
        string kind = a.Kind switch
        {
            NodeKind.Directory => "directory",
            NodeKind.Symlink => "symbolic link",
            _ => "regular file",
        };
        string name = directory[Encoding.UTF8.GetString(scan.NameOf(index).Span)];
        return $"{name} {kind} {a.Size} {a.LinkCount} {a.Uid} {a.Gid} {a.Inode} {a.Device} {a.AllocatedBytes / 512} "
            + $"{a.ModifyTime.Seconds}.{a.ModifyTime.Nanoseconds:D9} "
            + $"{a.ChangeTime.Seconds}.{a.ChangeTime.Nanoseconds:D9}";
    }
}
