using System.Text;

namespace Holdfast.Vault.Tests;

/// <summary>Full, differential and incremental as people mean them.</summary>
public sealed class KindTests : IDisposable
{
    private readonly VaultFixture fixture = new();
    private int writes;

    private CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task ADifferentialRecordsWhatChangedSinceTheLastFull()
    {
        Write("kept", "kept");
        Write("changed", "before");
        Write("dir/gone", "gone");
        Write("dir/stays", "stays");
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary full = await fixture.BackupAsync(vault, request => request with { Kind = PointKind.Full });
        Write("changed", "after, and longer");
        await fixture.BackupAsync(vault);
        Write("new", "new");
        Directory.Delete(Path.Combine(fixture.Source, "dir"), recursive: true);

        BackupSummary differential = await fixture.BackupAsync(vault, request => request with { Kind = PointKind.Differential });
        BackupSummary incremental = await fixture.BackupAsync(vault);

        Assert.Equal(PointKind.Differential, differential.Kind);
        Assert.Equal(full.Point, differential.Base);
        Assert.Equal((1, 1, 1, 2), (differential.Counts.FilesNew, differential.Counts.FilesChanged, differential.Counts.FilesUnmodified, differential.Counts.FilesDeleted));
        Assert.Equal(["M changed", "D dir", "D dir/gone", "D dir/stays", "A new"], await ChangesAsync(vault, differential));
        Assert.Equal(differential.Point, incremental.Base);
        Assert.Empty(await ChangesAsync(vault, incremental));
        Assert.Empty(await ChangesAsync(vault, full));
    }

    [Fact]
    public async Task ADifferentialWithNothingToCompareWithIsAFull()
    {
        Write("file", "content");
        using OpenVault vault = await fixture.InitAsync();

        BackupSummary summary = await fixture.BackupAsync(vault, request => request with { Kind = PointKind.Differential });

        Assert.Equal(PointKind.Full, summary.Kind);
        Assert.Null(summary.Base);
    }

    [Fact]
    public async Task AFullReadsEveryFileAgainAndStoresNothingTwice()
    {
        Write("file", new string('x', 300_000));
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);

        BackupSummary second = await fixture.BackupAsync(vault, request => request with { Kind = PointKind.Full });

        Assert.Equal(first.Counts.BytesRead, second.Counts.BytesRead);
        Assert.Equal(0, second.Counts.BytesAdded);
    }

    [Fact]
    public async Task AFileWithItsOldSizeAndMtimeIsFoundByItsCtimeOrByReading()
    {
        string path = Write("file", "before");
        using OpenVault vault = await fixture.InitAsync();
        await Task.Delay(50, Token);
        await fixture.BackupAsync(vault);
        DateTime modified = File.GetLastWriteTimeUtc(path);
        Write("file", "after!");
        File.SetLastWriteTimeUtc(path, modified);
        await Task.Delay(50, Token);

        BackupSummary ignoring = await fixture.BackupAsync(vault, request => request with { IgnoreChangeTime = true, DryRun = true });
        BackupSummary ordinary = await fixture.BackupAsync(vault, request => request with { DryRun = true });
        BackupSummary reading = await fixture.BackupAsync(vault, request => request with { IgnoreChangeTime = true, Checksum = true });

        Assert.Equal(0, ignoring.Counts.FilesChanged);
        Assert.Equal(1, ordinary.Counts.FilesChanged);
        Assert.Equal(1, reading.Counts.FilesChanged);
        Assert.Equal(6, reading.Counts.BytesRead);
    }

    [Fact]
    public async Task ReplacedFilesAreReadAgainUnlessInodesAreIgnored()
    {
        string path = Write("file", "content");
        using OpenVault vault = await fixture.InitAsync();
        await Task.Delay(50, Token);
        await fixture.BackupAsync(vault);
        DateTime modified = File.GetLastWriteTimeUtc(path);
        Write("copy", "content");
        File.SetLastWriteTimeUtc(Path.Combine(fixture.Source, "copy"), modified);
        Replace(Path.Combine(fixture.Source, "copy"), path);
        await Task.Delay(50, Token);

        BackupSummary ignoring = await fixture.BackupAsync(vault, request => request with { IgnoreChangeTime = true, IgnoreInode = true });
        BackupSummary reading = await fixture.BackupAsync(vault, request => request with { Kind = PointKind.Incremental, Checksum = true });

        Assert.Equal(0, ignoring.Counts.BytesRead);
        Assert.Equal(1, ignoring.Counts.FilesUnmodified);
        Assert.Equal(7, reading.Counts.BytesRead);
        Assert.Equal(1, reading.Counts.FilesUnmodified);
    }

    [Fact]
    public async Task PointsOfAnotherSourceAreNoBase()
    {
        Write("file", "content");
        using OpenVault vault = await fixture.InitAsync();
        await fixture.BackupAsync(vault);

        BackupSummary other = await fixture.BackupAsync(vault, request => request with { Host = "there" });

        Assert.Equal(PointKind.Full, other.Kind);
        Assert.Equal(0, other.Counts.BytesAdded);
    }

    private static void Replace(string from, string to) => File.Replace(from, to, null);

    private string Write(string name, string content)
    {
        string path = Path.Combine(fixture.Source, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        // A time that DateTime can hold exactly, so that a test can set it again.
        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, writes++ % 60, DateTimeKind.Utc));
        return path;
    }

    private async Task<List<string>> ChangesAsync(OpenVault vault, BackupSummary summary)
    {
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
        RestorePoint point = points.Single(candidate => candidate.Id == summary.Point);
        var changes = new List<string>();
        await foreach (TreeChange change in RestorePoints.ReadChangesAsync(vault, point, Token))
        {
            changes.Add($"{(char)change.Kind} {Encoding.UTF8.GetString(change.Path.Span)}");
        }

        return changes;
    }
}
