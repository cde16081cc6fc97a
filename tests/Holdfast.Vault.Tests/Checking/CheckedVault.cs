using System.Text;

namespace Holdfast.Vault.Tests.Checking;

/// <summary>
/// A vault with two points of one source: the second has another d1/f1. Each test damages it, checks, and puts back what
/// was there, so that the cost of making it is paid once.
/// </summary>
public sealed class CheckedVault : IAsyncLifetime
{
    public VaultFixture Fixture { get; } = new();

    public OpenVault Vault { get; private set; } = null!;

    public SessionId First { get; private set; }

    public SessionId Second { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Fixture.WriteSource();
        Vault = await Fixture.InitAsync();
        First = (await Fixture.BackupAsync(Vault, OneWorker)).Point!.Value;
        File.WriteAllBytes(Path.Combine(Fixture.Source, "d1/f1"), Encoding.UTF8.GetBytes("something else"));
        Second = (await Fixture.BackupAsync(Vault, OneWorker)).Point!.Value;
    }

    public ValueTask DisposeAsync()
    {
        Vault.Dispose();
        Fixture.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A name with <c>{1}</c> and <c>{2}</c> for the sessions, and <c>KEY</c> for the key slot.</summary>
    public string Name(string pattern) => pattern
        .Replace("{1}", First.ToString(), StringComparison.Ordinal)
        .Replace("{2}", Second.ToString(), StringComparison.Ordinal)
        .Replace("KEY", Vault.KeySlotId, StringComparison.Ordinal);

    public async Task<CheckReport> CheckDamagedAsync(CheckRequest request, params (string Name, Action<string> Damage)[] damages)
    {
        string kept = Path.Combine(Fixture.Root, "kept");
        Copy(Fixture.VaultPath, kept);
        try
        {
            foreach ((string name, Action<string> damage) in damages) damage(Name(name));
            return await CheckAsync(request);
        }
        finally
        {
            Testing.TreeGenerator.Delete(Fixture.VaultPath);
            Directory.Move(kept, Fixture.VaultPath);
        }
    }

    /// <summary>Checks, and once more with the table of chunks in a file: that has to find the same.</summary>
    public async Task<CheckReport> CheckAsync(CheckRequest request)
    {
        CheckReport report = await CheckRun.RunAsync(Vault, request, TestContext.Current.CancellationToken);
        CheckReport other = await CheckRun.RunAsync(Vault, request with { TableBytes = 1, TemporaryDirectory = Fixture.Root }, TestContext.Current.CancellationToken);
        Assert.Equal(report.Chunks, other.Chunks);
        Assert.Equal(report.Files, other.Files);
        // A part that is drawn is another each time.
        if (request.Subset is not null) return report;
        Assert.Equal(report.Damages.Select(static damage => (damage.ObjectName, damage.What)), other.Damages.Select(static damage => (damage.ObjectName, damage.What)));
        Assert.Equal(Affected(report), Affected(other));
        return report;
    }

    /// <summary>Affected paths as <c>1:Data:d0/f1[0+70000]</c>: point, kind, path below the source, ranges.</summary>
    public string[] Affected(CheckReport report) => [.. report.Damages.SelectMany(damage => damage.Affected).Select(Describe).Order(StringComparer.Ordinal)];

    private string Describe(AffectedPath affected)
    {
        string path = Encoding.UTF8.GetString(affected.Path.Span);
        if (path.Length > 0) path = Path.GetRelativePath(Fixture.Source, path);
        return $"{(affected.Point == First ? 1 : affected.Point == Second ? 2 : 0)}:{affected.Kind}:{path}"
            + string.Concat(affected.Ranges.Select(range => $"[{range.Offset}+{range.Length}]"));
    }

    private static BackupRequest OneWorker(BackupRequest request) => request with { Workers = 1 };

    private static void Copy(string from, string to)
    {
        foreach (string path in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(path, target);
        }
    }
}
