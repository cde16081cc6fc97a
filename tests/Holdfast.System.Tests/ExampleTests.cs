using System.Diagnostics;
using System.Runtime.CompilerServices;
using Holdfast.Bitcask;
using Holdfast.Log;

namespace Holdfast.System.Tests;

/// The examples do what they say.
public sealed class ExampleTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("holdfast-example-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task TheKeyValueExamplePrintsWhatStandsBesideIt()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string example = Path.Combine(Repository(), "examples", "KeyValue");
        string program = Path.Combine(example, "bin", here.Parent!.Name, here.Name, "KeyValue.dll");
        var start = new ProcessStartInfo("dotnet", [program, root]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.Equal("", await error);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(example, "output.txt")), output);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public void TheStartInTheReadmeIsTheCodeBelowAndRuns()
    {
        Start();
        using BitcaskStore copy = BitcaskStore.Open(Path.Combine(root, "sessions.copy"), new BitcaskOptions { ReadOnly = true });
        Assert.Equal("1"u8.ToArray(), copy.Get("a"u8));
        Assert.Equal(2, copy.Count);

        string readme = File.ReadAllText(Path.Combine(Repository(), "src", "Holdfast.Bitcask", "README.md"));
        string shown = readme.Split("```csharp\n")[1].Split("```")[0]
            .Replace("\"sessions\"", "Path.Combine(root, \"sessions\")", StringComparison.Ordinal)
            .Replace("\"sessions.copy\"", "Path.Combine(root, \"sessions.copy\")", StringComparison.Ordinal);
        string[] code = [.. CodeOf(File.ReadAllLines(ThisFile()))];
        string[] lines = [.. CodeOf(shown.Split('\n'))];
        Assert.True(lines.Length > 10);
        Assert.All(lines, line => Assert.Contains(line, code));
    }

    private void Start()
    {
        using BitcaskStore store = BitcaskStore.Open(Path.Combine(root, "sessions"));
        store.Put("user/17"u8, "Ada"u8);
        byte[]? value = store.Get("user/17"u8);
        store.Delete("user/17"u8);
        Assert.Equal("Ada"u8.ToArray(), value);

        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8, expires: DateTimeOffset.UtcNow.AddHours(1));
        batch.Put("b"u8, "2"u8);
        store.Write(batch, Durability.None);
        store.Checkpoint(Path.Combine(root, "sessions.copy"));
    }

    private static IEnumerable<string> CodeOf(string[] lines) =>
        lines.Select(line => line.Split("//")[0].Trim()).Where(line => line.Length > 0);

    private static string Repository() => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
