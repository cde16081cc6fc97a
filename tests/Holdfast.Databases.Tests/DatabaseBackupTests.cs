using System.Diagnostics;
using System.Text;
using Holdfast.Bitcask;
using Holdfast.Databases.Bitcask;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault;

namespace Holdfast.Databases.Tests;

/// Databases into a vault and back.
public sealed class DatabaseBackupTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly Host host = Host.CreateReal();

    private string StorePath => $"{directory.Path}/store";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task EachPointIsTheStoreAsItWasAndASegmentIsReadOnce()
    {
        using OpenVault vault = await InitAsync();
        using BitcaskStore store = Open();
        var expected = new List<(SessionId Point, Dictionary<int, int> Content)>();
        var random = new Random(7);
        var content = new Dictionary<int, int>();
        for (int round = 0; round < 4; round++)
        {
            for (int i = 0; i < 3000; i++)
            {
                int key = random.Next(4000);
                if (random.Next(10) == 0 ? content.Remove(key) : (content[key] = i) >= 0) Change(store, key, content);
            }

            DatabaseBackupSummary summary = await BackUpAsync(vault, new BitcaskSource(store));
            expected.Add((summary.Backup.Point!.Value, new Dictionary<int, int>(content)));
            Assert.Empty(Directory.GetDirectories(directory.Path, ".*"));
            if (round == 0) continue;
            long before = summary.Checkpoint.Files.Where(file => file.Identity is not null).Sum(file => file.Bytes);
            Assert.True(summary.Backup.Counts.FilesUnmodified > 0);
            Assert.True(summary.Backup.Counts.BytesRead < before, $"{summary.Backup.Counts.BytesRead} of {before} read again");
        }

        // Nothing changed: nothing but the manifest is read, once the hint of the last segment has come, which is made beside.
        DatabaseBackupSummary idle = await BackUpAsync(vault, new BitcaskSource(store));
        for (int files = 0; files != idle.Checkpoint.Files.Count; idle = await BackUpAsync(vault, new BitcaskSource(store))) files = idle.Checkpoint.Files.Count;
        CheckpointFile[] mutable = [.. idle.Checkpoint.Files.Where(file => file.Identity is null)];
        Assert.Equal(mutable.Sum(file => file.Bytes), idle.Backup.Counts.BytesRead);

        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Stop);
        foreach ((SessionId id, Dictionary<int, int> then) in expected)
        {
            RestorePoint point = points.Single(point => point.Id == id);
            Assert.Equal(("bitcask", store.Id.ToString(), CheckDepth.New), (point.Database!.Engine, point.Database.Id, point.Database.Verified));
            string target = $"{directory.Path}/back-{id}";
            await RestoreAsync(vault, point, target);
            using BitcaskStore back = BitcaskStore.Open(target);
            Assert.Equal(then.Count, back.Count);
            Assert.All(then, pair => Assert.Equal(Value(pair.Value), back.Get(BitConverter.GetBytes(pair.Key))));
        }
    }

    [Fact]
    public async Task ADatabaseIsOneSourceWhereverItLies()
    {
        using OpenVault vault = await InitAsync();
        using (BitcaskStore store = Open()) store.Put("a"u8, "1"u8);
        await BackUpAsync(vault, DatabaseEngines.Get("bitcask").Find(StorePath));
        Directory.Move(StorePath, $"{directory.Path}/moved");

        DatabaseBackupSummary moved = await BackUpAsync(vault, DatabaseEngines.Get("bitcask").Find($"{directory.Path}/moved"));

        Assert.Equal(PointKind.Incremental, moved.Backup.Kind);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Stop);
        Assert.Equal(points[0].Source, points[1].Source);
        PointGroup group = Assert.Single(PointGroup.Divide(points, PointGrouping.Source));
        Assert.Equal(2, group.Points.Count);
    }

    [Fact]
    public async Task AStoreAndTheFilesOfItsDirectoryAreDifferentSources()
    {
        using OpenVault vault = await InitAsync();
        using (BitcaskStore store = Open()) store.Put("a"u8, "1"u8);
        await BackUpAsync(vault, DatabaseEngines.Get("bitcask").Find(StorePath));
        using DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(StorePath)).Value;

        BackupSummary files = await BackupRun.RunAsync(
            vault, new BackupRequest { Roots = [new BackupRoot(Encoding.UTF8.GetBytes(StorePath), tree, default)], Host = "here" }, Stop);

        Assert.Equal(PointKind.Full, files.Kind);
        Assert.Equal(2, PointGroup.Divide(await RestorePoints.ListAsync(vault, Stop), PointGrouping.Source).Count);
    }

    [Fact]
    public async Task ADamagedDatabaseDoesNotGoIntoTheVault()
    {
        using OpenVault vault = await InitAsync();
        using (BitcaskStore store = Open())
        {
            for (int i = 0; i < 5000; i++) store.Put(BitConverter.GetBytes(i), new byte[200]);
        }

        using (FileStream file = File.OpenWrite(Directory.GetFiles(StorePath, "*.log").Order(StringComparer.Ordinal).First()))
        {
            file.Position = 300;
            file.WriteByte(0xA5);
        }

        var damage = await Assert.ThrowsAsync<HoldfastException>(() => BackUpAsync(vault, DatabaseEngines.Get("bitcask").Find(StorePath)));

        Assert.Equal(ErrorKind.Damage, damage.Kind);
        Assert.Empty(await RestorePoints.ListAsync(vault, Stop));
        Assert.Empty(Directory.GetDirectories(directory.Path, ".*"));
    }

    [Fact]
    public async Task ARestoreReplacesOnlyWhenAskedAndOnlyWhatNobodyHasOpen()
    {
        using OpenVault vault = await InitAsync();
        using (BitcaskStore store = Open()) store.Put("a"u8, "1"u8);
        await BackUpAsync(vault, DatabaseEngines.Get("bitcask").Find(StorePath));
        RestorePoint point = (await RestorePoints.ListAsync(vault, Stop))[0];
        using (BitcaskStore store = Open())
        {
            store.Put("a"u8, "2"u8);
            Assert.Equal(ErrorKind.Refused, (await Assert.ThrowsAsync<HoldfastException>(() => RestoreAsync(vault, point, StorePath))).Kind);
            Assert.Equal(ErrorKind.Busy, (await Assert.ThrowsAsync<HoldfastException>(() => RestoreAsync(vault, point, StorePath, replace: true))).Kind);
            Assert.Equal("2"u8.ToArray(), store.Get("a"u8));
        }

        await RestoreAsync(vault, point, StorePath, replace: true);

        using BitcaskStore restored = Open();
        Assert.Equal("1"u8.ToArray(), restored.Get("a"u8));
        Assert.Empty(Directory.GetDirectories(directory.Path, ".*"));
    }

    [Fact]
    public async Task OwnersAndModesAreThoseOfTheDatabaseNotOfTheCopy()
    {
        using OpenVault vault = await InitAsync();
        using (BitcaskStore store = Open()) store.Put("a"u8, "1"u8);
        File.SetUnixFileMode(StorePath, (UnixFileMode)Convert.ToInt32("751", 8));
        foreach (string file in Directory.GetFiles(StorePath)) File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32("640", 8));

        await BackUpAsync(vault, DatabaseEngines.Get("bitcask").Find(StorePath));
        await RestoreAsync(vault, (await RestorePoints.ListAsync(vault, Stop))[0], $"{directory.Path}/back");

        Assert.Equal("751", Convert.ToString((int)File.GetUnixFileMode($"{directory.Path}/back"), 8));
        Assert.All(Directory.GetFiles($"{directory.Path}/back"), file => Assert.Equal("640", Convert.ToString((int)File.GetUnixFileMode(file), 8)));
    }

    [Fact]
    public async Task ExtendedAttributesOfLinkedFilesComeBack()
    {
        using OpenVault vault = await InitAsync();
        using (BitcaskStore store = Open())
        {
            for (int i = 0; i < 5000; i++) store.Put(BitConverter.GetBytes(i), new byte[200]);
        }

        string segment = Directory.GetFiles(StorePath, "*.log").Order(StringComparer.Ordinal).First();
        _ = Output("setfattr", "-n", "user.owner", "-v", "orders", segment);

        DatabaseBackupSummary summary = await BackUpAsync(vault, DatabaseEngines.Get("bitcask").Find(StorePath));
        Assert.Equal(FileTransfer.Linked, summary.Checkpoint.Files.Single(file => file.Name == Path.GetFileName(segment)).Transfer);
        await RestoreAsync(vault, (await RestorePoints.ListAsync(vault, Stop))[0], $"{directory.Path}/back");

        Assert.Equal("orders", Output("getfattr", "--only-values", "-n", "user.owner", "--absolute-names", $"{directory.Path}/back/{Path.GetFileName(segment)}"));
    }

    private static byte[] Value(int number) => [.. BitConverter.GetBytes(number), .. new byte[200]];

    private static void Change(BitcaskStore store, int key, Dictionary<int, int> content)
    {
        if (content.TryGetValue(key, out int value)) store.Put(BitConverter.GetBytes(key), Value(value));
        else store.Delete(BitConverter.GetBytes(key));
    }

    private static string Output(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private BitcaskStore Open() => BitcaskStore.Open(StorePath, new BitcaskOptions
    {
        SegmentBytes = 128 << 10,
        SealAtCloseBytes = 4 << 10,
        Durability = Durability.None,
        MaintainInBackground = false,
    });

    private async Task<OpenVault> InitAsync()
    {
        using var secret = new VaultSecret("correct horse"u8);
        return await OpenVault.InitAsync(host, ObjectStores.Open($"{directory.Path}/vault", host), secret, "first", Stop);
    }

    private Task<DatabaseBackupSummary> BackUpAsync(OpenVault vault, ICheckpointSource source) => DatabaseBackup.RunAsync(
        new DatabaseCheckpointer(host), host, source, vault,
        new DatabaseBackupRequest { Backup = new BackupRequest { Roots = [], Host = "here" } }, Stop);

    private async Task RestoreAsync(OpenVault vault, RestorePoint point, string target, bool replace = false) =>
        await DatabaseRestore.RunAsync(host, vault, point, target, replace, tree => new RestoreRequest { Target = tree }, Stop);
}
