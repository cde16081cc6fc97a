using System.Diagnostics;
using System.Security.Cryptography;
using Holdfast.Vault.Chunking;

namespace Holdfast.Benchmarks.Kernels;

/// The inner loops by themselves: each against its reference, one thread, data in memory.
internal static class KernelBenchmark
{
    public const string Help = "kernels: chunker and chunk identity, in GB/s, each against its reference";

    private const int ContentBytes = 64 << 20;
    private const int Passes = 7;
    private static readonly byte[] Key = SHA256.HashData("kernels"u8);

    public static void Run()
    {
        byte[] content = new byte[ContentBytes];
        new Random(1).NextBytes(content);
        Console.WriteLine("| kernel | variant | GB/s | against the first |");
        Console.WriteLine("| --- | --- | --- | --- |");
        foreach ((string kernel, (string Name, Action<byte[]> Pass)[] variants) in Kernels())
        {
            double first = 0;
            foreach ((string name, Action<byte[]> pass) in variants)
            {
                double rate = BestRate(pass, content);
                if (first == 0) first = rate;
                Console.WriteLine($"| {kernel} | {name} | {rate / 1e9:F2} | {rate / first:F2} |");
            }
        }
    }

    private static IEnumerable<(string Kernel, (string Name, Action<byte[]> Pass)[] Variants)> Kernels()
    {
        var chunker = new Chunker(Key);
        yield return ("cuts", [("plain", content => CutAll(chunker, content))]);
        var identity = new ChunkIdentity(Key);
        foreach (int bytes in (int[])[1 << 10, 16 << 10, 64 << 10])
        {
            yield return ($"identity of {bytes >> 10} KiB",
            [
                ("SHA-256 of the system", content => ForEach(content, bytes, piece => SHA256.HashData(piece, stackalloc byte[32]))),
                ("product", content => ForEach(content, bytes, piece => identity.Of(piece))),
            ]);
        }
    }

    private static void CutAll(Chunker chunker, ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty) content = content[chunker.FirstCut(content)..];
    }

    private delegate void PieceAction(ReadOnlySpan<byte> piece);

    private static void ForEach(ReadOnlySpan<byte> content, int bytes, PieceAction action)
    {
        for (int at = 0; at < content.Length; at += bytes) action(content.Slice(at, bytes));
    }

    // The best of several passes: what the others were slower by was done by somebody else. The first also compiles.
    private static double BestRate(Action<byte[]> pass, byte[] content)
    {
        TimeSpan best = TimeSpan.MaxValue;
        for (int i = 0; i < Passes; i++)
        {
            long started = Stopwatch.GetTimestamp();
            pass(content);
            TimeSpan taken = Stopwatch.GetElapsedTime(started);
            if (taken < best) best = taken;
        }

        return content.Length / best.TotalSeconds;
    }
}
