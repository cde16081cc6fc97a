using System.Text;

namespace Holdfast.Files.Tests;

public class SurrogateEscapeTests
{
    [Fact]
    public void ValidUtf8IsItsText()
    {
        Assert.Equal("plain Ü 測 😀", SurrogateEscape.Decode("plain Ü 測 😀"u8));
        Assert.Equal("plain Ü 測 😀"u8.ToArray(), SurrogateEscape.Encode("plain Ü 測 😀"));
    }

    [Fact]
    public void OtherBytesBecomeLoneSurrogates()
    {
        // The examples of PEP 383 and of the Python documentation.
        Assert.Equal("a\udc80b", SurrogateEscape.Decode([(byte)'a', 0x80, (byte)'b']));
        Assert.Equal("\udced\udcb0\udc80", SurrogateEscape.Decode([0xED, 0xB0, 0x80]));
        Assert.Equal("\udcf0\udc9f\udc98", SurrogateEscape.Decode([0xF0, 0x9F, 0x98]));
    }

    [Fact]
    public void AnyBytesSurviveTheRoundTrip()
    {
        var random = new Random(20260101);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(0, 12)];
            random.NextBytes(bytes);
            if (i % 2 == 0) bytes = [.. "é😀"u8, .. bytes, .. Encoding.UTF8.GetBytes("\u00ff\uffff")];
            Assert.Equal(bytes, SurrogateEscape.Encode(SurrogateEscape.Decode(bytes)));
        }
    }

    [Fact]
    public void SurrogatesThatStandForNoByteAreRefused()
    {
        foreach (string text in new[] { "\ud800", "\ud800x", "\udc7f", "\udd00" })
        {
            Assert.Throws<ArgumentException>(() => SurrogateEscape.Encode(text));
        }
    }

    [Fact]
    public void ReadableTextHasOneMarkForEachForeignByte()
    {
        string text = SurrogateEscape.Decode([.. "a😀"u8, 0xff, 0xfe, .. "b"u8]);
        Assert.True(SurrogateEscape.HasEscape(text));
        Assert.Equal("a😀\uFFFD\uFFFDb", SurrogateEscape.Readable(text));
        Assert.False(SurrogateEscape.HasEscape("a😀b"));
        Assert.Equal("a😀b", SurrogateEscape.Readable("a😀b"));
    }
}
