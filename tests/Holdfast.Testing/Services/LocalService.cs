using System.Diagnostics;

namespace Holdfast.Testing.Services;

/// <summary>A server of tests/services on this machine, started for the tests of one run and ended with them.</summary>
public sealed class LocalService : IDisposable
{
    private readonly string script;
    private readonly string directory;
    private readonly string[] prefix;

    private LocalService(string script, string directory, string[] prefix, IReadOnlyDictionary<string, string> values) =>
        (this.script, this.directory, this.prefix, Values) = (script, directory, prefix, values);

    /// <summary>What it says about itself: its address and credentials.</summary>
    public IReadOnlyDictionary<string, string> Values { get; }

    /// <summary>Where its files are.</summary>
    public string Directory => directory;

    /// <summary>Starts a server; returns when it answers.</summary>
    /// <param name="name">Its script, such as "s3".</param>
    /// <param name="variables">Set for the script.</param>
    public static LocalService Start(string name, params ReadOnlySpan<(string Name, string Value)> variables) => Start(name, [], variables);

    /// <summary>The same through another command, such as one that enters a network of its own.</summary>
    public static LocalService Start(string name, string[] prefix, params ReadOnlySpan<(string Name, string Value)> variables)
    {
        string script = Path.Combine(Root(), "tests", "services", $"{name}.sh");
        string directory = System.IO.Directory.CreateTempSubdirectory($"holdfast-{name}-").FullName;
        string output = Run(prefix, script, "start", directory, variables);
        Dictionary<string, string> values = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2))
            .ToDictionary(parts => parts[0], parts => parts[1].Trim('\''), StringComparer.Ordinal);
        return new LocalService(script, directory, prefix, values);
    }

    /// <summary>Ends it and forgets its data.</summary>
    public void Dispose()
    {
        Run(prefix, script, "stop", directory, []);
        System.IO.Directory.Delete(directory, recursive: true);
    }

    private static string Run(string[] prefix, string script, string verb, string directory, ReadOnlySpan<(string Name, string Value)> variables)
    {
        string said = Path.Combine(directory, $"{verb}.messages");
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardOutput = true };
        // Into a file: the servers inherit it, and a pipe would stay open for as long as they run.
        foreach (string word in (string[])["-c", "exec \"$0\" \"$@\" 2>\"$SAID\"", .. prefix, script, verb, directory]) start.ArgumentList.Add(word);
        start.Environment["SAID"] = said;
        foreach ((string name, string value) in variables) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{Path.GetFileName(script)} {verb}: exit code {process.ExitCode}: {File.ReadAllText(said)}");
    }

    private static string Root()
    {
        for (DirectoryInfo? place = new(AppContext.BaseDirectory); place is not null; place = place.Parent)
        {
            if (File.Exists(Path.Combine(place.FullName, "Holdfast.slnx"))) return place.FullName;
        }

        throw new DirectoryNotFoundException($"{AppContext.BaseDirectory}: not below the repository");
    }
}
