using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Terminals;
using Holdfast.Vault;

namespace Holdfast.Cli.Tests;

public class ProgressDisplayTests
{
    private const int Mebi = 1 << 20;
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();
    private readonly FixedClock clock = new(TestWorld.Noon);
    private readonly WorkProgress work = new();
    private int columns = 120;

    [Fact]
    public void ATerminalSeesHowMuchHowFastAndHowLongStill()
    {
        using ProgressDisplay display = Create().ShowProgress(work);
        work.Expect(items: 3400, bytes: 100L * Mebi);
        for (int i = 0; i < 50; i++)
        {
            work.AddDone(0, Mebi);
            clock.Advance(TimeSpan.FromMilliseconds(200));
        }

        work.AddDone(1204, 0);
        Assert.Equal(
            "[0:10] 50.0%  1,204 of 3,400 files  50.00 MiB of 100.00 MiB  5.00 MiB/s  0:10 left", display.Describe());
        work.AddError();
        Assert.EndsWith("  1 error", display.Describe(), StringComparison.Ordinal);
        Assert.Equal("[0:10] 50.0%  50.00 MiB of 100.00 MiB  5.00 MiB/s  0:10 left  1 error", display.Describe(79));
        Assert.Equal("[0:10] 50.0%  0:10 left  1 error", display.Describe(40));
    }

    [Fact]
    public void WithoutATotalThereIsNoTimeLeft()
    {
        using ProgressDisplay display = Create().ShowProgress(work);
        work.AddDone(0, Mebi);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.StartsWith("[0:01]  0 files  1.00 MiB  ", display.Describe(), StringComparison.Ordinal);
        Assert.EndsWith("/s", display.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void TheRateFollowsButDoesNotJump()
    {
        var throughput = new Throughput();
        Assert.Equal(0, throughput.BytesPerSecond);
        throughput.Add(1000, TimeSpan.FromSeconds(1));
        Assert.Equal(1000, throughput.BytesPerSecond, 6);
        throughput.Add(0, TimeSpan.FromSeconds(1));
        Assert.InRange(throughput.BytesPerSecond, 300, 600);
        for (int i = 0; i < 60; i++) throughput.Add(0, TimeSpan.FromSeconds(1));
        Assert.InRange(throughput.BytesPerSecond, 0, 1);
        throughput.Add(5, TimeSpan.Zero);
    }

    [Fact]
    public void LinesFitTheWindowAndVanishAtTheEnd()
    {
        columns = 20;
        ProgressDisplay display = Create().ShowProgress(work);
        work.Show("/home/somebody/documents/\u001b[2Jletter.txt"u8.ToArray());
        clock.Advance(TimeSpan.FromMilliseconds(200));
        string[] drawn = error.ToString().Replace("\e[K", "", StringComparison.Ordinal).Split('\n');
        Assert.Equal(2, drawn.Length);
        Assert.All(drawn, line => Assert.True(TerminalText.WidthOf(line) <= 19, line));
        Assert.DoesNotContain("\u001b[2J", error.ToString(), StringComparison.Ordinal);

        display.Dispose();
        Assert.EndsWith("\r\e[K\e[1A\r\e[K", error.ToString(), StringComparison.Ordinal);
        error.GetStringBuilder().Clear();
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Empty(error.ToString());
    }

    [Fact]
    public void AnErrorTakesTheLinesAwayBeforeItIsWritten()
    {
        CommandOutput target = Create();
        using ProgressDisplay display = target.ShowProgress(work);
        clock.Advance(TimeSpan.FromMilliseconds(200));
        error.GetStringBuilder().Clear();
        target.ItemError("/x", "gone");
        Assert.Equal("\r\e[K\e[1A\r\e[Kholdfast: /x: gone\n", error.ToString());
    }

    [Fact]
    public void FilesAndPipesSeeNoProgress()
    {
        using (Create(terminal: Terminal.None).ShowProgress(work)) clock.Advance(TimeSpan.FromSeconds(5));
        using (Create(quiet: true).ShowProgress(work)) clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(output.ToString() + error);
    }

    [Fact]
    public void ProgramsGetAStatusLineASecond()
    {
        using (Create(json: true).ShowProgress(work))
        {
            work.Expect(2, 4 * Mebi);
            work.AddDone(0, Mebi);
            work.Show([.. "/caf"u8, 0xe9]);
            clock.Advance(TimeSpan.FromSeconds(2.5));
        }

        string[] lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        JsonElement status = JsonDocument.Parse(lines[0]).RootElement;
        Assert.Equal("status", status.GetProperty("type").GetString());
        Assert.Equal(1, status.GetProperty("seconds").GetDouble());
        Assert.Equal(Mebi, status.GetProperty("bytesDone").GetInt64());
        Assert.Equal(4 * Mebi, status.GetProperty("bytesTotal").GetInt64());
        Assert.Equal(3, status.GetProperty("secondsLeft").GetInt64());
        Assert.Equal("/caf\uFFFD", status.GetProperty("current").GetString());
        Assert.Equal([.. "/caf"u8, 0xe9], status.GetProperty("currentBase64").GetBytesFromBase64());
        Assert.Empty(error.ToString());
    }

    private CommandOutput Create(bool json = false, bool quiet = false, Terminal? terminal = null) => new(
        new(json, quiet, false, false), output, error, terminal ?? new Terminal(true, true, () => columns), clock);
}
