using System.Text.Json;
using Holdfast.Cli.Commands.Stats;
using Holdfast.Cli.Output;
using Holdfast.Cli.Terminals;
using Holdfast.Vault;

namespace Holdfast.Cli.Tests;

public class SharesReportTests
{
    private readonly StringWriter output = new();

    /// A point is one; a source or a host may have any number.
    [Fact]
    public void PointsAreCountedWhereThereMayBeSeveral()
    {
        SharesReport.WritePoints(Create(json: false), [Share(1)]);
        Assert.Equal(["Id", "Time", "Host", "Paths", "Size", "Needs", "Stored", "Alone", "Dedup", "Compression"], Titles());
        SharesReport.WriteHosts(Create(json: false), [Share(3)]);
        Assert.Equal(["Host", "Points", "Size", "Needs", "Stored", "Alone", "Dedup", "Compression"], Titles());
        Assert.Equal(["here", "3"], Rows()[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2]);
        SharesReport.WriteSources(Create(json: false), [Share(3)]);
        Assert.Equal(["Host", "Paths", "Points", "Size", "Needs", "Stored", "Alone", "Dedup", "Compression"], Titles());
    }

    [Fact]
    public void JsonCountsThemAlways()
    {
        SharesReport.WritePoints(Create(json: true), [Share(1)]);
        Assert.Equal(1, JsonDocument.Parse(output.ToString()).RootElement[0].GetProperty("points").GetInt32());
    }

    private static SpaceShare Share(int points)
    {
        var point = new RestorePoint
        {
            Id = default,
            Time = TestWorld.Noon,
            Received = TestWorld.Noon,
            EffectiveTime = TestWorld.Noon,
            Kind = PointKind.Full,
            Base = null,
            Host = "here",
            Roots = [new ReadOnlyMemory<byte>("/src"u8.ToArray())],
            Tags = [],
            Program = "",
            Counts = new BackupCounts { Files = 1, Bytes = 1000 },
        };
        return new SpaceShare([.. Enumerable.Repeat(point, points)], new ChunkTotals(1, 1000, 500), new ChunkTotals(0, 0, 0));
    }

    private string[] Rows() => output.ToString().TrimEnd('\n').Split('\n');

    private string[] Titles() => Rows()[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private CommandOutput Create(bool json)
    {
        output.GetStringBuilder().Clear();
        return new CommandOutput(new(json, false, false, false), output, TextWriter.Null, Terminal.None, new FixedClock(TestWorld.Noon));
    }
}
