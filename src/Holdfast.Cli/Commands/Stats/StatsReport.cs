using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Stats;

/// <summary>Says how much a vault or a point holds.</summary>
internal static class StatsReport
{
    public static void Write(CommandOutput output, VaultTotals totals)
    {
        output.Line(Invariant($"restore points  {totals.Points:N0} of {totals.Sources:N0} {(totals.Sources == 1 ? "source" : "sources")}"));
        output.Line($"as plain copies {SizeText.Show(totals.PointBytes)}");
        output.Line(Invariant($"content         {SizeText.Show(totals.DataRawBytes)} in {totals.DataChunks:N0} chunks; each once saves a factor of {totals.DedupRatio:0.00}"));
        output.Line(Invariant($"trees           {SizeText.Show(totals.TreeRawBytes)} in {totals.TreeChunks:N0} chunks"));
        output.Line(Invariant($"stored          {SizeText.Show(totals.Bytes)} in {totals.Objects:N0} objects; compression saves a factor of {totals.CompressionRatio:0.00}"));
        output.Line("");
        var table = new Table(("Kind", Align.Left), ("Objects", Align.Right), ("Size", Align.Right));
        foreach (ObjectTotals kind in totals.Kinds) table.Add(kind.Kind, Invariant($"{kind.Objects:N0}"), SizeText.Show(kind.Bytes));
        table.WriteTo(output);
        output.Document(totals, WriteJson);
    }

    public static void Write(CommandOutput output, RestorePoint point, PointTotals totals)
    {
        output.Line($"restore point   {point.Id.ToShortString()}");
        output.Line(Invariant($"files           {totals.Files:N0}, {SizeText.Show(totals.Bytes)}"));
        output.Line(Describe("refers to       ", totals.Referenced));
        output.Line(Describe("of it alone     ", totals.Unique));
        output.Document((point, totals), WriteJson);
    }

    private static string Describe(string title, ChunkTotals chunks) =>
        Invariant($"{title}{SizeText.Show(chunks.RawBytes)} in {chunks.Chunks:N0} chunks, stored in {SizeText.Show(chunks.StoredBytes)}");

    private static void WriteJson(Utf8JsonWriter writer, VaultTotals totals)
    {
        writer.WriteStartObject();
        writer.WriteNumber("points", totals.Points);
        writer.WriteNumber("sources", totals.Sources);
        writer.WriteNumber("pointBytes", totals.PointBytes);
        writer.WriteNumber("objects", totals.Objects);
        writer.WriteNumber("bytes", totals.Bytes);
        writer.WriteNumber("dataChunks", totals.DataChunks);
        writer.WriteNumber("dataRawBytes", totals.DataRawBytes);
        writer.WriteNumber("dataStoredBytes", totals.DataStoredBytes);
        writer.WriteNumber("treeChunks", totals.TreeChunks);
        writer.WriteNumber("treeRawBytes", totals.TreeRawBytes);
        writer.WriteNumber("treeStoredBytes", totals.TreeStoredBytes);
        writer.WriteStartArray("kinds");
        foreach (ObjectTotals kind in totals.Kinds)
        {
            writer.WriteStartObject();
            writer.WriteString("kind", kind.Kind);
            writer.WriteNumber("objects", kind.Objects);
            writer.WriteNumber("bytes", kind.Bytes);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteJson(Utf8JsonWriter writer, (RestorePoint Point, PointTotals Totals) item)
    {
        writer.WriteStartObject();
        writer.WriteString("point", item.Point.Id.ToString());
        writer.WriteNumber("files", item.Totals.Files);
        writer.WriteNumber("bytes", item.Totals.Bytes);
        WriteChunks(writer, "referenced", item.Totals.Referenced);
        WriteChunks(writer, "unique", item.Totals.Unique);
        writer.WriteEndObject();
    }

    public static void WriteChunks(Utf8JsonWriter writer, string property, ChunkTotals chunks)
    {
        writer.WriteStartObject(property);
        writer.WriteNumber("chunks", chunks.Chunks);
        writer.WriteNumber("rawBytes", chunks.RawBytes);
        writer.WriteNumber("storedBytes", chunks.StoredBytes);
        writer.WriteEndObject();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
