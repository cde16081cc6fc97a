using System.Buffers;
using System.Text.Json;
using Holdfast.Log;

namespace Holdfast.Databases.Agents;

/// <summary>What a checkpoint agent is asked and answers: a line of JSON each. Layout: docs/formats/checkpoint.md, "Agent".</summary>
internal static class AgentMessages
{
    /// <summary>Longer questions are no questions.</summary>
    public const int MaxQuestionBytes = 64 << 10;

    /// <summary>Longer answers are no answers: a million files are less.</summary>
    public const int MaxAnswerBytes = 512 << 20;

    private const int Protocol = 1;

    public static byte[] Question(string directory, CaptureOptions options) => Line(writer =>
    {
        writer.WriteNumber("holdfast", Protocol);
        writer.WriteString("capture", directory);
        writer.WriteBoolean("flush", options.Flush);
        if (options.MaxBytesPerSecond is { } rate) writer.WriteNumber("maxBytesPerSecond", rate);
    });

    public static (string Directory, CaptureOptions Options) ReadQuestion(ReadOnlyMemory<byte> line)
    {
        using JsonDocument document = Parse(line);
        JsonElement root = document.RootElement;
        string directory = root.GetProperty("capture").GetString() ?? "";
        if (!directory.StartsWith('/')) throw new FormatException($"'{directory}' is no absolute path");
        return (directory, new CaptureOptions
        {
            Flush = root.GetProperty("flush").GetBoolean(),
            MaxBytesPerSecond = root.TryGetProperty("maxBytesPerSecond", out JsonElement rate) ? rate.GetInt64() : null,
        });
    }

    public static byte[] Answer(string engine, Capture capture) => Line(writer =>
    {
        writer.WriteNumber("holdfast", Protocol);
        writer.WriteString("engine", engine);
        if (capture.Database is { } database) writer.WriteString("database", database);
        if (capture.Sequence is { } sequence) writer.WriteNumber("sequence", sequence);
        writer.WriteStartArray("files");
        foreach (CapturedFile file in capture.Files)
        {
            writer.WriteStartObject();
            writer.WriteString("name", file.Name);
            if (file.Identity is { } identity) writer.WriteString("identity", identity);
            writer.WriteNumber("transfer", (int)file.Transfer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    public static byte[] Failure(ErrorKind kind, string message, string? hint) => Line(writer =>
    {
        writer.WriteNumber("holdfast", Protocol);
        writer.WriteNumber("failure", (int)kind);
        writer.WriteString("message", message);
        if (hint is not null) writer.WriteString("hint", hint);
    });

    /// <exception cref="HoldfastException">What the agent failed with.</exception>
    public static Capture ReadAnswer(ReadOnlyMemory<byte> line, string engine)
    {
        using JsonDocument document = Parse(line);
        JsonElement root = document.RootElement;
        if (root.TryGetProperty("failure", out JsonElement failure))
        {
            var kind = (ErrorKind)failure.GetInt32();
            string? hint = root.TryGetProperty("hint", out JsonElement advice) ? advice.GetString() : null;
            throw new HoldfastException(Enum.IsDefined(kind) ? kind : ErrorKind.Failed, root.GetProperty("message").GetString() ?? "", hint);
        }

        string? found = root.GetProperty("engine").GetString();
        if (found != engine) throw new FormatException($"engine '{found}', expected '{engine}'");
        var files = new List<CapturedFile>();
        foreach (JsonElement file in root.GetProperty("files").EnumerateArray())
        {
            string name = file.GetProperty("name").GetString() ?? "";
            if (name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal)) throw new FormatException($"'{name}' is no name of a file");
            var transfer = (FileTransfer)file.GetProperty("transfer").GetInt32();
            files.Add(new CapturedFile(name, file.TryGetProperty("identity", out JsonElement identity) ? identity.GetString() : null, transfer));
        }

        return new Capture(
            root.TryGetProperty("database", out JsonElement database) ? database.GetString() : null,
            root.TryGetProperty("sequence", out JsonElement sequence) ? sequence.GetUInt64() : null, CaptureWay.Agent, files);
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> line)
    {
        JsonDocument document = JsonDocument.Parse(line);
        int protocol = document.RootElement.GetProperty("holdfast").GetInt32();
        if (protocol == Protocol) return document;
        document.Dispose();
        throw new FormatException($"protocol {protocol}, expected {Protocol}");
    }

    private static byte[] Line(Action<Utf8JsonWriter> write)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(text))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        text.Write("\n"u8);
        return text.WrittenSpan.ToArray();
    }
}
