using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Holdfast.Log;

namespace Holdfast.Databases.Checkpoints;

/// <summary>The manifest as JSON. Layout: docs/formats/checkpoint.md.</summary>
internal static class ManifestText
{
    private const string Format = "holdfast-checkpoint";
    private const int Version = 1;
    private const int MaxBytes = 256 << 20;

    /// <summary>Reads the manifest of a directory; null when it has none.</summary>
    /// <exception cref="HoldfastException">It is damaged, or of an unknown version.</exception>
    public static CheckpointManifest? TryRead(IDisk disk, string directory)
    {
        string path = $"{directory}/{CheckpointManifest.FileName}";
        using IDiskFile? file = disk.TryOpen(path, DiskAccess.Read);
        if (file is null) return null;
        long length = file.Length;
        if (length is 0 or > MaxBytes) throw Damaged(path, $"{length} bytes are no manifest");
        byte[] bytes = new byte[length];
        int read = file.Read(0, bytes);
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes.AsMemory(0, read));
            return Decode(document.RootElement, path);
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw Damaged(path, fault.Message.Split('\n')[0]);
        }
    }

    /// <summary>Writes the manifest into a directory that nobody else looks at, durably but for its name.</summary>
    public static void Write(IDisk disk, string directory, CheckpointManifest manifest)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true })) Encode(writer, manifest);
        text.Write("\n"u8);
        using IDiskFile file = disk.CreateUnnamed(directory);
        file.Write(0, text.WrittenSpan);
        file.Sync();
        string path = $"{directory}/{CheckpointManifest.FileName}";
        if (disk.TryPublish(file, path)) return;
        throw new HoldfastException(ErrorKind.Failed, $"{path}: exists already", "another program writes there");
    }

    private static void Encode(Utf8JsonWriter writer, CheckpointManifest manifest)
    {
        writer.WriteStartObject();
        writer.WriteString("format", Format);
        writer.WriteNumber("version", Version);
        writer.WriteString("engine", manifest.Source.Engine);
        writer.WriteString("path", manifest.Source.Path);
        if (manifest.Database is { } database) writer.WriteString("database", database);
        if (manifest.Sequence is { } sequence) writer.WriteNumber("sequence", sequence);
        writer.WriteString("way", NameOf(manifest.Way));
        writer.WriteString("created", manifest.Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture));
        writer.WriteNumber("milliseconds", (long)manifest.Duration.TotalMilliseconds);
        if (manifest.Limits is { } limits) writer.WriteString("limits", limits);
        writer.WriteStartArray("files");
        foreach (CheckpointFile file in manifest.Files)
        {
            writer.WriteStartObject();
            writer.WriteString("name", file.Name);
            writer.WriteNumber("bytes", file.Bytes);
            writer.WriteString("hash", file.Hash);
            if (file.Identity is { } identity) writer.WriteString("identity", identity);
            writer.WriteString("transfer", NameOf(file.Transfer));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static CheckpointManifest Decode(JsonElement root, string path)
    {
        string? format = root.GetProperty("format").GetString();
        if (format != Format) throw Damaged(path, $"format '{format}', expected '{Format}'");
        int version = root.GetProperty("version").GetInt32();
        if (version != Version)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{path}: format version {version}, this program reads version {Version}",
                "use the version of holdfast that wrote it, or a newer one");
        }

        return new CheckpointManifest
        {
            Source = new DatabaseAddress(root.GetProperty("engine").GetString() ?? "", root.GetProperty("path").GetString() ?? ""),
            Database = root.TryGetProperty("database", out JsonElement database) ? database.GetString() : null,
            Sequence = root.TryGetProperty("sequence", out JsonElement sequence) ? sequence.GetUInt64() : null,
            Way = ValueOf<CaptureWay>(root.GetProperty("way")),
            Created = root.GetProperty("created").GetDateTimeOffset(),
            Duration = TimeSpan.FromMilliseconds(root.GetProperty("milliseconds").GetInt64()),
            Limits = root.TryGetProperty("limits", out JsonElement limits) ? limits.GetString() : null,
            Files = [.. root.GetProperty("files").EnumerateArray().Select(file => DecodeFile(file, path))],
        };
    }

    private static CheckpointFile DecodeFile(JsonElement file, string path)
    {
        string name = file.GetProperty("name").GetString() ?? "";
        // A name leads nowhere else, whoever wrote the manifest.
        if (name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal)) throw Damaged(path, $"'{name}' is no name of a file");
        return new CheckpointFile(
            name, file.GetProperty("bytes").GetInt64(), file.GetProperty("hash").GetString() ?? "",
            file.TryGetProperty("identity", out JsonElement identity) ? identity.GetString() : null,
            ValueOf<FileTransfer>(file.GetProperty("transfer")));
    }

    private static string NameOf<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static T ValueOf<T>(JsonElement element)
        where T : struct, Enum => Enum.Parse<T>(element.GetString() ?? "", ignoreCase: true);

    private static HoldfastException Damaged(string path, string reason) =>
        new(ErrorKind.Damage, $"{path}: {reason}", "make the checkpoint again");
}
