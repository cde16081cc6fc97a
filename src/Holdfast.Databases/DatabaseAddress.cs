using Holdfast.Log;

namespace Holdfast.Databases;

/// <summary>Where a database lies: <c>ENGINE:PATH</c>.</summary>
/// <param name="Engine">Name of its engine.</param>
/// <param name="Path">Absolute path of its directory, or of its file.</param>
public sealed record DatabaseAddress(string Engine, string Path)
{
    /// <summary>Reads an address as a user writes it; a relative path is taken from the current directory.</summary>
    /// <exception cref="HoldfastException">Kind Usage: no known engine, or no path.</exception>
    public static DatabaseAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string engine = colon < 0 ? "" : text[..colon];
        if (!DatabaseEngines.Names.Contains(engine))
        {
            throw new HoldfastException(
                ErrorKind.Usage, $"'{text}': expected ENGINE:PATH with one of the engines {string.Join(", ", DatabaseEngines.Names)}",
                $"such as {DatabaseEngines.Names[0]}:/srv/data");
        }

        string path = text[(colon + 1)..];
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new HoldfastException(ErrorKind.Usage, $"'{text}': the path is missing", $"such as {engine}:/srv/data");
        }

        string full = System.IO.Path.GetFullPath(path);
        return new DatabaseAddress(engine, full.Length > 1 ? full.TrimEnd('/') : full);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Engine}:{Path}";
}
