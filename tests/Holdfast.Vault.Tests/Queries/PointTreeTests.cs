using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Queries;

public sealed class PointTreeTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AListHasEveryEntryWithItsAttributesAndEveryFileItsContent()
    {
        TreeGenerator.Create(fixture.Source, seed: 7, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        RestorePoint point = await fixture.PointAsync(vault, await fixture.BackupAsync(vault));
        TreeSnapshot snapshot = TreeSnapshot.Take(fixture.Source);

        List<PointEntry> listed = await PointTree.ListAsync(vault, point, default, recursive: true, Cancel).ToListAsync(Cancel);

        string[] expected = [.. snapshot.Entries.Where(pair => pair.Key.Length > 0 && pair.Value.Kind != NodeKind.Socket).Select(pair => pair.Key)];
        Assert.Equal(expected.Order(StringComparer.Ordinal), listed.Select(entry => BytePath.Display(entry.Path.Span)).Order(StringComparer.Ordinal));
        foreach (PointEntry entry in listed)
        {
            TreeEntry real = snapshot.Entries[BytePath.Display(entry.Path.Span)];
            Assert.Equal((real.Kind, real.Mode, real.Uid, real.Gid, real.ModificationTime), (entry.Kind, entry.Mode, entry.Uid, entry.Gid, entry.ModifyTime));
            PointEntry single = await PointTree.GetAsync(vault, point, entry.Path, Cancel);
            Assert.Equal((Show(entry), entry.Inode, entry.ToString()), (Show(single), single.Inode, single.ToString()));
            Assert.Equal(entry.Kind == NodeKind.Symlink ? real.Target : null, entry.Target?.ToArray());
            if (entry.Kind != NodeKind.Regular) continue;
            Assert.Equal(real.Size, entry.Size);
            if (entry.Size > 100 << 20) continue;
            using var content = new MemoryStream();
            Assert.Equal(entry.Size, await PointTree.CopyContentAsync(vault, point, entry.Path, content, Cancel));
            using PosixDirectory source = PosixDirectory.Open(Encoding.UTF8.GetBytes(fixture.Source));
            byte[] name = BytePath.FileName(entry.Path.Span).ToArray();
            using PosixDirectory holder = source.OpenBelow(entry.Path.Span[..^name.Length]);
            using PosixFile file = holder.OpenToRead(name);
            byte[] bytes = new byte[entry.Size];
            file.Read(bytes, 0);
            Assert.True(bytes.AsSpan().SequenceEqual(content.ToArray()), BytePath.Display(entry.Path.Span));
        }
    }

    [Fact]
    public async Task PathsAreRelativeToTheOnlyRootAndDotsAreResolved()
    {
        Directory.CreateDirectory(Path.Combine(fixture.Source, "a/b"));
        await File.WriteAllTextAsync(Path.Combine(fixture.Source, "a/b/c"), "content", Cancel);
        using OpenVault vault = await fixture.InitAsync();
        RestorePoint point = await fixture.PointAsync(vault, await fixture.BackupAsync(vault));

        foreach (string path in new[] { "a/b/c", "/a/b/c", "./a//b/./c", "a/x/../b/c", $"{fixture.Source}/a/b/c" })
        {
            Assert.Equal("a/b/c", Show(await PointTree.GetAsync(vault, point, Bytes(path), Cancel)));
            Assert.Equal(["a/b/c"], await ListAsync(vault, point, path));
        }

        foreach (string path in new[] { "", "/", ".", fixture.Source })
        {
            Assert.Equal(["a"], await ListAsync(vault, point, path));
            Assert.Equal("", Show(await PointTree.GetAsync(vault, point, Bytes(path), Cancel)));
        }

        Assert.Equal(["a", "a/b", "a/b/c"], await ListAsync(vault, point, "", recursive: true));
        Assert.Equal(["a/b", "a/b/c"], await ListAsync(vault, point, "a", recursive: true));
    }

    [Theory, InlineData("nothing"), InlineData("a/nothing"), InlineData("a/b/c/d"), InlineData("link/c")]
    public async Task WhatIsNotInThePointIsAUsageError(string path)
    {
        Directory.CreateDirectory(Path.Combine(fixture.Source, "a/b"));
        await File.WriteAllTextAsync(Path.Combine(fixture.Source, "a/b/c"), "content", Cancel);
        File.CreateSymbolicLink(Path.Combine(fixture.Source, "link"), "a/b");
        using OpenVault vault = await fixture.InitAsync();
        RestorePoint point = await fixture.PointAsync(vault, await fixture.BackupAsync(vault));

        HoldfastException error = await Assert.ThrowsAsync<HoldfastException>(() => PointTree.GetAsync(vault, point, Bytes(path), Cancel));

        Assert.Equal(ErrorKind.Usage, error.Kind);
        Assert.Equal($"{path}: not in restore point {point.Id.ToShortString()}", error.Message);
    }

    [Fact]
    public async Task OnlyRegularFilesHaveContentToShow()
    {
        Directory.CreateDirectory(Path.Combine(fixture.Source, "a"));
        File.CreateSymbolicLink(Path.Combine(fixture.Source, "link"), "a/b");
        using OpenVault vault = await fixture.InitAsync();
        RestorePoint point = await fixture.PointAsync(vault, await fixture.BackupAsync(vault));

        Assert.Equal("a: is a directory", await RefusalAsync("a"));
        Assert.Equal("/: is a directory", await RefusalAsync(""));
        Assert.Equal("link: is a symlink to a/b", await RefusalAsync("link"));

        async Task<string> RefusalAsync(string path)
        {
            HoldfastException error = await Assert.ThrowsAsync<HoldfastException>(
                () => PointTree.CopyContentAsync(vault, point, Bytes(path), Stream.Null, Cancel));
            Assert.Equal(ErrorKind.Usage, error.Kind);
            return error.Message;
        }
    }

    [Fact]
    public async Task APointOfSeveralRootsIsAddressedByAbsolutePaths()
    {
        string one = Path.Combine(fixture.Source, "x/one"), two = Path.Combine(fixture.Source, "x/two"), file = Path.Combine(fixture.Source, "file");
        Directory.CreateDirectory(one);
        Directory.CreateDirectory(two);
        await File.WriteAllTextAsync(Path.Combine(two, "c"), "content", Cancel);
        await File.WriteAllTextAsync(file, "content", Cancel);
        using OpenVault vault = await fixture.InitAsync();
        BackupRequest request = fixture.Request(fixture.Source, one, two);
        request = request with { Roots = [request.Roots[0] with { Path = Bytes(file), Only = "file"u8.ToArray() }, request.Roots[1], request.Roots[2]] };
        RestorePoint point = await fixture.PointAsync(vault, await BackupRun.RunAsync(vault, request, Cancel));

        Assert.Equal([file, one, two], await ListAsync(vault, point, ""));
        Assert.Equal([file, one, two, two + "/c"], await ListAsync(vault, point, "/", recursive: true));
        Assert.Equal([one, two, two + "/c"], await ListAsync(vault, point, Path.Combine(fixture.Source, "x"), recursive: true));
        Assert.Equal([two + "/c"], await ListAsync(vault, point, two));
        Assert.Equal([file], await ListAsync(vault, point, file));
        Assert.Equal(NodeKind.Directory, (await PointTree.GetAsync(vault, point, Bytes(fixture.Source), Cancel)).Kind);
        await Assert.ThrowsAsync<HoldfastException>(() => PointTree.GetAsync(vault, point, Bytes(two + "/d"), Cancel));
        await Assert.ThrowsAsync<HoldfastException>(() => PointTree.GetAsync(vault, point, Bytes("c"), Cancel));
    }

    [Fact]
    public async Task ARootThatIsAFileIsAddressedByItsName()
    {
        string file = Path.Combine(fixture.Source, "file");
        await File.WriteAllTextAsync(file, "content", Cancel);
        using OpenVault vault = await fixture.InitAsync();
        BackupRequest request = fixture.Request();
        request = request with { Roots = [request.Roots[0] with { Path = Bytes(file), Only = "file"u8.ToArray() }] };
        RestorePoint point = await fixture.PointAsync(vault, await BackupRun.RunAsync(vault, request, Cancel));

        Assert.Equal(["file"], await ListAsync(vault, point, ""));
        Assert.Equal(["file"], await ListAsync(vault, point, "file"));
        using var content = new MemoryStream();
        Assert.Equal(7, await PointTree.CopyContentAsync(vault, point, Bytes("file"), content, Cancel));
        Assert.Equal("content", Encoding.UTF8.GetString(content.ToArray()));
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Show(PointEntry entry) => Encoding.UTF8.GetString(entry.Path.Span);

    private static async Task<string[]> ListAsync(OpenVault vault, RestorePoint point, string path, bool recursive = false) =>
        await PointTree.ListAsync(vault, point, Bytes(path), recursive, Cancel).Select(Show).ToArrayAsync(Cancel);
}
