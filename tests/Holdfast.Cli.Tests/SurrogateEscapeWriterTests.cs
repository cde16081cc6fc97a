using Holdfast.Cli.Terminals;

namespace Holdfast.Cli.Tests;

public class SurrogateEscapeWriterTests
{
    [Fact]
    public void NamesComeOutAsTheBytesThatTheyAre()
    {
        using var bytes = new MemoryStream();
        using (var writer = new SurrogateEscapeWriter(bytes, flushLines: false))
        {
            writer.WriteLine("caf\uDCE9 😀");
            Assert.Equal(0, bytes.Length);
            writer.Flush();
        }

        Assert.Equal([.. "caf"u8, 0xe9, .. " 😀\n"u8], bytes.ToArray());
    }

    [Fact]
    public void LongOutputIsWrittenInPiecesThatSplitNoCharacter()
    {
        using var bytes = new MemoryStream();
        using var writer = new SurrogateEscapeWriter(bytes, flushLines: false);
        string text = string.Concat(Enumerable.Repeat("x😀", 30_000));
        foreach (char c in text) writer.Write(c);
        writer.Flush();
        Assert.Equal(System.Text.Encoding.UTF8.GetBytes(text), bytes.ToArray());
    }

    [Fact]
    public void LinesForAPersonGoOutAtOnce()
    {
        using var bytes = new MemoryStream();
        using var writer = new SurrogateEscapeWriter(bytes, flushLines: true);
        writer.Write("a");
        Assert.Equal(0, bytes.Length);
        writer.WriteLine("b");
        Assert.Equal(3, bytes.Length);
    }
}
