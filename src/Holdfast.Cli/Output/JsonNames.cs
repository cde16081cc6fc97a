using System.Text.Json;
using Holdfast.Files;

namespace Holdfast.Cli.Output;

/// <summary>Names of files in JSON, which knows no bytes.</summary>
internal static class JsonNames
{
    /// <summary>Writes <c>path</c> and, when the name is not UTF-8, <c>pathBase64</c> with its bytes.</summary>
    public static void WritePath(Utf8JsonWriter writer, string path) => WriteName(writer, "path", "pathBase64", path);

    /// <summary>Writes a name under another property.</summary>
    public static void WriteName(Utf8JsonWriter writer, string property, string base64Property, string name)
    {
        WriteText(writer, property, name);
        if (SurrogateEscape.HasEscape(name)) writer.WriteBase64String(base64Property, SurrogateEscape.Encode(name));
    }

    /// <summary>Writes names as an array and, when one of them is not UTF-8, a second array with the bytes of all.</summary>
    public static void WritePaths(Utf8JsonWriter writer, string property, string base64Property, IReadOnlyList<string> names)
    {
        writer.WriteStartArray(property);
        foreach (string name in names) writer.WriteStringValue(SurrogateEscape.Readable(name));
        writer.WriteEndArray();
        if (!names.Any(static name => SurrogateEscape.HasEscape(name))) return;
        writer.WriteStartArray(base64Property);
        foreach (string name in names) writer.WriteBase64StringValue(SurrogateEscape.Encode(name));
        writer.WriteEndArray();
    }

    /// <summary>Writes text that may hold bytes that are not UTF-8, each as U+FFFD.</summary>
    public static void WriteText(Utf8JsonWriter writer, string property, string text) =>
        writer.WriteString(property, SurrogateEscape.Readable(text));
}
