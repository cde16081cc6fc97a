using System.Globalization;
using System.Text;
using Holdfast.Benchmarks.LogSync;

namespace Holdfast.Benchmarks.Databases;

/// <summary>One copy of a database.</summary>
/// <param name="Work">Of what.</param>
/// <param name="Way">How.</param>
/// <param name="Seconds">Wall time, until the copy is durable.</param>
/// <param name="WrittenBytes">What was written for it: what is no link.</param>
internal sealed record CopySample(string Work, string Way, double Seconds, long WrittenBytes);

/// <summary>How long the writer's changes took while copies were made one after the other.</summary>
/// <param name="Work">Of what.</param>
/// <param name="Way">How; <c>idle</c> for none.</param>
/// <param name="P50">Nanoseconds.</param>
/// <param name="P99">Nanoseconds.</param>
/// <param name="Highest">Nanoseconds.</param>
internal sealed record StallSample(string Work, string Way, long P50, long P99, long Highest);

/// All that was measured.
internal sealed class DatabaseFigures
{
    public List<CopySample> Copies { get; } = [];

    public List<StallSample> Stalls { get; } = [];

    /// Tables for people.
    public string ToTables()
    {
        var text = new StringBuilder();
        text.Append("| work | way | seconds, median | MB written | writer p50, µs | p99, µs | longest, ms |\n| --- | --- | --- | --- | --- | --- | --- |\n");
        foreach ((string work, string way) in Copies.Select(copy => (copy.Work, copy.Way)).Union(Stalls.Select(stall => (stall.Work, stall.Way))).OrderBy(key => key.Item1, StringComparer.Ordinal))
        {
            CopySample[] copies = [.. Copies.Where(copy => copy.Work == work && copy.Way == way)];
            StallSample? stall = Stalls.LastOrDefault(stall => stall.Work == work && stall.Way == way);
            text.Append(CultureInfo.InvariantCulture, $"| {work} | {way} | {Number(LogFigures.Median(copies.Select(copy => copy.Seconds)), 3)} | ");
            text.Append(CultureInfo.InvariantCulture, $"{Number(LogFigures.Median(copies.Select(copy => copy.WrittenBytes / 1e6)), 1)} | ");
            text.Append(CultureInfo.InvariantCulture, $"{Number(stall?.P50 / 1e3, 0)} | {Number(stall?.P99 / 1e3, 0)} | {Number(stall?.Highest / 1e6, 1)} |\n");
        }

        return text.ToString();
    }

    private static string Number(double? value, int digits) => value?.ToString($"N{digits}", CultureInfo.InvariantCulture) ?? "";
}
