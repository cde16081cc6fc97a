using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Terminals;

namespace Holdfast.Cli.Tests;

public class CommandOutputTests
{
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    [Fact]
    public void NamesThatAreNotUtf8AreReadableInPathAndWholeInPathBase64()
    {
        CommandOutput target = Create(json: true);
        target.ItemError("/home/caf\uDCE9 \"x\"\n", "permission denied");

        JsonElement line = JsonDocument.Parse(output.ToString()).RootElement;
        Assert.Equal("error", line.GetProperty("type").GetString());
        Assert.Equal("/home/caf\uFFFD \"x\"\n", line.GetProperty("path").GetString());
        Assert.Equal([.. "/home/caf"u8, 0xe9, .. " \"x\"\n"u8], line.GetProperty("pathBase64").GetBytesFromBase64());
        Assert.Equal("permission denied", line.GetProperty("message").GetString());
        Assert.Single(output.ToString().TrimEnd('\n').Split('\n'));
        Assert.Empty(error.ToString());
    }

    [Fact]
    public void NamesThatAreUtf8HaveNoPathBase64()
    {
        Create(json: true).ItemError("/home/café 😀", "gone");
        JsonElement line = JsonDocument.Parse(output.ToString()).RootElement;
        Assert.Equal("/home/café 😀", line.GetProperty("path").GetString());
        Assert.False(line.TryGetProperty("pathBase64", out _));
    }

    [Fact]
    public void WithJsonNothingElseIsWritten()
    {
        CommandOutput target = Create(json: true);
        target.Line("for people");
        target.SummaryLine("for people");
        target.Heading("for people");
        target.Notice("mind this");
        Assert.Equal("""{"type":"notice","message":"mind this"}""" + "\n", output.ToString());
        Assert.Empty(error.ToString());
    }

    [Fact]
    public void QuietLeavesResultsAndErrors()
    {
        CommandOutput target = Create(quiet: true);
        target.Line("result");
        target.SummaryLine("summary");
        target.Notice("notice");
        target.ItemError("/x", "gone");
        Assert.Equal("result\n", output.ToString());
        Assert.Equal("holdfast: /x: gone\n", error.ToString());
    }

    [Fact]
    public void ATerminalIsNotSteeredByNames()
    {
        CommandOutput target = Create(terminal: new Terminal(true, true, () => 80));
        Assert.Equal("a\\033]0;x\\007b\uFFFD", target.Shown("a\u001b]0;x\u0007b\uDCFF"));
        target.ItemError("/x\u001b[2J", "gone");
        Assert.DoesNotContain("\u001b[2J", error.ToString(), StringComparison.Ordinal);
        Assert.Equal("a\u001b\uDCFF", Create().Shown("a\u001b\uDCFF"));
    }

    [Fact]
    public void ColoursAreForTerminalsOnly()
    {
        var terminal = new Terminal(true, true, () => 80);
        Create(color: true, terminal: terminal).ItemError("/x", "gone");
        Assert.Contains("\u001b[31m", error.ToString(), StringComparison.Ordinal);
        error.GetStringBuilder().Clear();
        Create(color: true).ItemError("/x", "gone");
        Create(color: false, terminal: terminal).ItemError("/x", "gone");
        Assert.DoesNotContain("\u001b[31m", error.ToString(), StringComparison.Ordinal);
    }

    [Theory, InlineData(0), InlineData(1), InlineData(3)]
    public void AnArrayIsOneDocumentOfAnyLength(int count)
    {
        JsonArray array = Create(json: true).BeginArray();
        for (int i = 0; i < count; i++) array.Add(i, (writer, item) => writer.WriteNumberValue(item));
        array.End();
        Assert.Equal(count, JsonDocument.Parse(output.ToString()).RootElement.GetArrayLength());
        Assert.EndsWith("]\n", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void TablesAreAlignedByWhatTheEyeSees()
    {
        CommandOutput target = Create();
        var table = new Table(("Name", Align.Left), ("Size", Align.Right), ("Tags", Align.Left));
        table.Add("a", "1", "x");
        table.Add("日本", "1000", "");
        table.Add("cafe\u0301", "22", "y");
        table.WriteTo(target);
        Assert.Equal("Name  Size  Tags\na        1  x\n日本  1000\ncafe\u0301    22  y\n", output.ToString());
    }

    [Theory]
    [InlineData("short", 10, "short")]
    [InlineData("/a/very/long/path", 9, "/a/v…path")]
    [InlineData("日本日本日本", 5, "日…本")]
    [InlineData("abcdef", 3, "abc")]
    [InlineData("abcdef", 0, "")]
    public void LongNamesLoseTheirMiddle(string text, int columns, string shortened)
    {
        Assert.Equal(shortened, TerminalText.Shorten(text, columns));
        Assert.True(TerminalText.WidthOf(shortened) <= columns);
    }

    private CommandOutput Create(
        bool json = false, bool quiet = false, bool color = false, Terminal? terminal = null) =>
        new(new(json, quiet, false, color), output, error, terminal ?? Terminal.None, new FixedClock(TestWorld.Noon));
}
