namespace Holdfast.Benchmarks.Measuring;

/// A command line with its variables, run in a directory.
internal sealed record Command(string[] Words)
{
    /// Added to the variables of this process, without those that the tools themselves heed.
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    public string Directory { get; init; } = "/";

    /// Whether it is run even after the user has stopped the benchmark.
    public bool CleansUp { get; init; }

    /// A line for the shell; <c>$1</c> and so on are the further words.
    public static Command Shell(string script, params string[] words) => new(["/bin/sh", "-c", script, "sh", .. words]);

    public override string ToString() => string.Join(' ', Words);
}
