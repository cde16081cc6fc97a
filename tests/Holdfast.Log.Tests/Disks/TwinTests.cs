using System.Globalization;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Disks;

/// Goal: what is tested on the simulated disk holds on the real one.
/// Method: the same random operations on both, all answers and errors compared.
public sealed class TwinTests
{
    private static readonly string[] Names = ["a", "b", "c", "d/a", "d/b", "d/e", "d/e/a", "d", "a/x", "none/x"];

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(20260101, false)]
    [InlineData(3, true)]
    public void TheSimulatedDiskAnswersAsTheRealOne(int seed, bool staging)
    {
        using var directory = new TemporaryDirectory();
        IDisk real = staging ? StagingDisk.Create() : new HostDisk();
        string[] fromReal = Run(real, directory.Path, seed, staging);
        string[] fromSimulated = Run(new SimulatedDisk(seed), "", seed, staging);

        for (int step = 0; step < fromReal.Length; step++)
        {
            Assert.True(
                fromReal[step] == fromSimulated[step],
                $"seed {seed}, step {step}: real {fromReal[step]}, simulated {fromSimulated[step]}");
        }
    }

    /// <param name="createInRoot">A staging file keeps its directory from being removed, so it must lie in the
    /// root.</param>
    private static string[] Run(IDisk disk, string root, int seed, bool createInRoot)
    {
        var random = new Random(seed);
        var open = new List<IDiskFile>();
        var answers = new List<string>();
        for (int step = 0; step < 3000; step++)
        {
            answers.Add(Step(disk, root, random, open, createInRoot));
        }

        open.ForEach(f => f.Dispose());
        return [.. answers];
    }

    private static string Step(IDisk disk, string root, Random random, List<IDiskFile> open, bool createInRoot)
    {
        int operation = random.Next(20);
        string path = $"{root}/{Names[random.Next(Names.Length)]}";
        string other = $"{root}/{Names[random.Next(Names.Length)]}";
        int offset = random.Next(3000);
        byte[] data = new byte[random.Next(2000)];
        random.NextBytes(data);
        int pick = random.Next(100);
        IDiskFile? file = open.Count == 0 ? null : open[pick % open.Count];
        try
        {
            return operation switch
            {
                0 or 1 => $"create {Keep(open, disk.CreateUnnamed(createInRoot || pick < 60 ? $"{root}/" : path))}",
                2 => $"open {Keep(open, disk.TryOpen(path, pick < 50 ? DiskAccess.Read : DiskAccess.ReadWrite))}",
                3 or 4 when file is not null => $"publish {disk.TryPublish(file, path)}",
                5 => Do("rename", () => disk.Rename(path, other)),
                6 => $"delete {disk.TryDelete(path)}",
                7 => $"mkdir {disk.TryCreateDirectory(path)}",
                8 => $"rmdir {disk.TryDeleteDirectory(path)}",
                9 => Do("syncdir", () => disk.SyncDirectory(path)),
                10 => $"list {Describe(disk.TryList(path))}",
                11 => $"stat {Describe(disk.TryStat(path))}",
                12 or 13 when file is not null => Do("write", () => file.Write(offset, data)),
                14 when file is not null => $"read {Read(file, offset, data)} of {file.Length}",
                15 when file is not null && pick < 50 => Do("length", () => file.SetLength(offset)),
                15 when file is not null => Close(open, file),
                16 => $"link {disk.TryLink(path, other)}",
                17 => Lock(disk, path),
                18 when file is not null => Do("write durably", () => file.WriteDurably(offset, data)),
                19 when file is not null => Do("allocate", () => file.Allocate(offset)),
                _ => "nothing",
            };
        }
        catch (DiskException error)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{operation}: errno {error.Errno}");
        }
        catch (ArgumentException)
        {
            return $"{operation}: refused";
        }
    }

    private static string Do(string name, Action action)
    {
        action();
        return name;
    }

    private static string Lock(IDisk disk, string path)
    {
        using IDiskLock? held = disk.TryLock(path, "first", out string nobody);
        using IDiskLock? other = disk.TryLock(path, "second", out string holder);
        return $"lock {held is not null} '{nobody}' {other is not null} '{holder}'";
    }

    private static bool Keep(List<IDiskFile> open, IDiskFile? file)
    {
        if (file is not null) open.Add(file);
        return file is not null;
    }

    private static string Close(List<IDiskFile> open, IDiskFile file)
    {
        file.Sync();
        file.Dispose();
        open.Remove(file);
        return "close";
    }

    private static string Read(IDiskFile file, int offset, byte[] target)
    {
        int read = file.Read(offset, target);
        return $"{read} {Crc32C.Compute(target.AsSpan(0, read)):x8}";
    }

    private static string Describe(IReadOnlyList<DiskEntry>? entries) => entries is null
        ? "null"
        : string.Join(' ', entries
            .Where(e => !e.Name.StartsWith(IDisk.StagingPrefix, StringComparison.Ordinal))
            .OrderBy(e => e.Name, StringComparer.Ordinal));

    private static string Describe(DiskStat? stat) =>
        stat is null ? "null" : stat.Value.IsDirectory ? "directory"
        : $"{stat.Value.Length} bytes, {stat.Value.LinkCount} names";
}
