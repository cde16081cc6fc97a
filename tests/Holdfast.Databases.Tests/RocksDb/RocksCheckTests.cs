using System.Diagnostics;
using Holdfast.Databases.RocksDb;

namespace Holdfast.Databases.Tests.RocksDb;

public sealed class RocksCheckTests : RocksTest
{
    /// One byte of every kind of file; none may pass in silence, and checking changes nothing.
    [Theory]
    [InlineData("*.sst")]
    [InlineData("*.blob")]
    [InlineData("*.log")]
    [InlineData("MANIFEST-*")]
    [InlineData("CURRENT")]
    public void AFlippedByteOfAFileIsFoundWhereverItLies(string pattern)
    {
        const int Places = 16;
        MakeCopy(out string path);
        string file = Directory.GetFiles(path, pattern).MaxBy(name => new FileInfo(name).Length)!;
        long length = new FileInfo(file).Length;
        Assert.True(length > 0);
        byte[] whole = File.ReadAllBytes(file);
        for (int place = 0; place < Places; place++)
        {
            long offset = place * (length - 1) / (Places - 1);
            Flip(file, offset, (byte)(1 << (place % 8)));
            string before = Describe(path);
            DatabaseCheck check = Engine.Check(path, null, Cancellation);
            Assert.True(check.Problems.Count > 0, $"{Path.GetFileName(file)}: byte {offset} of {length}: nothing was found");
            Assert.Equal(before, Describe(path));
            // Written anew: the copy may share its tables with the database.
            File.WriteAllBytes(file, whole);
        }

        AssertSound(path, "as it was");
    }

    [Fact]
    public void FilesThatAreNotNewAreNotReadWholeButTheirPresenceIs()
    {
        MakeCopy(out string path);
        string[] tables = [.. Directory.GetFiles(path, "*.sst").Order(StringComparer.Ordinal)];
        Assert.True(tables.Length > 1);
        DatabaseCheck all = Engine.Check(path, null, Cancellation);
        var one = new HashSet<string> { Path.GetFileName(tables[0]) };
        DatabaseCheck some = Engine.Check(path, one, Cancellation);
        Assert.Empty(some.Problems);
        Assert.True(some.BytesRead < all.BytesRead);

        Flip(tables[0], new FileInfo(tables[0]).Length / 2);
        Assert.Contains(Engine.Check(path, one, Cancellation).Problems, problem => problem.StartsWith(one.Single(), StringComparison.Ordinal));
        File.Delete(tables[1]);
        Assert.Contains(
            Engine.Check(path, one, Cancellation).Problems, problem => problem.StartsWith(Path.GetFileName(tables[1]), StringComparison.Ordinal));
    }

    [Fact]
    public void RocksDbsOwnToolsReadTheCopy()
    {
        MakeCopy(out string path);
        using RocksDatabase database = OpenCopy(path);
        int keys = 0;
        using (RocksIterator iterator = database.Iterate())
        {
            for (bool isThere = iterator.SeekToFirst(); isThere; isThere = iterator.MoveNext()) keys++;
        }

        database.Dispose();
        string scanned = Run("ldb", $"--db={path}", "scan", "--key_hex", "--value_hex");
        Assert.Equal(keys, scanned.Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(line => line.Contains(" : ", StringComparison.Ordinal)));
        Assert.Contains(Workload.SecondFamily, Run("ldb", $"--db={path}", "list_column_families"), StringComparison.Ordinal);
        foreach (string table in Directory.GetFiles(path, "*.sst"))
        {
            Assert.DoesNotContain("Corruption", Run("sst_dump", $"--file={table}", "--command=verify"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void CheckingTakesNoLockAndLeavesTheCopyAsItIs()
    {
        MakeCopy(out string path);
        string before = Describe(path);
        AssertSound(path, "first");
        Assert.Equal(before, Describe(path));
        Assert.False(File.Exists($"{path}/LOCK"));
        Assert.Empty(Directory.GetFiles(path, "LOG*"));
    }

    [Fact]
    public void WhatIsNoTableAtAllIsFound()
    {
        MakeCopy(out string path);
        string table = Directory.GetFiles(path, "*.sst")[0];
        int length = (int)new FileInfo(table).Length;
        File.Delete(table);
        File.WriteAllBytes(table, new byte[length]);
        Assert.NotEmpty(Engine.Check(path, null, Cancellation).Problems);
    }

    // A copy with tables, blobs and a write-ahead log with records.
    private void MakeCopy(out string path)
    {
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options with { Family = Workload.Options.Family with { Compacts = false } });
        database.CreateColumnFamily(Workload.SecondFamily);
        var workload = new Workload(seed: 9, keys: 400);
        using var batch = new RocksBatch();
        for (int number = 1; number <= 900; number++)
        {
            workload.Apply(database, batch, number);
            if (number % 300 != 299) continue;
            foreach (RocksColumnFamily family in database.ColumnFamilies) database.Flush(family);
        }

        path = NewCopyPath();
        database.Capture(path, new CaptureOptions { Flush = false }, Cancellation);
        workload.Compare(database, "the source");
    }

    private static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(Cancellation);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.GetAwaiter().GetResult());
        return output;
    }
}
