using System.Globalization;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Benchmarks.Tools;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault;

namespace Holdfast.Benchmarks.Care;

/// Very many chunks and very many files: what each takes of memory.
internal static class ScalePart
{
    private const int FewFiles = 1000;
    private const int FilesPerFolder = 500;

    public static void Run(CareBench bench)
    {
        bench.Disk.Renew();
        string few = Work(0, FewFiles), files = Work(0, bench.Options.Files), chunks = Work(bench.Options.Chunks, bench.Options.Files);
        Measure(bench, few, 0, FewFiles, "few");
        Measure(bench, files, 0, bench.Options.Files, "files");
        if (bench.Options.Chunks > 0) Measure(bench, chunks, bench.Options.Chunks, bench.Options.Files, "chunks");
        foreach (string step in bench.Figures.Samples.Where(sample => sample.Work == few).Select(sample => sample.Step).Distinct())
        {
            string perFile = PerOne(bench, step, few, files, bench.Options.Files - FewFiles);
            string perChunk = PerOne(bench, step, files, chunks, bench.Options.Chunks);
            bench.Notes.Add($"{step}: {perFile} bytes of memory a file, {perChunk} a chunk");
        }
    }

    private static string Work(int chunks, int files) => chunks == 0 ? $"{files / 1e6:0.###} M files" : $"{files / 1e6:0.###} M files, {chunks / 1e6:0.#} M chunks";

    private static string PerOne(CareBench bench, string step, string less, string more, int count)
    {
        double? low = bench.Figures.MedianPeak(less, step, HoldfastTool.ToolName), high = bench.Figures.MedianPeak(more, step, HoldfastTool.ToolName);
        return low is null || high is null || count == 0 ? "?" : ((high.Value - low.Value) / count).ToString("F2", CultureInfo.InvariantCulture);
    }

    private static void Measure(CareBench bench, string work, int chunks, int files, string name)
    {
        HoldfastTool tool = bench.Holdfast;
        string place = bench.MakeVault(name, tool), source = bench.Place("source"), target = bench.Place("restored");
        MakeFiles(source, files);
        // Not read first: what lies in hollow packs is nothing, but terabytes of it.
        void Step(string step, Command command) => bench.Measure(work, step, tool, place, 1, command, warms: false);

        // The vault's first point is what the chunks are needed by.
        if (chunks > 0)
        {
            string small = bench.Place("small");
            MakeFiles(small, 1);
            bench.Processes.Run(tool.Backup(place, small, "first"));
            AddChunks(BackupTool.Repository(place), chunks, bench.Options.Seed);
        }

        Step("backup", tool.Backup(place, source, "first"));
        Step("backup again", tool.Backup(place, source, "second"));
        Step("check", tool.CheckStructure(place));
        // First: the disk has room for either.
        bench.Processes.Run(new Command(["rm", "-rf", source]));
        Step("restore", tool.Restore(place, "latest", target));
        bench.Processes.Run(new Command(["rm", "-rf", target]));
        Step("forget", tool.Run(place, "forget", "--keep-last", "1", "--group-by", "path"));
        Step("prune --dry-run", tool.Run(place, "prune", "--dry-run"));
        Step("prune", tool.Run(place, "prune"));
        bench.Processes.Run(new Command(["rm", "-rf", place]));
    }

    private static void AddChunks(string repository, int chunks, int seed)
    {
        var host = Host.CreateReal();
        using var secret = new VaultSecret(HoldfastTool.PasswordBytes);
        using OpenVault vault = OpenVault.OpenAsync(host, ObjectStores.Open(repository, host), secret).GetAwaiter().GetResult();
        new HollowPacks(vault, repository, seed).Add(chunks, done => CareBench.Tell($"{done / 1e6:F1} M chunks made"));
    }

    /// Files of a few bytes, each its own, and every tenth one empty.
    private static void MakeFiles(string directory, int count)
    {
        for (int i = 0; i < count; i++)
        {
            string folder = Path.Combine(directory, (i / FilesPerFolder).ToString("d5", CultureInfo.InvariantCulture));
            if (i % FilesPerFolder == 0) Directory.CreateDirectory(folder);
            string number = i.ToString("d8", CultureInfo.InvariantCulture);
            File.WriteAllText(Path.Combine(folder, number), i % 10 == 0 ? "" : number);
        }
    }
}
