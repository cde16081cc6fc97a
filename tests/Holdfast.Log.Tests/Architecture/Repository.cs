namespace Holdfast.Log.Tests.Architecture;

/// <summary>The source tree that these tests were built from.</summary>
internal static class Repository
{
    private const string Prefix = "Holdfast.";

    public static string Root { get; } = FindRoot();

    /// <summary>The floors there are, by the names of their directories.</summary>
    public static string[] Floors =>
    [
        .. Directory.GetDirectories(Path.Combine(Root, "src"), $"{Prefix}*")
            .Where(d => Directory.GetFiles(d, "*.csproj").Length > 0)
            .Select(d => Path.GetFileName(d)[Prefix.Length..])
            .Order(StringComparer.Ordinal),
    ];

    public static string FloorPath(string floor) => Path.Combine(Root, "src", Prefix + floor);

    /// <summary>The sources of a floor that people wrote.</summary>
    public static IEnumerable<string> SourceFiles(string floor) =>
        Directory.EnumerateFiles(FloorPath(floor), "*.cs", SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(FloorPath(floor), f).Split('/').Any(part => part is "bin" or "obj"));

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory);
            directory is not null;
            directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Holdfast.slnx"))) return directory.FullName;
        }

        throw new InvalidOperationException($"no Holdfast.slnx above {AppContext.BaseDirectory}");
    }
}
