using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Holdfast.Log;

namespace Holdfast.Bitcask.Checkpoints;

/// <summary>What a checkpoint or backup holds. Layout: docs/formats/bitcask.md, "Manifest".</summary>
internal sealed record Manifest
{
    /// <summary>The file's name.</summary>
    public const string FileName = "MANIFEST.json";

    private const string Format = "holdfast-bitcask-manifest";
    private const int Version = 1;
    private const int MaxBytes = 64 << 20;
    private const int PieceBytes = 16 << 10;

    public required string Store { get; init; }

    public required ulong Sequence { get; init; }

    public required long Keys { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required IReadOnlyList<ManifestSegment> Segments { get; init; }

    /// <summary>Reads the manifest of a directory; null when it has none.</summary>
    /// <exception cref="HoldfastException">It is damaged, or of an unknown version.</exception>
    public static Manifest? TryRead(IDisk disk, string directory)
    {
        string path = $"{directory}/{FileName}";
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
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw Damaged(path, fault.Message.Split('\n')[0]);
        }
    }

    /// <summary>Writes the manifest into a directory that nobody else looks at, durably but for its name.</summary>
    public void Write(IDisk disk, string directory)
    {
        using IDiskFile file = disk.CreateUnnamed(directory);
        WriteTo(file);
        file.Sync();
        string path = $"{directory}/{FileName}";
        if (disk.TryPublish(file, path)) return;
        throw new HoldfastException(ErrorKind.Failed, $"{path}: exists already", "another program writes there");
    }

    /// <summary>Replaces the manifest of a directory in one step, durably.</summary>
    public void Replace(IDisk disk, IEntropy entropy, string directory)
    {
        Span<byte> random = stackalloc byte[8];
        entropy.Fill(random);
        string staged = $"{directory}/{IDisk.StagingPrefix}{Convert.ToHexStringLower(random)}";
        using (IDiskFile file = disk.CreateUnnamed(directory))
        {
            WriteTo(file);
            file.Sync();
            if (!disk.TryPublish(file, staged)) throw new InvalidOperationException($"{staged} exists");
        }

        disk.Rename(staged, $"{directory}/{FileName}");
        disk.SyncDirectory(directory);
    }

    // In pieces: a manifest of many segments is large, and need not lie in memory whole.
    private void WriteTo(IDiskFile file)
    {
        var buffer = new ArrayBufferWriter<byte>(PieceBytes);
        long written = 0;
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true });
        writer.WriteStartObject();
        writer.WriteString("format", Format);
        writer.WriteNumber("version", Version);
        writer.WriteString("store", Store);
        writer.WriteNumber("sequence", Sequence);
        writer.WriteNumber("keys", Keys);
        writer.WriteString("created", Text(Created));
        writer.WriteStartArray("segments");
        foreach (ManifestSegment segment in Segments)
        {
            Encode(writer, segment);
            if (writer.BytesPending + buffer.WrittenCount >= PieceBytes / 2) Flush();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        buffer.Write("\n"u8);
        Flush();

        void Flush()
        {
            writer.Flush();
            file.Write(written, buffer.WrittenSpan);
            written += buffer.WrittenCount;
            buffer.ResetWrittenCount();
        }
    }

    private static void Encode(Utf8JsonWriter writer, ManifestSegment segment)
    {
        writer.WriteStartObject();
        writer.WriteNumber("number", segment.Number);
        Span<char> incarnation = stackalloc char[16];
        _ = segment.Incarnation.TryFormat(incarnation, out _, "x16", CultureInfo.InvariantCulture);
        writer.WriteString("incarnation", incarnation);
        writer.WriteString("file", segment.Data.Name);
        writer.WriteNumber("bytes", segment.Data.Bytes);
        writer.WriteString("hash", segment.Data.Hash);
        if (segment.Hint is { } hint)
        {
            writer.WriteString("hintFile", hint.Name);
            writer.WriteNumber("hintBytes", hint.Bytes);
            writer.WriteString("hintHash", hint.Hash);
        }

        if (segment.Verified is { } verified) writer.WriteString("verified", Text(verified));
        writer.WriteEndObject();
    }

    private static Manifest Decode(JsonElement root, string path)
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

        return new Manifest
        {
            Store = root.GetProperty("store").GetString() ?? "",
            Sequence = root.GetProperty("sequence").GetUInt64(),
            Keys = root.GetProperty("keys").GetInt64(),
            Created = root.GetProperty("created").GetDateTimeOffset(),
            Segments = [.. root.GetProperty("segments").EnumerateArray().Select(element => DecodeSegment(element, path))],
        };
    }

    private static ManifestSegment DecodeSegment(JsonElement element, string path) => new(
        element.GetProperty("number").GetUInt32(),
        ulong.Parse(element.GetProperty("incarnation").GetString()!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
        new ManifestFile(
            NameOf(element.GetProperty("file"), path), element.GetProperty("bytes").GetInt64(),
            element.GetProperty("hash").GetString()!),
        element.TryGetProperty("hintFile", out JsonElement hint)
            ? new ManifestFile(
                NameOf(hint, path), element.GetProperty("hintBytes").GetInt64(), element.GetProperty("hintHash").GetString()!)
            : null,
        element.TryGetProperty("verified", out JsonElement verified) ? verified.GetDateTimeOffset() : null);

    // A name leads nowhere else, whoever wrote the manifest.
    private static string NameOf(JsonElement element, string path)
    {
        string name = element.GetString() ?? "";
        return name.Length is > 0 and < 64 && name[0] != '.' && !name.Contains('/', StringComparison.Ordinal)
            ? name
            : throw Damaged(path, $"'{name}' is no name of a file");
    }

    private static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    private static HoldfastException Damaged(string path, string reason) =>
        new(ErrorKind.Damage, $"{path}: {reason}", "make the checkpoint or backup again");
}

/// <summary>A segment of a manifest.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Incarnation">Which use of the number: with it, number and store name the segment.</param>
/// <param name="Data">Its file.</param>
/// <param name="Hint">Its hint file, if it has one.</param>
/// <param name="Verified">When its files were last read whole and found right; null = not yet.</param>
internal sealed record ManifestSegment(
    uint Number, ulong Incarnation, ManifestFile Data, ManifestFile? Hint, DateTimeOffset? Verified)
{
    /// <summary>Whether this is the same segment with the same content.</summary>
    public bool IsSameAs(ManifestSegment other) =>
        Number == other.Number && Incarnation == other.Incarnation && Data == other.Data;
}

/// <summary>A file of a manifest.</summary>
/// <param name="Name">Without its directory.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Hash">Of its content (<see cref="ContentHash"/>), lower-case hex.</param>
internal sealed record ManifestFile(string Name, long Bytes, string Hash);
