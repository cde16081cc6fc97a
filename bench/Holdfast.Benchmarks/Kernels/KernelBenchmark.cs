using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using Holdfast.Log;
using Holdfast.Vault.Chunking;

namespace Holdfast.Benchmarks.Kernels;

/// <summary>
/// The kernels on one core: checksums of logs, cutting and naming chunks of the vault, each plain and as it is done.
/// </summary>
/// <remarks>
/// Everything lies in one window of 1 MiB, as in a backup. A figure is processor time, the best of five runs of at least
/// 50 ms; the ratio is to the first line of its table.
/// </remarks>
internal static class KernelBenchmark
{
    public const string Help = "kernels: checksums, cuts, chunk ids, in GB/s on one core, each against its plain form;\n         Reed-Solomon codes beside ISA-L (alone: --only erasure)";

    private const int WindowBytes = 1 << 20;
    private const int Runs = 5;
    private const int Seed = 1;
    private static readonly TimeSpan LeastRun = TimeSpan.FromMilliseconds(50);

    public static void Run(TextWriter output)
    {
        var random = new Random(Seed);
        byte[] window = new byte[WindowBytes], key = new byte[32];
        random.NextBytes(window);
        random.NextBytes(key);
        foreach (int bytes in (int[])[128, 512, 1024, 4096, 65536]) Checking(output, window, bytes);
        Cutting(output, window, key);
        Naming(output, window, key, "small files, mean 15 KB", Lengths(random, 1, 30_000));
        Naming(output, window, key, "pieces of 16 to 112 KiB", Lengths(random, Chunker.MinBytes, Chunker.MaxBytes));
        foreach (int bytes in (int[])[128, 256, 1024, 4096, 16384, 65536])
        {
            Naming(output, window, key, $"{bytes} bytes", Lengths(random, bytes, bytes));
        }

        ErasureBenchmark.Run(output);
    }

    /// <summary>Of pieces that lie in the second-level cache.</summary>
    private static void Checking(TextWriter output, byte[] window, int bytes)
    {
        const int cachedBytes = 256 << 10;
        var table = new Table(output, $"CRC32C: {bytes} bytes");
        table.Add("one chain", cachedBytes, () =>
        {
            for (int at = 0; at < cachedBytes; at += bytes) Crc32C.AppendByOne(0, window.AsSpan(at, bytes));
        });
        table.Add("as this machine does it", cachedBytes, () =>
        {
            for (int at = 0; at < cachedBytes; at += bytes) Crc32C.Compute(window.AsSpan(at, bytes));
        });
    }

    private static void Cutting(TextWriter output, byte[] window, byte[] key)
    {
        const ulong multiplier = 0x9E37_79B9_7F4A_7C15;
        const uint mask = 0x8000_0001;
        uint[] minima = new uint[(window.Length - BlockMinima.WindowBytes + 1) / BlockMinima.Positions];
        var chunker = new Chunker(key);
        int[] lengths = new int[(window.Length / Chunker.MinBytes) + 1];
        var table = new Table(output, "chunker: hashes of a window");
        table.Add("scalar", window.Length, () => BlockMinima.FindScalar(window, multiplier, mask, minima));
        if (Avx2.IsSupported) table.Add("256 bits", window.Length, () => BlockMinima.FindBy256(window, multiplier, mask, minima));
        if (Vector512.IsHardwareAccelerated) table.Add("512 bits", window.Length, () => BlockMinima.FindBy512(window, multiplier, mask, minima));

        table = new Table(output, "chunker: cuts in a window");
        table.Add("chunk by chunk", window.Length, () =>
        {
            for (int at = 0; at < window.Length;) at += chunker.FirstCut(window.AsSpan(at));
        });
        table.Add("all at once", window.Length, () => chunker.Cut(window, isAll: true, lengths));
    }

    private static void Naming(TextWriter output, byte[] window, byte[] key, string title, int[] lengths)
    {
        int bytes = lengths.Sum();
        var identity = new ChunkIdentity(key);
        ChunkId[] ids = new ChunkId[lengths.Length];
        var table = new Table(output, "chunk ids: " + title);
        table.Add(".NET, one shot", bytes, () => OneByOne(window, lengths, content => identity.Plain(content)));
        using var reused = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        byte[] hash = new byte[ChunkId.Size];
        table.Add(".NET, reused object", bytes, () => OneByOne(window, lengths, content =>
        {
            reused.AppendData(content);
            reused.GetHashAndReset(hash);
        }));
        if (LibCrypto.IsAvailable)
        {
            table.Add("from the key's state", bytes, () => identity.OneByOne(window, lengths, ids));
            if (Avx2.IsSupported) table.Add("8 lanes", bytes, () => identity.By8Lanes(window, lengths, ids));
            if (Vector512.IsHardwareAccelerated) table.Add("16 lanes", bytes, () => identity.By16Lanes(window, lengths, ids));
        }

        table.Add("as this machine does it", bytes, () => identity.OfEach(window, lengths, ids));
    }

    private static void OneByOne(byte[] window, int[] lengths, Action<ReadOnlySpan<byte>> name)
    {
        int at = 0;
        foreach (int length in lengths)
        {
            name(window.AsSpan(at, length));
            at += length;
        }
    }

    /// <summary>Lengths between the two that fill a window.</summary>
    private static int[] Lengths(Random random, int least, int most)
    {
        var lengths = new List<int>();
        int left = WindowBytes;
        while (true)
        {
            int length = random.Next(least, most + 1);
            if (length > left) return [.. lengths];
            lengths.Add(length);
            left -= length;
        }
    }

    /// <summary>Lines of what is compared; writes each as soon as it is measured.</summary>
    private sealed class Table
    {
        private readonly TextWriter output;
        private double first;

        public Table(TextWriter output, string title)
        {
            this.output = output;
            output.WriteLine();
            output.WriteLine(title);
        }

        public void Add(string name, int bytes, Action work)
        {
            double rate = bytes / BestSeconds(work) / 1e9;
            if (first == 0) first = rate;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-26}{rate,7:F2} GB/s  x {rate / first:F2}"));
        }

        private static double BestSeconds(Action work)
        {
            work();
            double best = double.MaxValue;
            for (int run = 0; run < Runs; run++)
            {
                using var process = Process.GetCurrentProcess();
                TimeSpan start = process.TotalProcessorTime, taken;
                int times = 0;
                do
                {
                    for (int i = 0; i < 10; i++) work();
                    times += 10;
                    process.Refresh();
                    taken = process.TotalProcessorTime - start;
                }
                while (taken < LeastRun);
                best = Math.Min(best, taken.TotalSeconds / times);
            }

            return best;
        }
    }
}
