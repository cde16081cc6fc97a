using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Stats;

/// <summary>Says how a vault grew.</summary>
internal static class GrowthReport
{
    public static void Write(CommandOutput output, IReadOnlyList<GrowthPeriod> periods)
    {
        JsonArray array = output.BeginArray();
        var table = new Table(
            ("Period", Align.Left), ("Points", Align.Right), ("Read", Align.Right), ("New", Align.Right), ("Stored", Align.Right), ("Stored so far", Align.Right));
        foreach (GrowthPeriod period in periods)
        {
            if (output.Json) array.Add(period, WriteJson);
            else
            {
                table.Add(
                    period.Name, period.Points.ToString("N0", CultureInfo.InvariantCulture), SizeText.Show(period.BytesRead), SizeText.Show(period.BytesAdded),
                    SizeText.Show(period.BytesStored), SizeText.Show(period.BytesStoredSoFar));
            }
        }

        array.End();
        if (table.Count > 0) table.WriteTo(output);
        else output.SummaryLine("no restore points");
    }

    private static void WriteJson(Utf8JsonWriter writer, GrowthPeriod period)
    {
        writer.WriteStartObject();
        writer.WriteString("period", period.Name);
        writer.WriteNumber("points", period.Points);
        writer.WriteNumber("bytesRead", period.BytesRead);
        writer.WriteNumber("bytesAdded", period.BytesAdded);
        writer.WriteNumber("bytesStored", period.BytesStored);
        writer.WriteNumber("bytesStoredSoFar", period.BytesStoredSoFar);
        writer.WriteEndObject();
    }
}
