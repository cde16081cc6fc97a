using Holdfast.Files;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Faults;

/// <summary>A source that changes while it is read.</summary>
public sealed class SourceFaultTests : IDisposable
{
    private readonly FaultWorld world = new();
    private readonly MemoryObjectStore store = new();
    private readonly List<ItemNotice> notices = [];
    private readonly SimulatedClock clock = new(DateTimeOffset.UnixEpoch.AddYears(200));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task AFileThatVanishesBeforeItIsReadIsLeftOutAndTold()
    {
        (string path, DirectoryTree tree) = world.Source("s", ("a", [1]), ("b", [2]), ("c", [3]));
        var source = new InterceptedTree(tree) { BeforeOpen = name => DeleteIf(name == "b", Path.Combine(path, name)) };

        (BackupSummary summary, SortedDictionary<string, byte[]> files) = await BackupAsync(source);

        Assert.Equal(["a", "c"], files.Keys);
        Assert.Equal(1, summary.Counts.Errors);
        Assert.Contains("vanished", Assert.Single(notices).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(300_000)]
    [InlineData(10)]
    public async Task AFileThatGrowsIsKeptAsLongAsItWasAndReadAgain(int bytes)
    {
        byte[] content = TestKeys.Content(bytes);
        (string path, DirectoryTree tree) = world.Source("s", ("a", content));
        var source = new InterceptedTree(tree);
        source.BeforeRead = _ =>
        {
            source.BeforeRead = null;
            File.AppendAllText(Path.Combine(path, "a"), "more");
        };

        (BackupSummary summary, SortedDictionary<string, byte[]> files) = await BackupAsync(source);
        Assert.Equal(content, files["a"]);
        Assert.Equal(1, summary.Counts.Errors);

        (summary, files) = await BackupAsync(source);
        Assert.Equal([.. content, .. "more"u8], files["a"]);
        Assert.Equal(bytes + 4, summary.Counts.BytesRead);
        (summary, _) = await BackupAsync(source);
        Assert.Equal(0, summary.Counts.BytesRead);
    }

    [Fact]
    public async Task AFileThatShrinksIsKeptAsItWasRead()
    {
        byte[] content = TestKeys.Content(3 << 20);
        (string path, DirectoryTree tree) = world.Source("s", ("a", content));
        var source = new InterceptedTree(tree)
        {
            BeforeRead = offset =>
            {
                if (offset == 0) return;
                using FileStream file = File.OpenWrite(Path.Combine(path, "a"));
                file.SetLength(2 << 20);
            },
        };

        (BackupSummary summary, SortedDictionary<string, byte[]> files) = await BackupAsync(source);

        Assert.Equal(content[..(2 << 20)], files["a"]);
        Assert.Equal(1, summary.Counts.Errors);
        Assert.Contains("changed while it was read", Assert.Single(notices).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASparseFileThatIsCutOffAndGrowsAgainKeepsItsOffsets()
    {
        const int part = 1 << 20;
        byte[] content = TestKeys.Content(part);
        (string path, DirectoryTree tree) = world.Source("s");
        string file = Path.Combine(path, "a");
        using (FileStream stream = File.Create(file))
        {
            stream.Write(content);
            stream.Position = 4 * part;
            stream.Write(content);
        }

        var source = new InterceptedTree(tree);
        source.BeforeRead = _ =>
        {
            source.BeforeRead = null;
            using FileStream stream = File.OpenWrite(file);
            stream.SetLength(part / 2);
            stream.SetLength(5 * part);
            stream.Position = 4 * part;
            stream.Write(content);
        };

        (BackupSummary summary, SortedDictionary<string, byte[]> files) = await BackupAsync(source);

        // Wherever it ends, no byte stands where it never stood.
        byte[] kept = files["a"];
        byte[] now = File.ReadAllBytes(file);
        Assert.True(kept.AsSpan().SequenceEqual(now.AsSpan(0, kept.Length)));
        Assert.Equal(1, summary.Counts.Errors);
    }

    [Fact]
    public async Task HolesAreKeptAndOnlyDataIsRead()
    {
        const int part = 1 << 20;
        (string path, DirectoryTree tree) = world.Source("s");
        using (FileStream stream = File.Create(Path.Combine(path, "a")))
        {
            stream.Position = 8 * part;
            stream.Write(TestKeys.Content(part));
            stream.SetLength(64 * part);
        }

        (BackupSummary summary, SortedDictionary<string, byte[]> files) = await BackupAsync(tree);

        Assert.True(files["a"].AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(path, "a"))));
        Assert.InRange(summary.Counts.BytesRead, part, 2 * part);
    }

    [Fact]
    public async Task AFileWrittenWithinOneTickOfTheClockIsReadAgain()
    {
        (string path, DirectoryTree tree) = world.Source("s", ("a", [1, 2, 3]));
        UnixTime tick = default;
        // As on a file system whose clock stands still meanwhile: neither size nor times tell of the change.
        var source = new InterceptedTree(tree)
        {
            Attributes = attributes => attributes with { ModifyTime = tick, ChangeTime = tick },
            AfterScan = scan => Rewrite(scan, attributes => attributes with { ModifyTime = tick, ChangeTime = tick }),
        };
        // The second that passes before the backup begins.
        tick = UnixTime.From(clock.GetUtcNow().AddSeconds(1));
        source.BeforeRead = _ =>
        {
            source.BeforeRead = null;
            // Read slowly: when it is done, the tick lies far back.
            clock.Advance(TimeSpan.FromSeconds(5));
        };

        (_, SortedDictionary<string, byte[]> files) = await BackupAsync(source);
        Assert.Equal([1, 2, 3], files["a"]);
        File.WriteAllBytes(Path.Combine(path, "a"), [4, 5, 6]);
        (BackupSummary summary, files) = await BackupAsync(source);

        Assert.Equal([4, 5, 6], files["a"]);
        // Now the ctime lies far enough before the reading to be trusted.
        Assert.Equal(1, summary.Counts.FilesChanged);
        (summary, _) = await BackupAsync(source);
        Assert.Equal(0, summary.Counts.BytesRead);
    }

    [Fact]
    public async Task ANameThatAListingShowsTwiceIsTakenOnce()
    {
        (_, DirectoryTree tree) = world.Source("s", ("a", [1]), ("b", [2]));
        var source = new InterceptedTree(tree)
        {
            AfterScan = scan =>
            {
                for (int i = scan.Count - 1; i >= 0; i--) scan.Add(scan.NameOf(i).ToArray(), scan.AttributesOf(i));
            },
        };

        (BackupSummary summary, SortedDictionary<string, byte[]> files) = await BackupAsync(source);

        Assert.Equal(["a", "b"], files.Keys);
        Assert.Equal(2, summary.Counts.Files);
    }

    [Fact]
    public async Task NamesAndTimesThatThereCannotBeAreToldAndDoNotSpoilTheirDirectory()
    {
        (_, DirectoryTree tree) = world.Source("s", ("a", [1]));
        var source = new InterceptedTree(tree)
        {
            AfterScan = scan =>
            {
                NodeAttributes attributes = scan.AttributesOf(0);
                scan.Add(".."u8, attributes);
                scan.Add("x/y"u8, attributes);
                scan.Add(new byte[1024], attributes);
                scan.Add("time"u8, attributes with { ModifyTime = new UnixTime(0, 1_000_000_000) });
                scan.Add("mode"u8, attributes with { Mode = 0x8000 });
                scan.Add("denied"u8, attributes, Errno.NotPermitted);
            },
        };

        (BackupSummary summary, SortedDictionary<string, byte[]> files) = await BackupAsync(source);

        Assert.Equal(["a"], files.Keys);
        Assert.Equal(6, summary.Counts.Errors);
    }

    [Fact]
    public async Task NamesOfOneFileShareItsContentAndAreReadOnce()
    {
        byte[] content = TestKeys.Content(200_000);
        (string path, DirectoryTree tree) = world.Source("s", ("a", content), ("d/other", [1]));
        Link(Path.Combine(path, "a"), Path.Combine(path, "d/b"));
        Link(Path.Combine(path, "a"), Path.Combine(path, "z"));

        (BackupSummary summary, SortedDictionary<string, byte[]> files) = await BackupAsync(tree);

        Assert.Equal(["a", "d/b", "d/other", "z"], files.Keys);
        Assert.Equal(content, files["d/b"]);
        Assert.Equal(content, files["z"]);
        Assert.Equal(200_001, summary.Counts.BytesRead);
    }

    [Fact]
    public async Task MoreFilesThanTheChannelsHoldComeThroughInOrder()
    {
        (string path, DirectoryTree tree) = world.Source("s");
        for (int i = 0; i < 9000; i++) File.WriteAllBytes(Path.Combine(path, $"f{i:d5}"), [(byte)i]);
        var source = new InterceptedTree(tree);
        int opened = 0;
        source.BeforeOpen = _ => opened++;

        (BackupSummary summary, SortedDictionary<string, byte[]> files) = await BackupAsync(source);

        Assert.Equal(9000, summary.Counts.Files);
        Assert.Equal(9000, opened);
        Assert.Equal(9000, files.Count);
        Assert.All(files, file => Assert.Equal((byte)int.Parse(file.Key.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture), file.Value[0]));
    }

    [Fact]
    public async Task AManyPartedFileGoesThroughChunkListsAndComesBack()
    {
        const int parts = 1500, step = 64 << 10;
        (string path, DirectoryTree tree) = world.Source("s");
        byte[] content = TestKeys.Content(parts * 40);
        using (FileStream stream = File.Create(Path.Combine(path, "a")))
        {
            for (int i = 0; i < parts; i++)
            {
                stream.Position = (long)i * step;
                stream.Write(content.AsSpan(i * 40, 40));
            }
        }

        (BackupSummary summary, SortedDictionary<string, byte[]> files) = await BackupAsync(tree);
        Assert.True(files["a"].AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(path, "a"))));
        (summary, _) = await BackupAsync(tree);

