using System.Text;

namespace Holdfast.Files.Tests;

public class BytePathTests
{
    [Theory]
    [InlineData("/", "/")]
    [InlineData("//", "/")]
    [InlineData("/a//b/./c/", "/a/b/c")]
    [InlineData("/a/b/../c", "/a/c")]
    [InlineData("/../../a", "/a")]
    [InlineData("/a/..", "/")]
    [InlineData("/.../..a/...", "/.../..a/...")]
    public void NormalizeIsLexical(string path, string expected) =>
        Assert.Equal(expected, Text(BytePath.Normalize(Bytes(path))));

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    public void NormalizeRefusesARelativePath(string path) =>
        Assert.Throws<ArgumentException>(() => BytePath.Normalize(Bytes(path)));

    [Theory]
    [InlineData("/x", "/w", "/x")]
    [InlineData("x/y", "/w", "/w/x/y")]
    [InlineData("../x", "/w/v", "/w/x")]
    [InlineData(".", "/w/v", "/w/v")]
    [InlineData("", "/w/v", "/w/v")]
    [InlineData("x", "/", "/x")]
    public void ToAbsoluteStartsFromTheWorkingDirectory(string path, string directory, string expected) =>
        Assert.Equal(expected, Text(BytePath.ToAbsolute(Bytes(path), Bytes(directory))));

    [Theory]
    [InlineData("a", "b", "a/b")]
    [InlineData("a/", "b", "a/b")]
    [InlineData("a", "/b", "a/b")]
    [InlineData("a/", "/b", "a/b")]
    [InlineData("/", "b", "/b")]
    [InlineData("", "b", "b")]
    [InlineData("a", "", "a")]
    public void JoinPutsOneSeparator(string directory, string rest, string expected) =>
        Assert.Equal(expected, Text(BytePath.Join(Bytes(directory), Bytes(rest))));

    [Theory]
    [InlineData("/a/b", "b")]
    [InlineData("/a/b/", "b")]
    [InlineData("b", "b")]
    [InlineData("/", "")]
    [InlineData("", "")]
    public void FileNameIsTheLastName(string path, string expected) =>
        Assert.Equal(expected, Text(BytePath.FileName(Bytes(path))));

    [Theory]
    [InlineData("/a/b", "/a", true)]
    [InlineData("/a", "/a", true)]
    [InlineData("/ab", "/a", false)]
    [InlineData("/a", "/", true)]
    [InlineData("/", "/", true)]
    [InlineData("/", "/a", false)]
    public void IsWithinComparesWholeNames(string path, string directory, bool expected) =>
        Assert.Equal(expected, BytePath.IsWithin(Bytes(path), Bytes(directory)));

    [Fact]
    public void SplitLeavesOutEmptyNames()
    {
        Assert.Equal(["a", "b", "c"], BytePath.Split("//a/b//c/"u8).Select(Text));
        Assert.Empty(BytePath.Split("/"u8));
        Assert.Empty(BytePath.Split(""u8));
    }

    [Fact]
    public void ValidNamesAreWhatLinuxAllows()
    {
        foreach (string name in new[] { "a", "...", "..a", ".a", "-", "\n", new string('x', 255) })
        {
            Assert.True(BytePath.IsValidName(Bytes(name)), name);
        }

        foreach (string name in new[] { "", ".", "..", "a/b", "/", "a\0b", new string('x', 256) })
        {
            Assert.False(BytePath.IsValidName(Bytes(name)), name);
        }

        Assert.True(BytePath.IsValidName([0xFF, 0x80]));
    }

    [Theory]
    [InlineData("plain name.txt", "plain name.txt")]
    [InlineData("Übung 測試 😀", "Übung 測試 😀")]
    [InlineData("a\nb\tc\rd", "a\\nb\\tc\\rd")]
    [InlineData("\u001b[31mred\u007f\u0001", "\\x1b[31mred\\x7f\\x01")]
    [InlineData("C1 \u009b31m \u0085", "C1 \\u009b31m \\u0085")]
    [InlineData("\u202egpj.exe\u2066\u2069\u200f\u2028\u061c", "\\u202egpj.exe\\u2066\\u2069\\u200f\\u2028\\u061c")]
    [InlineData("back\\slash", "back\\\\slash")]
    public void DisplayEscapesWhatCouldMisleadAReader(string name, string expected) =>
        Assert.Equal(expected, BytePath.Display(Bytes(name)));

    [Fact]
    public void DisplayShowsBytesThatAreNotUtf8()
    {
        Assert.Equal("a\\xffb\\xc3", BytePath.Display([(byte)'a', 0xFF, (byte)'b', 0xC3]));
        Assert.Equal("\\xed\\xa0\\x80", BytePath.Display([0xED, 0xA0, 0x80]));
        Assert.Equal("\\xc0\\xaf", BytePath.Display([0xC0, 0xAF]));
    }

    [Fact]
    public void DifferentNamesLookDifferent()
    {
        var random = new Random(7);
        var seen = new Dictionary<string, string>();
        for (int i = 0; i < 50_000; i++)
        {
            byte[] name = new byte[random.Next(1, 4)];
            random.NextBytes(name);
            string key = Convert.ToHexString(name);
            Assert.True(seen.TryAdd(BytePath.Display(name), key) || seen[BytePath.Display(name)] == key, key);
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
