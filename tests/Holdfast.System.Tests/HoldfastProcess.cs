using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Holdfast.Files;

namespace Holdfast.System.Tests;

/// What a run of the program left.
public sealed record HoldfastResult(int Code, byte[] OutputBytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    /// The one JSON document of a query.
    public JsonElement Document => JsonDocument.Parse(OutputBytes).RootElement;

    /// The lines of JSON of work, of one type.
    public IEnumerable<JsonElement> Records(string type) => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => JsonDocument.Parse(line).RootElement)
        .Where(record => record.GetProperty("type").GetString() == type);

    public JsonElement Summary => Records("summary").Single();

    public override string ToString() => $"exit code {Code}\n{Output}\n{Error}";
}

/// The real binary as a process of its own: out/holdfast where HOLDFAST_BINARY says so, else what the build made.
public sealed partial class HoldfastProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Process process;
    private readonly Task<byte[]> output;
    private readonly Task<byte[]> error;

    private HoldfastProcess(Process process)
    {
        this.process = process;
        output = ReadAsync(process.StandardOutput.BaseStream);
        error = ReadAsync(process.StandardError.BaseStream);
    }

    public int Id => process.Id;

    public Stream Input => process.StandardInput.BaseStream;

    public bool HasExited => process.HasExited;

    /// Starts it. Arguments are bytes, escaped as SurrogateEscape does; standard input is open until it is closed.
    public static HoldfastProcess Start(
        IReadOnlyDictionary<string, string> variables, string directory, IReadOnlyList<string> arguments, IReadOnlyList<string>? prefix = null)
    {
        string[] line = [.. prefix ?? [], .. Program(), .. arguments];
        var start = new ProcessStartInfo
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // .NET passes text; the shell makes bytes of it that are not UTF-8.
        if (line.Any(word => SurrogateEscape.HasEscape(word)))
        {
            start.FileName = "/bin/sh";
            start.ArgumentList.Add("-c");
            start.ArgumentList.Add("exec " + string.Join(' ', line.Select(Quote)));
        }
        else
        {
            start.FileName = line[0];
            foreach (string word in line.AsSpan(1)) start.ArgumentList.Add(word);
        }

        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("HOLDFAST_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in variables) start.Environment[name] = value;
        start.Environment["TZ"] = "UTC";
        return new HoldfastProcess(Process.Start(start)!);
    }

    /// Waits for its end; kills it when that takes too long.
    public async Task<HoldfastResult> WaitAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"no end after {Patience}: {Encoding.UTF8.GetString(await output)}{Encoding.UTF8.GetString(await error)}");
        }

        return new HoldfastResult(process.ExitCode, await output, Encoding.UTF8.GetString(await error));
    }

    /// As kill -9: nothing of it runs any more.
    public void Kill() => Signal(9);

    public void Signal(int number) => _ = SendSignal(process.Id, number);

    public void Dispose()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        process.Dispose();
    }

    private static string[] Program()
    {
        if (Environment.GetEnvironmentVariable("HOLDFAST_BINARY") is { Length: > 0 } binary) return [binary];
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string framework = here.Name, configuration = here.Parent!.Name;
        DirectoryInfo root = here.Parent.Parent!.Parent!.Parent!.Parent!;
        return ["dotnet", Path.Combine(root.FullName, "src", "Holdfast.Cli", "bin", configuration, framework, "holdfast.dll")];
    }

    private static string Quote(string word)
    {
        string octal = string.Concat(SurrogateEscape.Encode(word).Select(b => "\\" + Convert.ToString(b, 8).PadLeft(3, '0')));
        return $"\"$(printf '{octal}')\"";
    }

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        using var content = new MemoryStream();
        await stream.CopyToAsync(content);
        return content.ToArray();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int number);
}
