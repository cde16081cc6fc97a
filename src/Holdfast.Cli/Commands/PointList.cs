using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands;

/// <summary>How many paths a point added, modified and deleted against its base.</summary>
internal sealed record PointChanges(long Added, long Modified, long Deleted)
{
    /// <summary>Counts the changes that a point recorded; null for a full, which was compared with nothing.</summary>
    public static async Task<PointChanges?> ReadAsync(OpenVault vault, RestorePoint point, CancellationToken cancellationToken)
    {
        if (point.Base is null) return null;
        long added = 0, modified = 0, deleted = 0;
        await foreach (TreeChange change in RestorePoints.ReadChangesAsync(vault, point, cancellationToken).ConfigureAwait(false))
        {
            switch (change.Kind)
            {
                case ChangeKind.Added: added++; break;
                case ChangeKind.Modified: modified++; break;
                default: deleted++; break;
            }
        }

        return new PointChanges(added, modified, deleted);
    }
}

/// <summary>Restore points as a table for people or an array for programs.</summary>
internal sealed class PointList
{
    private readonly CommandOutput output;
    private readonly bool withChanges;
    private readonly Table table;
    private readonly JsonArray array;

    public PointList(CommandOutput output, bool withChanges)
    {
        this.output = output;
        this.withChanges = withChanges;
        table = new Table(
        [
            ("Id", Align.Left), ("Time", Align.Left), ("Host", Align.Left), ("Kind", Align.Left), ("Files", Align.Right), ("Size", Align.Right),
            .. withChanges ? ((string, Align)[])[("Added", Align.Right), ("Modified", Align.Right), ("Deleted", Align.Right)] : [],
            ("Paths", Align.Left), ("Tags", Align.Left),
        ]);
        array = output.BeginArray();
    }

    /// <summary>Adds a point.</summary>
    public void Add(RestorePoint point, PointChanges? changes)
    {
        if (output.Json) array.Add((point, changes), WriteJson);
        else table.Add([.. Cells(point, changes)]);
    }

    /// <summary>Writes what is not written yet.</summary>
    public void End()
    {
        array.End();
        if (table.Count > 0) table.WriteTo(output);
        else output.SummaryLine("no restore points");
    }

    private IEnumerable<string> Cells(RestorePoint point, PointChanges? changes)
    {
        yield return point.Id.ToShortString();
        yield return TimeText.Show(point.EffectiveTime, output.Zone);
        yield return point.Host;
        yield return NameOf(point.Kind);
        yield return Number(point.Counts.Files);
        yield return SizeText.Show(point.Counts.Bytes);
        if (withChanges)
        {
            yield return changes is null ? "" : Number(changes.Added);
            yield return changes is null ? "" : Number(changes.Modified);
            yield return changes is null ? "" : Number(changes.Deleted);
        }

        yield return string.Join(' ', point.Roots.Select(static root => SurrogateEscape.Decode(root.Span)));
        yield return TagsOf(point, output.Zone);
    }

    /// <summary>The tags of a point, and by what it is on hold.</summary>
    public static string TagsOf(RestorePoint point, TimeZoneInfo zone)
    {
        string tags = string.Join(' ', point.Tags);
        if (point.Hold is not { } hold) return tags;
        string until = hold.Until is { } end ? $" until {TimeText.Show(end, zone)}" : "", reason = hold.Reason.Length > 0 ? $": {hold.Reason}" : "";
        return $"{tags} (on hold{until}{reason})".TrimStart();
    }

    /// <summary>A kind as the command line and JSON name it.</summary>
    public static string NameOf(PointKind kind) => kind switch
    {
        PointKind.Full => "full",
        PointKind.Differential => "differential",
        _ => "incremental",
    };

    private static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static void WriteJson(Utf8JsonWriter writer, (RestorePoint Point, PointChanges? Changes) item)
    {
        (RestorePoint point, PointChanges? changes) = item;
        writer.WriteStartObject();
        writer.WriteString("id", point.Id.ToString());
        writer.WriteString("time", TimeText.ShowExact(point.EffectiveTime));
        writer.WriteString("received", TimeText.ShowExact(point.Received));
        writer.WriteString("host", point.Host);
        JsonNames.WritePaths(writer, "paths", "pathsBase64", [.. point.Roots.Select(static root => SurrogateEscape.Decode(root.Span))]);
        writer.WriteString("kind", NameOf(point.Kind));
        if (point.Base is { } comparedWith) writer.WriteString("base", comparedWith.ToString());
        else writer.WriteNull("base");
        writer.WriteStartArray("tags");
        foreach (string tag in point.Tags) writer.WriteStringValue(tag);
        writer.WriteEndArray();
        if (point.Hold is { } hold) WriteHold(writer, hold);
        writer.WriteString("program", point.Program);
        if (point.Database is { } database) WriteDatabase(writer, database);
        if (point.Origin is { } origin)
        {
            writer.WriteStartObject("origin");
            writer.WriteString("vault", origin.Vault);
            writer.WriteString("point", origin.Point.ToString());
            writer.WriteEndObject();
        }

        WriteCounts(writer, point.Counts);
        if (changes is not null)
        {
            writer.WriteStartObject("changes");
            writer.WriteNumber("added", changes.Added);
            writer.WriteNumber("modified", changes.Modified);
            writer.WriteNumber("deleted", changes.Deleted);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteDatabase(Utf8JsonWriter writer, PointDatabase database)
    {
        writer.WriteStartObject("database");
        writer.WriteString("engine", database.Engine);
        writer.WriteString("id", database.Id);
        if (database.Sequence is { } sequence) writer.WriteNumber("sequence", sequence);
        else writer.WriteNull("sequence");
        writer.WriteString("verified", database.Verified.ToString().ToLowerInvariant());
        writer.WriteEndObject();
    }

    private static void WriteHold(Utf8JsonWriter writer, PointHold hold)
    {
        writer.WriteStartObject("hold");
        writer.WriteString("since", TimeText.ShowExact(hold.Since));
        if (hold.Until is { } until) writer.WriteString("until", TimeText.ShowExact(until));
        else writer.WriteNull("until");
        writer.WriteString("reason", hold.Reason);
        writer.WriteEndObject();
    }

    private static void WriteCounts(Utf8JsonWriter writer, BackupCounts counts)
    {
        writer.WriteNumber("files", counts.Files);
        writer.WriteNumber("directories", counts.Directories);
        writer.WriteNumber("bytes", counts.Bytes);
        writer.WriteNumber("filesNew", counts.FilesNew);
        writer.WriteNumber("filesChanged", counts.FilesChanged);
        writer.WriteNumber("filesUnmodified", counts.FilesUnmodified);
        writer.WriteNumber("filesDeleted", counts.FilesDeleted);
        writer.WriteNumber("bytesRead", counts.BytesRead);
        writer.WriteNumber("bytesAdded", counts.BytesAdded);
        writer.WriteNumber("errors", counts.Errors);
        writer.WriteNumber("seconds", Math.Round(counts.Duration.TotalSeconds, 3));
    }
}
