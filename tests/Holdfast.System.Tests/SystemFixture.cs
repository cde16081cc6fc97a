using System.Text.Json;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// A directory for one test with a source and a place for a vault, and short ways to run the program there.
public sealed class SystemFixture : IDisposable
{
    public SystemFixture()
    {
        Root = Directory.CreateTempSubdirectory("holdfast-system-").FullName;
        Source = PathOf("source");
        Vault = PathOf("vault");
        Directory.CreateDirectory(Source);
        Variables = new Dictionary<string, string> { ["HOLDFAST_VAULT"] = Vault, ["HOLDFAST_PASSWORD"] = "correct horse", ["XDG_STATE_HOME"] = PathOf("state") };
    }

    public static bool IsRoot => Environment.IsPrivilegedProcess;

    public string Root { get; }

    public string Source { get; }

    public string Vault { get; }

    public Dictionary<string, string> Variables { get; }

    public string PathOf(string name) => Path.Combine(Root, name);

    public void Write(string name, string text)
    {
        string path = Path.Combine(Source, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    /// A file of random bytes: content that is in no other.
    public void WriteRandom(string name, int seed, int bytes)
    {
        byte[] content = new byte[bytes];
        new Random(seed).NextBytes(content);
        string path = Path.Combine(Source, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }

    public HoldfastProcess Start(params string[] arguments) => HoldfastProcess.Start(Variables, Root, arguments);

    public async Task<HoldfastResult> RunAsync(params string[] arguments)
    {
        using HoldfastProcess process = Start(arguments);
        process.Input.Close();
        return await process.WaitAsync();
    }

    public async Task<HoldfastResult> RunWithAsync(byte[] input, params string[] arguments)
    {
        using HoldfastProcess process = Start(arguments);
        await process.Input.WriteAsync(input);
        process.Input.Close();
        return await process.WaitAsync();
    }

    /// Runs it and expects an exit code.
    public async Task<HoldfastResult> ExpectAsync(int code, params string[] arguments)
    {
        HoldfastResult result = await RunAsync(arguments);
        Assert.True(result.Code == code, $"holdfast {string.Join(' ', arguments)}: {code} expected, {result}");
        return result;
    }

    public Task<HoldfastResult> InitAsync() => ExpectAsync(0, "init");

    /// Backs up the source, and returns the summary.
    public async Task<JsonElement> BackupAsync(params string[] arguments) =>
        (await ExpectAsync(0, ["backup", Source, "--json", .. arguments])).Summary;

    public async Task<string> BackupPointAsync(params string[] arguments) =>
        (await BackupAsync(arguments)).GetProperty("point").GetString()!;

    /// Restores a point to a new directory and compares everything with a tree, or with a snapshot of it.
    public async Task ExpectRestoredAsync(string point, TreeSnapshot expected, TreeCompareOptions? options = null)
    {
        string target = PathOf("restored-" + Guid.NewGuid().ToString("n"));
        await ExpectAsync(0, "restore", point, "--to", target);
        TreeCompare.AssertEqual(expected, TreeSnapshot.Take(target), options ?? new TreeCompareOptions { IgnoreSockets = true, IgnoreSparseness = true });
        TreeGenerator.Delete(target);
    }

    public async Task<IReadOnlyList<string>> PointsAsync() =>
        [.. (await ExpectAsync(0, "points", "--json")).Document.EnumerateArray().Select(point => point.GetProperty("id").GetString()!)];

    /// The packs of data in the vault, each as its path.
    public IReadOnlyList<string> Packs() => Directory.Exists(Path.Combine(Vault, "data"))
        ? [.. Directory.EnumerateFiles(Path.Combine(Vault, "data"), "0*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)]
        : [];

    public void Dispose() => TreeGenerator.Delete(Root);
}