        Assert.Equal((0L, 0L), (summary.Counts.BytesRead, summary.Counts.BytesAdded));
    }

    [Fact]
    public async Task ASourceThatThrowsEndsTheBackupAndLeavesNoPoint()
    {
        (_, DirectoryTree tree) = world.Source("s", ("a", [1]), ("b", [2]));
        await FaultWorld.InitAsync(store);
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1);
        var source = new InterceptedTree(tree) { BeforeOpen = name => ThrowIf(name == "b") };

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => FaultWorld.BackupAsync(vault, source, Token));

        Assert.Empty(await RestorePoints.ListAsync(vault, Token));
    }

    [Fact]
    public async Task RootsOutOfOrderAreTheCallersMistake()
    {
        (_, DirectoryTree tree) = world.Source("s", ("a", [1]));
        await FaultWorld.InitAsync(store);
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1);
        BackupRoot b = new("/b"u8.ToArray(), tree, default), a = new("/a"u8.ToArray(), tree, default), bad = new("a"u8.ToArray(), tree, default);

        foreach (BackupRoot[] roots in (BackupRoot[][])[[b, a], [a, a], [bad]])
        {
            await Assert.ThrowsAsync<ArgumentException>(() => BackupRun.RunAsync(vault, FaultWorld.Request(tree) with { Roots = roots }, Token));
        }
    }

    private async Task<(BackupSummary Summary, SortedDictionary<string, byte[]> Files)> BackupAsync(IFileTree tree)
    {
        notices.Clear();
        // Long after whatever the source's files say: only the test that is about it comes close.
        clock.Advance(TimeSpan.FromSeconds(1));
        await FaultWorld.InitAsync(store);
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1 + store.Names.Length, clock);
        BackupSummary summary = await BackupRun.RunAsync(vault, FaultWorld.Request(tree) with { OnNotice = notices.Add }, Token);
        RestorePoint point = (await RestorePoints.ListAsync(vault, Token)).Single(candidate => candidate.Id == summary.Point);
        SortedDictionary<string, byte[]> files = await FaultWorld.ReadAsync(vault, point);
        Assert.Empty(vault.Damages);
        return (summary, files);
    }

    private static void Rewrite(DirectoryScan scan, Func<NodeAttributes, NodeAttributes> change)
    {
        (byte[] Name, NodeAttributes Attributes)[] entries =
            [.. Enumerable.Range(0, scan.Count).Select(i => (scan.NameOf(i).ToArray(), change(scan.AttributesOf(i))))];
        scan.Clear();
        foreach ((byte[] name, NodeAttributes attributes) in entries) scan.Add(name, attributes);
    }

    private static void Link(string existing, string name)
    {
        using PosixDirectory from = PosixDirectory.Open(System.Text.Encoding.UTF8.GetBytes(Path.GetDirectoryName(existing)!));
        using PosixDirectory to = PosixDirectory.Open(System.Text.Encoding.UTF8.GetBytes(Path.GetDirectoryName(name)!));
        to.Link(System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(name)), from, System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(existing)));
    }

    private static void DeleteIf(bool condition, string path)
    {
        if (condition) File.Delete(path);
    }

    private static void ThrowIf(bool condition)
    {
        if (condition) throw new InvalidTimeZoneException("thrown by the source");
    }
}
