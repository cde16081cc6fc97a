using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Holdfast.Log;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>This test program once more, as one that makes a checkpoint of a SQLite database until it is killed.</summary>
internal sealed class SqliteCopyProcess : IDisposable
{
    private const string Variable = "HOLDFAST_TEST_SQLITE_COPY";

    private readonly Process process;
    private readonly string target;
    private readonly string[] earlier;

    public SqliteCopyProcess(string database, string target, long bytesPerSecond)
    {
        this.target = target;
        // Another one that was killed may have left one.
        earlier = StagesOf(target);
        var start = new ProcessStartInfo(Path.ChangeExtension(typeof(SqliteCopyProcess).Assembly.Location, null)) { RedirectStandardError = true };
        start.Environment[Variable] = string.Join('\n', database, target, bytesPerSecond.ToString(CultureInfo.InvariantCulture));
        process = Process.Start(start)!;
    }

    /// <summary>Names beside a target that say that a copy is being made, or was.</summary>
    public static string[] StagesOf(string target) =>
        Directory.GetDirectories(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.holdfast-*");

    /// <summary>kill -9, once so much of the copy is there; 0: as soon as anything is.</summary>
    /// <returns>Whether it was at work until then.</returns>
    public bool KillAt(long bytes)
    {
        bool reached = SpinWait.SpinUntil(() => process.HasExited || BytesStaged() >= bytes, TimeSpan.FromSeconds(120));
        bool wasAtWork = !process.HasExited;
        process.Kill();
        process.WaitForExit();
        Assert.True(reached, "the copy does not get on");
        if (!wasAtWork) Assert.Equal((0, ""), (process.ExitCode, process.StandardError.ReadToEnd()));
        return wasAtWork;
    }

    public void Dispose() => process.Dispose();

    /// The test program's own Main would look for tests to run.
    [ModuleInitializer]
    internal static void RunAsCopy()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } text) return;
        string[] arguments = text.Split('\n');
        var options = new CheckpointOptions { Capture = new CaptureOptions { MaxBytesPerSecond = long.Parse(arguments[2], CultureInfo.InvariantCulture) } };
        new DatabaseCheckpointer(Host.CreateReal()).Checkpoint(DatabaseEngines.Get("sqlite").Find(arguments[0]), arguments[1], options);
        Environment.Exit(0);
    }

    private long BytesStaged()
    {
        try
        {
            string[] stages = [.. StagesOf(target).Except(earlier)];
            return stages.Length == 0 ? -1 : stages.Sum(stage => new DirectoryInfo(stage).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length));
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            // It is just being finished.
            return -1;
        }
    }
}
