using System.Text;
using Holdfast.Files.Selection;
using Holdfast.Log;

namespace Holdfast.Files.Tests.Selection;

public class PathRulesTests
{
    [Fact]
    public void TheLastMatchWins()
    {
        PathRules rules = Rules("*.log", "!keep.log", "/old/keep.log");
        Assert.True(IsExcluded(rules, "a.log"));
        Assert.False(IsExcluded(rules, "keep.log"));
        Assert.False(IsExcluded(rules, "x/keep.log"));
        Assert.True(IsExcluded(rules, "old/keep.log"));
        Assert.False(IsExcluded(rules, "a.txt"));
        Assert.False(IsExcluded(PathRules.None, "a"));
    }

    /// The example of gitignore(5): everything but the directory foo/bar.
    [Fact]
    public void AllButOneDirectoryCanBeExcluded()
    {
        PathRules rules = Rules("/*", "!/foo", "/foo/*", "!/foo/bar");
        Assert.True(IsExcluded(rules, "a"));
        Assert.False(rules.IsExcluded("foo"u8, true));
        Assert.True(IsExcluded(rules, "foo/a"));
        Assert.False(rules.IsExcluded("foo/bar"u8, true));
        Assert.False(IsExcluded(rules, "foo/bar/a"));
    }

    [Theory]
    [InlineData("/home/me/cache", "/home/me/", "cache", true)]
    [InlineData("/cache", "/home/me/", "cache", true)]
    [InlineData("/home/me/cache", "/home/me/", "home/me/cache", true)]
    [InlineData("/home/me/cache", "/home/you/", "cache", false)]
    [InlineData("home/me/cache", "/home/me/", "cache", false)]
    [InlineData("/home/*/cache", "/home/me/", "cache", true)]
    [InlineData("/**/me/c*", "/home/me/", "cache", true)]
    [InlineData("/home/me/cache", "/", "home/me/cache", true)]
    [InlineData("/me/cache", "/", "home/me/cache", false)]
    public void ALeadingSlashMeansTheRootOrTheAbsolutePath(string pattern, string root, string path, bool expected)
    {
        Assert.Equal(expected, Rules(pattern).IsExcluded(Encoding.UTF8.GetBytes(root + path), root.Length, false));
    }

    [Fact]
    public void FilesOfPatternsAreReadAsGitDoes()
    {
        IReadOnlyList<PathPattern> patterns = PathRulesReader.Read(
            "\uFEFFfirst\r\n\n# comment\n   \n\\#hash\n\\!bang\ntrail   \nkept\\ \\  \n!back \r\n \tx\t\nlast"u8,
            "list");
        Assert.Equal(
            ["first", "\\#hash", "\\!bang", "trail", "kept\\ \\ ", "!back", " \tx\t", "last"],
            patterns.Select(pattern => Encoding.UTF8.GetString(pattern.Text.Span)));

        var rules = new PathRules(patterns);
        Assert.True(IsExcluded(rules, "#hash"));
        Assert.True(IsExcluded(rules, "!bang"));
        Assert.True(IsExcluded(rules, "kept  "));
        Assert.False(IsExcluded(rules, "kept"));
        Assert.Empty(PathRulesReader.Read(""u8, "list"));
    }

    [Fact]
    public void AnErrorNamesFileAndLine()
    {
        var error = Assert.Throws<HoldfastException>(() => PathRulesReader.Read("a\n\n#\nb[\n"u8, "/etc/list"));
        Assert.Equal(ErrorKind.Usage, error.Kind);
        Assert.Equal("/etc/list: line 4: pattern b[: the [ has no ]", error.Message);
        Assert.NotNull(error.Hint);
    }

    [Fact]
    public void MatchingAllocatesNothing()
    {
        PathRules rules = Rules("*.log", "!keep.log", "/a/**/b", "node_modules/", "x[a-z]*y", "/root/there");
        byte[] path = "/root/somewhere/deep/in/the/tree.txt"u8.ToArray();
        rules.IsExcluded(path, 6, false);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) rules.IsExcluded(path, 6, false);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void CacheDirectoriesAreKnownByTheirSignature()
    {
        Assert.Equal(43, CacheDirectoryTag.Signature.Length);
        Assert.True(CacheDirectoryTag.IsSignedBy("Signature: 8a477f597d28d172789f06886806bc55\n# made by x"u8));
        Assert.True(CacheDirectoryTag.IsSignedBy("Signature: 8a477f597d28d172789f06886806bc55"u8));
        Assert.False(CacheDirectoryTag.IsSignedBy("Signature: 8a477f597d28d172789f06886806bc5"u8));
        Assert.False(CacheDirectoryTag.IsSignedBy(" Signature: 8a477f597d28d172789f06886806bc55"u8));
        Assert.False(CacheDirectoryTag.IsSignedBy(""u8));
    }

    private static bool IsExcluded(PathRules rules, string path) =>
        rules.IsExcluded(Encoding.UTF8.GetBytes(path), false);

    private static PathRules Rules(params string[] patterns) =>
        new(patterns.Select(pattern => PathPattern.Parse(Encoding.UTF8.GetBytes(pattern))));
}
