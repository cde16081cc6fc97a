using System.Diagnostics;
using Holdfast.Testing;

namespace Holdfast.Files.Tests;

/// The generator is what other tests stand on: it must make what it promises, and the same again.
public sealed class TreeGeneratorTests : IDisposable
{
    private readonly string home = Directory.CreateTempSubdirectory("holdfast-tree-").FullName;

    public void Dispose() => TreeGenerator.Delete(home);

    [Fact]
    public void TheSameSeedMakesTheSameTree()
    {
        string first = Make("first", 7, TreeShape.Default), second = Make("second", 7, TreeShape.Default);
        var options = new TreeCompareOptions { IgnoreRootAttributes = true, IgnoreDirectoryTimes = true };

        // Times that nobody set are those of the making.
        TreeSnapshot left = TreeSnapshot.Take(first), right = TreeSnapshot.Take(second);
        IReadOnlyList<string> differences = TreeCompare.FindDifferences(left, right, options);

        Assert.DoesNotContain(differences, difference => !difference.Contains("modification time"));
        Assert.True(left.Entries.Count > 180, $"{left.Entries.Count}");
    }

    [Fact]
    public void DifferentSeedsMakeDifferentTrees()
    {
        TreeSnapshot left = TreeSnapshot.Take(Make("first", 1, TreeShape.Small));
        TreeSnapshot right = TreeSnapshot.Take(Make("second", 2, TreeShape.Small));
        Assert.NotEmpty(left.Entries.Keys.Except(right.Entries.Keys));
    }

    [Fact]
    public void ATreeHoldsEverythingThatIsEasilyForgotten()
    {
        TreeSnapshot snapshot = TreeSnapshot.Take(Make("tree", 3, TreeShape.Default));
        IReadOnlyCollection<TreeEntry> entries = [.. snapshot.Entries.Values];

        Assert.Contains(entries, entry => entry.Path.Length > 4096);
        Assert.Contains(entries, entry => entry.Target.Length == 4095);
        Assert.Contains(entries, entry => BytePath.FileName(entry.Path).Length == 255);
        Assert.Contains(entries, entry => entry.Path.Contains((byte)'\n'));
        Assert.Contains(entries, entry => entry.Kind == NodeKind.Fifo && entry.HardLinks.Count > 1);
        Assert.Contains(entries, entry => entry.Kind == NodeKind.Symlink && entry.HardLinks.Count > 1);
        Assert.Contains(entries, entry => entry.Kind == NodeKind.Regular && entry.HardLinks.Count > 1);
        Assert.Contains(entries, entry => entry.Kind == NodeKind.Socket);
        Assert.Contains(entries, entry => entry.Size > 5L << 30 && entry.DataBytes <= 1 << 20);
        Assert.Contains(entries, entry => entry.ModificationTime.Seconds < 0);
        Assert.Contains(entries, entry => entry.ModificationTime.Seconds > 7_258_118_400);
        Assert.Contains(entries, entry => entry.Kind == NodeKind.Directory && entry.Mode == 0);
        Assert.Contains(entries, entry => (entry.Mode & 0xE00) != 0);
        Assert.Contains(entries, entry => entry.Xattrs.Values.Contains(""));
        if (!PosixDirectory.IsRoot) return;
        Assert.Contains(entries, entry => entry.Kind == NodeKind.CharacterDevice && entry.Device == "1:3");
        Assert.Contains(entries, entry => entry.Device == "4095:1048575");
        Assert.Contains(entries, entry => entry.Uid > int.MaxValue);
        Assert.Contains(entries, entry => entry.Xattrs.ContainsKey("security.capability"));
        Assert.Contains(entries, entry => entry.Xattrs.ContainsKey("system.posix_acl_access"));
        Assert.Contains(entries, entry => entry.Kind == NodeKind.Symlink && entry.Xattrs.Count > 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void MutationsAreSeen(int seed)
    {
        string tree = Make("tree", seed, TreeShape.Small);
        TreeSnapshot before = TreeSnapshot.Take(tree);
        for (int round = 0; round < 10; round++)
        {
            IReadOnlyList<string> done = TreeGenerator.Mutate(tree, seed + round, changes: 15);
            TreeSnapshot after = TreeSnapshot.Take(tree);
            Assert.Equal(15, done.Count);
            Assert.NotEmpty(TreeCompare.FindDifferences(before, after));
            before = after;
        }
    }

    /// Another program's copy as witness: what cp takes along is what the snapshot sees.
    [Fact]
    public void ACopyByAnotherProgramIsEqual()
    {
        Assert.SkipUnless(File.Exists("/bin/cp") && PosixDirectory.IsRoot, "needs cp and the rights of root");
        string tree = Make("tree", 5, TreeShape.Default with { DeepPath = false });
        using Process copy = Process.Start("/bin/cp", ["-a", "--sparse=auto", tree, tree + "-copy"]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
        TreeCompare.AssertEqual(TreeSnapshot.Take(tree), TreeSnapshot.Take(tree + "-copy"));
    }

    private string Make(string name, int seed, TreeShape shape)
    {
        string root = Directory.CreateDirectory(Path.Combine(home, name)).FullName;
        TreeGenerator.Create(root, seed, shape);
        return root;
    }
}
