using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Databases;

namespace Holdfast.Cli.Commands.Db;

/// <summary>Says what a copy of a database is and what it cost.</summary>
internal static class DbReport
{
    /// <summary>In words.</summary>
    public static void Write(CommandOutput output, CheckpointManifest manifest)
    {
        string sequence = manifest.Sequence is { } number ? $", sequence number {number}" : "";
        output.SummaryLine($"{Count(manifest.Files.Count)}, {SizeText.Show(manifest.Bytes)}{sequence}, {Way(manifest.Way)} in {TimeText.ShowTaken(manifest.Duration)}");
        output.SummaryLine(
            $"linked {SizeText.Show(manifest.BytesLinked)}, cloned {SizeText.Show(manifest.BytesCloned)}, copied {SizeText.Show(manifest.BytesCopied)}");
    }

    /// <summary>For programs: the members of an object.</summary>
    public static void WriteJson(Utf8JsonWriter writer, CheckpointManifest manifest, bool withFiles)
    {
        writer.WriteString("engine", manifest.Source.Engine);
        JsonNames.WriteName(writer, "path", "pathBase64", manifest.Source.Path);
        writer.WriteString("database", manifest.Database);
        if (manifest.Sequence is { } sequence) writer.WriteNumber("sequence", sequence);
        else writer.WriteNull("sequence");
        writer.WriteString("way", manifest.Way.ToString().ToLowerInvariant());
        writer.WriteNumber("fileCount", manifest.Files.Count);
        writer.WriteNumber("bytes", manifest.Bytes);
        writer.WriteNumber("linkedBytes", manifest.BytesLinked);
        writer.WriteNumber("clonedBytes", manifest.BytesCloned);
        writer.WriteNumber("copiedBytes", manifest.BytesCopied);
        if (!withFiles) return;
        writer.WriteStartArray("files");
        foreach (CheckpointFile file in manifest.Files)
        {
            writer.WriteStartObject();
            writer.WriteString("name", file.Name);
            writer.WriteNumber("bytes", file.Bytes);
            writer.WriteString("hash", file.Hash);
            writer.WriteString("identity", file.Identity);
            writer.WriteString("transfer", file.Transfer.ToString().ToLowerInvariant());
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static string Count(int files) => files == 1 ? "1 file" : FormattableString.Invariant($"{files:N0} files");

    private static string Way(CaptureWay way) => way switch
    {
        CaptureWay.Agent => "from the program that has it open",
        CaptureWay.Guarded => "from outside, while nothing changed",
        CaptureWay.Closed => "nobody had it open",
        CaptureWay.Owner => "by its owner",
        _ => "beside those who use it",
    };
}
