using Holdfast.Benchmarks.Care;
using Holdfast.Benchmarks.Databases;
using Holdfast.Benchmarks.Kernels;
using Holdfast.Benchmarks.KeyValue;
using Holdfast.Benchmarks.LogSync;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Benchmarks.Vaults;

namespace Holdfast.Benchmarks;

internal static class Program
{
    private static int Main(string[] args)
    {
        try
        {
            switch (args)
            {
                case ["vault", .. var options]:
                    new VaultBenchmark(VaultOptions.Parse(options)).Run();
                    return 0;
                case ["care", .. var options]:
                    new CareBenchmark(CareOptions.Parse(options)).Run();
                    return 0;
                case ["kernels"]:
                    KernelBenchmark.Run(Console.Out);
                    return 0;
                case ["kernels", "--only", "erasure"]:
                    ErasureBenchmark.Run(Console.Out);
                    return 0;
                case ["kv", .. var options]:
                    new KeyValueBenchmark(KeyValueOptions.Parse(options)).Run();
                    return 0;
                case [StoreWorker.Verb, .. var words]:
                    StoreWorker.Run(words);
                    return 0;
                case ["log", .. var options]:
                    new LogBenchmark(LogOptions.Parse(options)).Run();
                    return 0;
                case ["db", .. var options]:
                    new DatabaseBenchmark(DatabaseOptions.Parse(options)).Run();
                    return 0;
                case [SqliteWriter.Verb, var database]:
                    SqliteWriter.Run(database);
                    return 0;
                default:
                    Console.WriteLine($"{VaultOptions.Help}\n\n{CareOptions.Help}\n\n{KernelBenchmark.Help}\n\n{KeyValueOptions.Help}\n\n{LogOptions.Help}\n\n{DatabaseOptions.Help}");
                    return args is ["help"] ? 0 : 2;
            }
        }
        catch (BenchmarkException error)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }
}
