using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Stats;

/// <summary>Says how a vault is shared out among its sources, hosts or points.</summary>
internal static class SharesReport
{
    public static void WriteSources(CommandOutput output, IReadOnlyList<SpaceShare> shares) => Write(
        output, shares, [("Host", Align.Left), ("Paths", Align.Left)], static (_, point) => [point.Host, PathsOf(point)],
        static (writer, point) =>
        {
            writer.WriteString("host", point.Host);
            JsonNames.WritePaths(writer, "paths", "pathsBase64", [.. point.Roots.Select(static root => SurrogateEscape.Decode(root.Span))]);
        });

    public static void WriteHosts(CommandOutput output, IReadOnlyList<SpaceShare> shares) =>
        Write(output, shares, [("Host", Align.Left)], static (_, point) => [point.Host], static (writer, point) => writer.WriteString("host", point.Host));

    public static void WritePoints(CommandOutput output, IReadOnlyList<SpaceShare> shares) => Write(
        output, shares, [("Id", Align.Left), ("Time", Align.Left), ("Host", Align.Left), ("Paths", Align.Left)],
        static (output, point) => [point.Id.ToShortString(), TimeText.Show(point.EffectiveTime, output.Zone), point.Host, PathsOf(point)],
        static (writer, point) =>
        {
            writer.WriteString("id", point.Id.ToString());
            writer.WriteString("host", point.Host);
            JsonNames.WritePaths(writer, "paths", "pathsBase64", [.. point.Roots.Select(static root => SurrogateEscape.Decode(root.Span))]);
        },
        counts: false);

    // A share that is of one point by its name does not say how many it is of.
    private static void Write(
        CommandOutput output, IReadOnlyList<SpaceShare> shares, (string Title, Align Align)[] columns,
        Func<CommandOutput, RestorePoint, string[]> describe, Action<Utf8JsonWriter, RestorePoint> write, bool counts = true)
    {
        JsonArray array = output.BeginArray();
        var table = new Table(
        [
            .. columns, .. counts ? [("Points", Align.Right)] : Array.Empty<(string, Align)>(), ("Size", Align.Right), ("Needs", Align.Right),
            ("Stored", Align.Right), ("Alone", Align.Right), ("Dedup", Align.Right), ("Compression", Align.Right),
        ]);
        foreach (SpaceShare share in shares)
        {
            // All points of a group have in common what it is called by.
            RestorePoint point = share.Points[0];
            if (output.Json) array.Add(share, (writer, added) => WriteJson(writer, added, write));
            else table.Add([.. describe(output, point), .. counts ? [Number(share.Points.Count)] : Array.Empty<string>(), .. Cells(share)]);
        }

        array.End();
        if (table.Count > 0) table.WriteTo(output);
        else output.SummaryLine("no restore points");
        output.SummaryLine("Size: as plain copies. Needs: each chunk once. Stored: the same, compressed. Alone: of that, what comes free when all of its points go.");
    }

    private static string[] Cells(SpaceShare share) =>
    [
        SizeText.Show(share.PointBytes), SizeText.Show(share.Referenced.RawBytes), SizeText.Show(share.Referenced.StoredBytes),
        SizeText.Show(share.Unique.StoredBytes), Factor(share.DedupRatio), Factor(share.CompressionRatio),
    ];

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Factor(double ratio) => ratio.ToString("0.00", CultureInfo.InvariantCulture);

    private static string PathsOf(RestorePoint point) => string.Join(' ', point.Roots.Select(static root => SurrogateEscape.Decode(root.Span)));

    private static void WriteJson(Utf8JsonWriter writer, SpaceShare share, Action<Utf8JsonWriter, RestorePoint> write)
    {
        writer.WriteStartObject();
        write(writer, share.Points[0]);
        writer.WriteNumber("points", share.Points.Count);
        writer.WriteString("first", TimeText.ShowExact(share.Points[0].EffectiveTime));
        writer.WriteString("last", TimeText.ShowExact(share.Points[^1].EffectiveTime));
        writer.WriteNumber("pointBytes", share.PointBytes);
        StatsReport.WriteChunks(writer, "referenced", share.Referenced);
        StatsReport.WriteChunks(writer, "unique", share.Unique);
        writer.WriteEndObject();
    }
}
