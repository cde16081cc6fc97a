using System.Diagnostics;
using System.Globalization;
using Holdfast.Erasure;
using Holdfast.Erasure.Kernels;

namespace Holdfast.Benchmarks.Kernels;

/// <summary>
/// Reed-Solomon codes of units of several sizes by each of our kernels, beside ISA-L and the copying of the data, on
/// one core.
/// </summary>
/// <remarks>
/// All in turn, <see cref="Rounds"/> times, after one turn that does not count; a figure is the median of the rounds,
/// processor time of at least <see cref="LeastRun"/>. GB/s are of data: k units.
/// </remarks>
internal static unsafe class ErasureBenchmark
{
    private const int Rounds = 9;
    private const int Seed = 1;
    private static readonly TimeSpan LeastRun = TimeSpan.FromMilliseconds(40);

    public static void Run(TextWriter output)
    {
        foreach ((int data, int parity) in ((int, int)[])[(10, 4), (4, 2)])
        {
            foreach (int unitBytes in (int[])[64 << 10, 1 << 20, 32 << 20])
            {
                using var work = new ErasureWork(data, parity, unitBytes, Seed);
                output.WriteLine();
                output.WriteLine($"Reed-Solomon {data}+{parity}, units of {unitBytes >> 10} KiB");
                Compare(output, work);
            }
        }

        Small(output);
    }

    /// <summary>What counts where little is coded at a time: the 4 KiB of a change or of a read without a member.</summary>
    private static void Small(TextWriter output)
    {
        const int times = 1000;
        int[] sources = [.. Enumerable.Range(4, 10)], targets = [.. Enumerable.Range(0, 4)];
        using var work = new ErasureWork(dataShards: 10, parityShards: 4, unitBytes: 4096, Seed);
        ReedSolomon code = ReedSolomon.Create(10, 4);
        output.WriteLine();
        output.WriteLine("Reed-Solomon 10+4, 4 units lost");
        Add("new plan of recovery", () => _ = new Recovery(10, 14, sources, targets, code.Kernel));
        Add("remembered plan", () => code.PlanRecovery(sources, targets));
        Add("recovery of 4 x 4 KiB", () => work.Recover(code));
        Add("change of 4 KiB of a unit", () => work.Update(code));

        void Add(string name, Action once)
        {
            double[] seconds = new double[Rounds];
            for (int round = -1; round < Rounds; round++)
            {
                double taken = Seconds(() =>
                {
                    for (int i = 0; i < times; i++) once();
                });
                if (round >= 0) seconds[round] = taken / times;
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-26}{Median(seconds) * 1e6,7:F2} us"));
        }
    }

    private static void Compare(TextWriter output, ErasureWork work)
    {
        List<(string Name, Action Work)> contestants =
        [
            ("ISA-L", work.EncodeByIsaL),
            ("copy of the data", work.CopyData),
        ];
        foreach (Kernel kernel in Kernel.All)
        {
            if (!kernel.IsSupported) continue;
            ReedSolomon code = ReedSolomon.Create(work.DataShards, work.ParityShards, kernel);
            contestants.Add((kernel.Name, () => work.Encode(code)));
        }

        ReedSolomon best = ReedSolomon.Create(work.DataShards, work.ParityShards);
        contestants.Add(("recovery of m data units", () => work.Recover(best)));
        contestants.Add(("the same by ISA-L", work.RecoverByIsaL));
        contestants.Add(("check of consistency", () => work.Verify(best)));
        Report(output, work, contestants);
    }

    private static void Report(TextWriter output, ErasureWork work, List<(string Name, Action Work)> contestants)
    {
        double[][] rates = [.. contestants.Select(_ => new double[Rounds])];
        for (int round = -1; round < Rounds; round++)
        {
            for (int i = 0; i < contestants.Count; i++)
            {
                double seconds = Seconds(contestants[i].Work);
                if (round >= 0) rates[i][round] = work.DataBytes / seconds / 1e9;
            }
        }

        double first = Median(rates[0]);
        for (int i = 0; i < contestants.Count; i++)
        {
            double rate = Median(rates[i]);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  {contestants[i].Name,-26}{rate,7:F2} GB/s  x {rate / first:F2}"));
        }
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    private static double Seconds(Action work)
    {
        using var process = Process.GetCurrentProcess();
        long begin = Stopwatch.GetTimestamp();
        TimeSpan start = process.TotalProcessorTime;
        int times = 0;
        for (; times == 0 || Stopwatch.GetElapsedTime(begin) < LeastRun; times++) work();
        process.Refresh();
        return (process.TotalProcessorTime - start).TotalSeconds / times;
    }
}
