using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Hostile;

/// <summary>Everything that reads a vault, each as one word. What goes wrong in another way than by damage is thrown.</summary>
internal sealed class HostileVerbs : IDisposable
{
    public static readonly string[] All = ["ls", "find", "cat", "changes", "diff", "restore", "rehearse", "check", "stats", "export", "backup"];

    private readonly TemporaryDirectory directory = new(inMemory: true);

    /// <summary>Does it.</summary>
    /// <param name="verb">One of <see cref="All"/>.</param>
    /// <param name="vault">The vault, opened.</param>
    /// <param name="before">A good point of the same source.</param>
    /// <param name="id">The point that is read.</param>
    /// <param name="stop">Stops what would go on for ever.</param>
    /// <returns>What it complains of; null where nothing.</returns>
    public async Task<string?> RunAsync(string verb, OpenVault vault, SessionId before, SessionId id, CancellationToken stop)
    {
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, stop);
        RestorePoint? point = points.SingleOrDefault(candidate => candidate.Id == id);
        if (verb == "check") return await CheckAsync(vault, stop);
        if (point is null) return "the point is not there";
        try
        {
            switch (verb)
            {
                case "ls":
                    await foreach (PointEntry _ in PointTree.ListAsync(vault, point, default, recursive: true, stop)) stop.ThrowIfCancellationRequested();
                    return null;
                case "find":
                    await foreach (FoundEntry _ in PointSearch.FindAsync(vault, [point], "nowhere"u8.ToArray(), ignoreCase: false, stop)) stop.ThrowIfCancellationRequested();
                    return null;
                case "cat":
                    await PointTree.CopyContentAsync(vault, point, "file"u8.ToArray(), Stream.Null, stop);
                    return null;
                case "changes":
                    await foreach (TreeChange _ in RestorePoints.ReadChangesAsync(vault, point, stop)) stop.ThrowIfCancellationRequested();
                    return null;
                case "diff":
                    RestorePoint old = points.Single(candidate => candidate.Id == before);
                    await foreach (TreeChange _ in TreeDiff.CompareAsync(vault, old, point, stop)) stop.ThrowIfCancellationRequested();
                    return null;
                case "restore":
                    return await RestoreAsync(vault, point, isDryRun: false, stop);
                case "rehearse":
                    return await RestoreAsync(vault, point, isDryRun: true, stop);
                case "stats":
                    await VaultStats.OfVaultAsync(vault, stop);
                    await VaultStats.OfPointAsync(vault, point, stop);
                    return null;
                case "export":
                    using (VaultSecret secret = VaultFixture.Secret()) await ExportRun.RunAsync(vault, point, null, Stream.Null, secret, new WorkProgress(), stop);
                    return null;
                case "backup":
                    return await BackupAsync(vault, point, stop);
                default:
                    throw new ArgumentOutOfRangeException(nameof(verb), verb, null);
            }
        }
        catch (HoldfastException error) when (error.Kind is ErrorKind.Damage or ErrorKind.Usage or ErrorKind.WrongKey)
        {
            return error.Message;
        }
    }

    public void Dispose() => TreeGenerator.Delete(directory.Path);

    private static async Task<string?> CheckAsync(OpenVault vault, CancellationToken stop)
    {
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true }, stop);
        // The worlds of these tests are opened without a key slot.
        string[] damages = [.. report.Damages.Where(damage => !damage.ObjectName.StartsWith("keys/", StringComparison.Ordinal)).Select(damage => $"{damage.ObjectName}: {damage.What}")];
        return damages.Length == 0 ? null : string.Join('\n', damages);
    }

    private async Task<string?> RestoreAsync(OpenVault vault, RestorePoint point, bool isDryRun, CancellationToken stop)
    {
        string target = Path.Combine(directory.Path, "target"), outside = Path.Combine(directory.Path, "outside");
        Directory.CreateDirectory(target);
        Directory.CreateDirectory(outside);
        string? complaint = null;
        RestoreSummary summary;
        using (DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(target)).Value)
        {
            var request = new RestoreRequest { Target = tree, DryRun = isDryRun, OnNotice = notice => complaint ??= notice.Message };
            summary = await RestoreRun.RunAsync(vault, point, request, stop);
        }

        Assert.Equal(["outside", "target"], Directory.GetFileSystemEntries(directory.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Equal(complaint is null, summary.Errors == 0);
        return complaint;
    }

    /// <summary>With the point as base; the source has one file. The new point must be whole.</summary>
    private async Task<string?> BackupAsync(OpenVault vault, RestorePoint basePoint, CancellationToken stop)
    {
        string source = Path.Combine(directory.Path, "source");
        Directory.CreateDirectory(Path.Combine(source, "a"));
        File.WriteAllText(Path.Combine(source, "a/file"), "from the source");
        string? complaint = null;
        using DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(source)).Value;
        var request = new BackupRequest
        {
            Roots = [new BackupRoot(basePoint.Roots[0], tree, default)],
            Host = basePoint.Host,
            Workers = 1,
            OnNotice = notice => complaint ??= notice.Message,
        };
        BackupSummary summary = await BackupRun.RunAsync(vault, request, stop);
        Assert.Equal(basePoint.Id, summary.Base);
        RestorePoint made = RestorePoints.Find(await RestorePoints.ListAsync(vault, stop), summary.Point!.Value.ToString());
        SortedDictionary<string, byte[]> files = await FaultWorld.ReadAsync(vault, made);
        Assert.Equal("from the source", Encoding.UTF8.GetString(Assert.Single(files, file => file.Key == "a/file").Value));
        return complaint;
    }
}
