using System.Runtime.InteropServices;
using System.Text.Json;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.LogSync;

/// The log beside bare writes to the same disk, in this process, way after way.
internal sealed class LogBenchmark(LogOptions options)
{
    public const int RecordBytes = 4096;
    public const int Writers = 32;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private readonly LogFigures figures = new();
    private readonly string scratch = Path.Combine(options.Place, $"holdfast-log-{Environment.ProcessId}");

    /// Bytes that no disk makes smaller.
    public static byte[] Record()
    {
        byte[] record = new byte[RecordBytes];
        new Random(1).NextBytes(record);
        return record;
    }

    public void Run()
    {
        Directory.CreateDirectory(scratch);
        try
        {
            var processes = new ChildProcess(Path.Combine(scratch, "output.txt"));
            using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, CleanUp);
            using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, CleanUp);
            List<string> facts =
            [
                .. Machine.Facts(processes),
                processes.FirstLine(new Command(["findmnt", "-n", "-o", "FSTYPE,OPTIONS", "-T", scratch])),
            ];
            string loadBefore = Machine.Load;
            if (options.Only.Contains("one")) OneWriterPart.Run(options, scratch, figures, Tell);
            if (options.Only.Contains("many")) ManyWritersPart.Run(options, scratch, figures, Tell);
            if (options.Only.Contains("stream"))
            {
                StreamPart.Run(options, scratch, figures, Tell, () => processes.Run(new Command(["sync", "-f", scratch])));
            }

            facts.Add($"load average {loadBefore} before, {Machine.Load} after");
            facts.Add($"medians of {options.Rounds} rounds");
            Write(facts);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// For a signal: the process ends, its files go.
    private void CleanUp(PosixSignalContext signal)
    {
        try
        {
            Directory.Delete(scratch, recursive: true);
        }
        catch (IOException)
        {
            // A writer may just have made a file: what is left lies in the directory for temporary files.
        }
    }

    private static void Tell(string line) => Console.Error.WriteLine(line);

    private void Write(List<string> facts)
    {
        var report = new LogReport(figures);
        foreach (string fact in facts) report.AddLine($"- {fact}");
        report.AddLine();
        report.AddAll();
        Console.WriteLine($"\n{report}");
        Directory.CreateDirectory(options.Results);
        File.WriteAllText(Path.Combine(options.Results, "log.md"), report.ToString());
        var document = new { facts, figures.Latencies, figures.Rates, figures.Streams };
        File.WriteAllText(Path.Combine(options.Results, "log.json"), JsonSerializer.Serialize(document, Json));
        Tell($"written: {options.Results}/log.md and log.json");
    }
}
