using System.Globalization;
using System.Text;
using Holdfast.Files;
using Xunit;

namespace Holdfast.Testing;

public abstract partial class FileTreeContract
{
    [Fact]
    public async Task AnEmptyDirectoryHasNoEntries()
    {
        var page = new List<DirectoryEntry>();
        Assert.False((await Tree.ListAsync(Caller, Tree.Root, 0, page, 10)).Value);
        Assert.Empty(page);
        Assert.Empty(await Names(Tree.Root));
    }

    [Fact]
    public async Task ABigDirectoryIsScannedWholeWithAttributes()
    {
        const int count = 10_000;
        Node directory = await MakeDirectory(Tree.Root, "big");
        for (int i = 0; i < count; i++)
        {
            CreatedNode made = (await Tree.CreateSymlinkAsync(
                Caller, directory.Id, Bytes($"entry {i:D5}"), Bytes(new string('t', 1 + (i % 50))))).Value;
            Tree.Forget(made.Node.Id, 1);
        }

        var scan = new DirectoryScan();
        Assert.Equal(count, (await Tree.ScanAsync(Caller, directory.Id, scan)).Value);
        scan.SortByName();
        for (int i = 0; i < count; i++)
        {
            Assert.Equal($"entry {i:D5}", Encoding.UTF8.GetString(scan.NameOf(i).Span));
            Assert.Equal((NodeKind.Symlink, 1L + (i % 50)), (scan.AttributesOf(i).Kind, scan.AttributesOf(i).Size));
            Assert.Equal(Errno.None, scan.ErrorOf(i));
        }

        Assert.Equal(count, (await ListAll(directory.Id, 100)).Distinct().Count());
        Assert.Equal(1, (await Tree.ScanAsync(Caller, Tree.Root, scan)).Value);
        Assert.Equal(1, scan.Count);
    }

    [Fact]
    public async Task AScanTellsTheAttributesThatALookupTells()
    {
        await MakeFile(Tree.Root, "file", "content");
        await MakeDirectory(Tree.Root, "directory");
        await MakeSymlink(Tree.Root, "symlink", "file");
        await Tree.CreateSpecialAsync(Caller, Tree.Root, Bytes("fifo"), NodeKind.Fifo, 0x180, 0, 0);
        var scan = new DirectoryScan();
        Assert.Equal(4, (await Tree.ScanAsync(Caller, Tree.Root, scan)).Value);
        for (int i = 0; i < scan.Count; i++)
        {
            Node node = (await Tree.LookupAsync(Caller, Tree.Root, scan.NameOf(i))).Value;
            Assert.Equal(node.Attributes, scan.AttributesOf(i));
        }
    }

    [Fact]
    public async Task EntriesTellKindAndInode()
    {
        Node file = await MakeFile(Tree.Root, "file");
        var page = new List<DirectoryEntry>();
        await Tree.ListAsync(Caller, Tree.Root, 0, page, 10);
        DirectoryEntry entry = Assert.Single(page);
        Assert.Equal("file", Encoding.UTF8.GetString(entry.Name.Span));
        Assert.Equal(file.Attributes.Inode, entry.Inode);
        Assert.True(entry.Kind is NodeKind.Regular or NodeKind.None);
        Assert.NotEqual(0u, entry.Cookie);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(7), InlineData(1000)]
    public async Task PagesTogetherAreTheDirectoryInAnOrderThatStays(int pageEntries)
    {
        for (int i = 0; i < 30; i++) await MakeSymlink(Tree.Root, $"{i}", "t");

        List<string> first = await ListAll(Tree.Root, pageEntries), second = await ListAll(Tree.Root, 3);

        Assert.Equal(first, second);
        Assert.Equal(30, first.Distinct().Count());
    }

    [Fact]
    public async Task CookiesStayValidWhileEntriesAreRemoved()
    {
        const int count = 500;
        for (int i = 0; i < count; i++) await MakeSymlink(Tree.Root, $"{i}", "t");
        List<string> order = await ListAll(Tree.Root, count);

        // Removes each entry as soon as it has been listed, and some that have not.
        var seen = new List<string>();
        var removedAhead = new HashSet<string>();
        ulong cookie = 0;
        bool more = true;
        while (more)
        {
            var page = new List<DirectoryEntry>();
            more = (await Tree.ListAsync(Caller, Tree.Root, cookie, page, 20)).Value;
            foreach (DirectoryEntry entry in page)
            {
                seen.Add(Encoding.UTF8.GetString(entry.Name.Span));
                cookie = entry.Cookie;
                Assert.True((await Tree.UnlinkAsync(Caller, Tree.Root, entry.Name)).Ok);
            }

            int aheadIndex = order.IndexOf(seen[^1]) + 25;
            if (aheadIndex >= count) continue;
            string ahead = order[aheadIndex];
            if (removedAhead.Add(ahead)) Assert.True((await Tree.UnlinkAsync(Caller, Tree.Root, Bytes(ahead))).Ok);
        }

        Assert.Equal(order.Where(name => !removedAhead.Contains(name)), seen);
        Assert.Empty(await Names(Tree.Root));
    }

    [Fact]
    public async Task AListNeedsRoomForAnEntry() =>
        Assert.Equal(Errno.Invalid, (await Tree.ListAsync(Caller, Tree.Root, 0, [], 0)).Error);

    [Fact]
    public async Task ADirectoryIsCommitted()
    {
        await MakeFile(Tree.Root, "f");
        Assert.True((await Tree.CommitDirectoryAsync(Caller, Tree.Root)).Value.IsDirectory);
    }

    [Fact]
    public async Task AWaitIsStoppedAndSoIsAScan()
    {
        Caller cancelled = Caller with { Cancellation = new CancellationToken(canceled: true) };
        Assert.Equal(Errno.Interrupted, (await Tree.ScanAsync(cancelled, Tree.Root, new DirectoryScan())).Error);
    }

    [Fact]
    public async Task ManyWorkersUseOneTree()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            string name = worker.ToString(CultureInfo.InvariantCulture);
            for (int round = 0; round < 30; round++)
            {
                Node directory = await MakeDirectory(Tree.Root, name);
                Node file = await MakeFile(directory.Id, "f", name);
                Assert.Equal(name, await Content(file.Id));
                Node again = await LookUp(Tree.Root, name);
                Assert.Equal(directory.Id, again.Id);
                Assert.Equal(["f"], await Names(again.Id));
                Tree.Forget(file.Id, 1);
                Assert.True((await Tree.UnlinkAsync(Caller, directory.Id, Bytes("f"))).Ok);
                Assert.True((await Tree.RemoveDirectoryAsync(Caller, Tree.Root, Bytes(name))).Ok);
                Tree.Forget(directory.Id, 2);
            }
        })));
        Assert.Empty(await Names(Tree.Root));
    }

    private async Task<List<string>> ListAll(NodeId directory, int pageEntries)
    {
        var names = new List<string>();
        ulong cookie = 0;
        while (true)
        {
            var page = new List<DirectoryEntry>();
            bool more = (await Tree.ListAsync(Caller, directory, cookie, page, pageEntries)).Value;
            Assert.True(page.Count <= pageEntries);
            foreach (DirectoryEntry entry in page) names.Add(Encoding.UTF8.GetString(entry.Name.Span));
            if (!more) return names;
            if (page.Count > 0) cookie = page[^1].Cookie;
        }
    }
}
