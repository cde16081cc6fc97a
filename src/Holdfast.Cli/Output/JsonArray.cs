using System.Text.Json;

namespace Holdfast.Cli.Output;

/// <summary>A JSON array that is written element by element, one to a line: listings of any length in little memory.</summary>
/// <remarks>A run that fails half-way leaves the array open, so that nobody takes it for the whole.</remarks>
internal sealed class JsonArray(CommandOutput output)
{
    private bool hasItems;

    /// <summary>Writes one element; nothing without <c>--json</c>.</summary>
    public void Add<T>(T item, Action<Utf8JsonWriter, T> write)
    {
        if (!output.Json) return;
        output.WriteRaw((hasItems ? ",\n" : "[\n") + CommandOutput.Render(item, write));
        hasItems = true;
    }

    /// <summary>Ends the array.</summary>
    public void End()
    {
        if (output.Json) output.WriteRaw(hasItems ? "\n]\n" : "[]\n");
    }
}
