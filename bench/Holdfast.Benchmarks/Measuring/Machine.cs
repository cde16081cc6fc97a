using System.Globalization;

namespace Holdfast.Benchmarks.Measuring;

/// What a table must say about where it was made.
internal static class Machine
{
    public static string Load => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3));

    public static IReadOnlyList<string> Facts(ChildProcess processes) =>
    [
        $"{Environment.ProcessorCount} processors: {Field("/proc/cpuinfo", "model name")}",
        $"memory: {Gibibytes(Field("/proc/meminfo", "MemTotal"))} GiB",
        $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}, .NET {Environment.Version}",
        processes.FirstLine(Command.Shell(". /etc/os-release && echo \"$PRETTY_NAME\"")),
    ];

    private static string Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal), "?: ?").Split(':', 2)[1].Trim();

    private static string Gibibytes(string kilobytes) =>
        (long.Parse(kilobytes.Split(' ')[0], CultureInfo.InvariantCulture) / 1048576.0).ToString("F1", CultureInfo.InvariantCulture);
}
