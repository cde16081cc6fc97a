using System.Diagnostics;
using System.Text;
using Holdfast.Files.Selection;
using Holdfast.Log;

namespace Holdfast.Files.Tests.Selection;

public class PathPatternTests
{
    /// Paths that end in '/' are directories; what stands after '!' must not match. Each row from gitignore(5).
    [Theory]
    [InlineData("foo", "foo foo/ a/foo a/b/foo/ !foob !xfoo !foo/a")]
    [InlineData("foo/", "foo/ a/foo/ !foo !a/foo")]
    [InlineData("/foo", "foo foo/ !a/foo")]
    [InlineData("doc/frotz", "doc/frotz doc/frotz/ !a/doc/frotz !frotz")]
    [InlineData("doc/frotz/", "doc/frotz/ !doc/frotz !a/doc/frotz/")]
    [InlineData("*.o", "a.o .o x/a.o !a.ob !a.o/b")]
    [InlineData("/*.c", "cat-file.c !mozilla-sha1/sha1.c")]
    [InlineData("foo/*", "foo/test.json foo/bar/ !foo/bar/hello.c !foo")]
    [InlineData("**/foo", "foo a/foo a/b/foo/ !a/foob")]
    [InlineData("**/foo/bar", "foo/bar a/foo/bar a/b/foo/bar !foo/x/bar !xfoo/bar")]
    [InlineData("abc/**", "abc/x abc/x/y !abc !abc/ !x/abc/y")]
    [InlineData("a/**/b", "a/b a/x/b a/x/y/b !ab !a/xb !x/a/b")]
    [InlineData("a/**/b/**/c", "a/b/c a/x/b/y/z/c a/b/b/c !a/c !a/b/xc")]
    [InlineData("**", "a a/b a/")]
    [InlineData("/**", "a a/b a/")]
    [InlineData("**/", "a/ a/b/ !a !a/b")]
    [InlineData("a**b/c", "ab/c axxb/c !a/b/c !ax/xb/c")]
    [InlineData("a/***/b", "a/b a/x/b")]
    [InlineData("f?o", "foo fxo !f/o !fo !fooo")]
    [InlineData("x/f?o", "x/foo !x/f/o")]
    [InlineData("[a-c]1", "a1 c1 !d1 !-1")]
    [InlineData("[!a-c]1", "d1 -1 !a1")]
    [InlineData("[^a]1", "b1 !a1")]
    [InlineData("x[!a]y/z", "xby/z !xay/z !x/y/z")]
    [InlineData("[]-]x", "]x -x !ax")]
    [InlineData("[a-]x", "ax -x !bx")]
    [InlineData("[[:digit:][:upper:]_]x", "1x Ax _x !ax !:x")]
    [InlineData("[\\]]x", "]x !\\x")]
    [InlineData("[\\a-\\c]x", "bx !\\x")]
    [InlineData("\\*x", "*x !ax")]
    [InlineData("\\!x", "!x", '~')]
    [InlineData("!x", "x a/x", '~')]
    [InlineData("a\\b", "ab !a\\b")]
    [InlineData("*", "a a/b .x")]
    [InlineData("*a*b", "ab xaxb aab !ba !axbx")]
    [InlineData("x/*a*/b", "x/a/b x/cac/b !x/a/c/b !x/b")]
    [InlineData("**/a*/b", "ax/b y/ax/b ac/ab/b !ax/c/b")]
    public void MatchesAsGitDocuments(string pattern, string cases, char not = '!')
    {
        PathPattern compiled = PathPattern.Parse(Encoding.UTF8.GetBytes(pattern));
        foreach (string item in cases.Split(' '))
        {
            bool expected = item[0] != not;
            string path = item.TrimStart(not);
            bool matches = compiled.Matches(Encoding.UTF8.GetBytes(path.TrimEnd('/')), path[^1] == '/');
            Assert.True(expected == matches, $"{pattern} on {path}: {matches}");
        }
    }

    [Theory]
    [InlineData("Cache", "CACHE cache !cach")]
    [InlineData("*.JPG", "a.jpg a.JpG")]
    [InlineData("/Ab/[x-z]1", "aB/Y1 ab/z1 !ab/a1")]
    [InlineData("é", "é !É")]
    [InlineData("[[:lower:]]@", "A@ a@ !`@")]
    public void AsciiLettersMayMatchInEitherCase(string pattern, string cases)
    {
        PathPattern compiled = PathPattern.Parse(Encoding.UTF8.GetBytes(pattern), ignoreCase: true);
        foreach (string item in cases.Split(' '))
        {
            bool matches = compiled.Matches(Encoding.UTF8.GetBytes(item.TrimStart('!')), false);
            Assert.True(matches == (item[0] != '!'), $"{pattern} on {item}: {matches}");
        }
    }

    [Fact]
    public void BytesThatAreNotTextMatchByteForByte()
    {
        PathPattern compiled = PathPattern.Parse([0xFF, (byte)'*', 0x80]);
        Assert.True(compiled.Matches([0xFF, 0xC3, 0x80], false));
        Assert.False(compiled.Matches([0xFE, 0x80], false));
        Assert.True(PathPattern.Parse("[!a]"u8).Matches([0xFF], false));
    }

    [Theory]
    [InlineData("")]
    [InlineData("!")]
    [InlineData("/")]
    [InlineData("a\\")]
    [InlineData("a[b")]
    [InlineData("a[]")]
    [InlineData("[a-")]
    [InlineData("[\\")]
    [InlineData("[[:nothing:]]")]
    [InlineData("a//b")]
    [InlineData("./a")]
    [InlineData("a/../b")]
    [InlineData("a\0b")]
    public void APatternThatCouldNeverMatchIsRefused(string pattern)
    {
        var error = Assert.Throws<HoldfastException>(() => PathPattern.Parse(Encoding.UTF8.GetBytes(pattern)));
        Assert.Equal(ErrorKind.Usage, error.Kind);
    }

    [Theory]
    [InlineData("/a/b/c", "a a/b !a/b/c !b !a/x")]
    [InlineData("a/*/c", "a a/x !a/x/y !b")]
    [InlineData("a/**/c", "a a/x a/x/y !b")]
    [InlineData("a/**", "a a/x !b")]
    [InlineData("**/x/y", "a b/c")]
    [InlineData("name", "a b/c")]
    [InlineData("a*b/c", "ab axb abb !a !abx")]
    [InlineData("*a?/c", "aab xax !a !aba/c")]
    public void KnowsWhatMayMatchBelow(string pattern, string cases)
    {
        PathPattern compiled = PathPattern.Parse(Encoding.UTF8.GetBytes(pattern));
        foreach (string item in cases.Split(' '))
        {
            bool may = compiled.MayMatchBelow(Encoding.UTF8.GetBytes(item.TrimStart('!')));
            Assert.True(may == (item[0] != '!'), $"{pattern} below {item}: {may}");
        }
    }

    [Fact]
    public void MatchingDoesNotBlowUp()
    {
        string directories = string.Concat(Enumerable.Repeat("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/", 127));
        byte[] path = Encoding.UTF8.GetBytes(directories + "a");
        var clock = Stopwatch.StartNew();
        foreach (string pattern in new[] { "**/a*a*a*a*a*a*a*a*b/**/a*a*a*a*b/**/**/**/*b", "**/a*?*?*?*?*?*?*?b/c" })
        {
            Assert.False(PathPattern.Parse(Encoding.UTF8.GetBytes(pattern)).Matches(path, false));
        }

        // Far beyond what it takes; an exponential matcher would not end at all.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), clock.Elapsed.ToString());
    }
}
