using System.Globalization;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

/// <summary>The worked example of docs/formats/log.md is what the code writes and reads.</summary>
public sealed class FormatDocumentTests
{
    private static readonly LogOptions Options = LogPrograms.Small with { Purpose = "journal" };

    [Fact]
    public void TheSmallestLogIsAsInTheDocument()
    {
        var disk = new SimulatedDisk(seed: 1);
        using (SegmentedLog log = Open(disk)) log.Append("hi"u8);
        byte[] written = Assert.Single(LogImage.FilesOf(disk)).Value;
        Assert.Equal(Convert.ToHexStringLower(ReadDump()), Convert.ToHexStringLower(written));
    }

    [Fact]
    public void TheDocumentsExampleIsRead()
    {
        var disk = new SimulatedDisk(seed: 1);
        Assert.True(disk.TryCreateDirectory("/log"));
        using (IDiskFile file = disk.CreateUnnamed("/log"))
        {
            file.Write(0, ReadDump());
            Assert.True(disk.TryPublish(file, "/log/00000001.log"));
        }

        using SegmentedLog log = Open(disk);
        Assert.Equal(new string('1', 32), log.Id.ToString());
        Assert.Equal(2u, log.Segments[0].Incarnation);
        using LogReader reader = log.OpenReader();
        Assert.True(reader.TryRead());
        Assert.Equal("hi"u8, reader.Payload);
        Assert.False(reader.TryRead());
    }

    private static SegmentedLog Open(SimulatedDisk disk) =>
        SegmentedLog.Open(new Host(disk, new SimulatedClock(), new ExampleEntropy()), "/log", Options);

    // Pairs of digits, two spaces, what they are.
    private static byte[] ReadDump()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Architecture.Repository.Root, "docs", "formats", "log.md"));
        int at = Array.IndexOf(lines, "## Worked example");
        at = Array.IndexOf(lines, "```", at);
        var bytes = new List<byte>();
        while (lines[++at] != "```")
        {
            foreach (string pair in lines[at].Split("  ", 2)[0].Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                bytes.Add(byte.Parse(pair, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            }
        }

        return [.. bytes];
    }

    private sealed class ExampleEntropy : IEntropy
    {
        public void Fill(Span<byte> target)
        {
            target.Clear();
            if (target.Length == LogId.Size) target.Fill(0x11);
            else target[0] = 2;
        }
    }
}
