using System.Diagnostics;
using System.Globalization;

namespace Holdfast.Benchmarks.Measuring;

/// What this process uses from a moment on: wall time, processor time of all its threads (getrusage), peak memory.
internal sealed class ProcessMeter
{
    private const int StealField = 8;

    private readonly double cpuSeconds;
    private readonly long started;

    private ProcessMeter()
    {
        // Sets the peak back to what is resident now (proc_pid_clear_refs(5)).
        File.WriteAllText("/proc/self/clear_refs", "5");
        cpuSeconds = CpuSeconds();
        started = Stopwatch.GetTimestamp();
    }

    public static ProcessMeter Start()
    {
        GC.Collect();
        return new ProcessMeter();
    }

    /// What was used since then.
    public Measurement Stop()
    {
        double wall = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return new Measurement(wall, CpuSeconds() - cpuSeconds, StatusBytes("VmHWM:"));
    }

    /// How long the calling thread has waited for a processor while it could have run (Documentation/scheduler/sched-stats).
    public static double RunDelaySeconds() =>
        long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[1], CultureInfo.InvariantCulture) / 1e9;

    /// <summary>
    /// How long the host of a virtual machine has kept all its processors from running together, in steps of 10 ms (steal,
    /// proc_stat(5)). A thread that runs then stands still without waiting for anything: no other clock shows it.
    /// </summary>
    public static double StolenSeconds()
    {
        string[] fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return long.Parse(fields[StealField], CultureInfo.InvariantCulture) / 100.0;
    }

    /// Memory of this process that no file stands behind.
    public static long AnonymousBytes() => StatusBytes("RssAnon:");

    /// All memory of this process, mapped files too.
    public static long ResidentBytes() => StatusBytes("VmRSS:");

    private static double CpuSeconds()
    {
        if (LibC.GetUsage(0, out LibC.ResourceUsage usage) != 0) throw new BenchmarkException("getrusage failed");
        return usage.CpuSeconds;
    }

    private static long StatusBytes(string field)
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line.AsSpan(field.Length, line.Length - field.Length - " kB".Length), CultureInfo.InvariantCulture) << 10;
    }
}
