using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Holdfast.Databases.RocksDb;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Databases.Tests.RocksDb;

/// <summary>
/// This test program once more, as the owner of a database that runs a workload until it is killed. The number of the last operation that
/// returned lies in a file.
/// </summary>
internal sealed class WriterProcess : IDisposable
{
    private const string Variable = "HOLDFAST_TEST_ROCKSDB_WRITER";

    private readonly Process process;
    private readonly string acknowledgedPath;

    public WriterProcess(string directory, string acknowledgedPath, int seed, string? walDirectory = null, int pauseEvery = 0)
    {
        this.acknowledgedPath = acknowledgedPath;
        string program = Path.ChangeExtension(typeof(WriterProcess).Assembly.Location, null);
        var start = new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment[Variable] = string.Join(
            '\n', directory, acknowledgedPath, seed.ToString(CultureInfo.InvariantCulture), walDirectory ?? "",
            pauseEvery.ToString(CultureInfo.InvariantCulture), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        process = Process.Start(start)!;
    }

    /// <summary>Number of the last operation that returned.</summary>
    public long Acknowledged
    {
        get
        {
            if (!File.Exists(acknowledgedPath)) return 0;
            using SafeFileHandle file = File.OpenHandle(acknowledgedPath, share: FileShare.ReadWrite);
            Span<byte> number = stackalloc byte[8];
            return RandomAccess.Read(file, number, 0) == 8 ? BinaryPrimitives.ReadInt64LittleEndian(number) : 0;
        }
    }

    /// <summary>Waits until some more operations have returned.</summary>
    public void Await(long more)
    {
        long wanted = Acknowledged + more;
        bool reached = SpinWait.SpinUntil(() => Acknowledged >= wanted || process.HasExited, TimeSpan.FromSeconds(120));
        Assert.False(process.HasExited, process.HasExited ? process.StandardError.ReadToEnd() : "");
        Assert.True(reached, "the writer does not get on");
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited) Kill();
        process.Dispose();
    }

    /// The test program's own Main would look for tests to run.
    [ModuleInitializer]
    internal static void RunAsWriter()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } text) return;
        string[] arguments = text.Split('\n');
        Write(arguments[0], arguments[1], int.Parse(arguments[2], CultureInfo.InvariantCulture), arguments[3], int.Parse(arguments[4], CultureInfo.InvariantCulture), $"/proc/{arguments[5]}");
    }

    private static void Write(string directory, string acknowledgedPath, int seed, string walDirectory, int pauseEvery, string parent)
    {
        RocksOptions options = walDirectory.Length == 0 ? Workload.Options : Workload.Options with { WalDirectory = walDirectory };
        using RocksDatabase database = RocksDatabase.Open(directory, options);
        if (database.FindColumnFamily(Workload.SecondFamily) is null) database.CreateColumnFamily(Workload.SecondFamily);
        using SafeFileHandle acknowledged =
            File.OpenHandle(acknowledgedPath, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        var workload = new Workload(seed);
        using var batch = new RocksBatch();
        byte[] number = new byte[8];
        for (long next = Workload.NumberOf(database) + 1; ; next++)
        {
            workload.Apply(database, batch, next);
            BinaryPrimitives.WriteInt64LittleEndian(number, next);
            RandomAccess.Write(acknowledged, number, 0);
            if (next % 1000 == 0 && !Directory.Exists(parent)) Environment.Exit(1); // the test was killed
            // A load that leaves moments without a flush.
            if (pauseEvery > 0 && next % pauseEvery == 0) Thread.Sleep(1);
        }
    }
}
