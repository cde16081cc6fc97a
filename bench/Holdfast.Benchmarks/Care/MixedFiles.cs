using System.Globalization;

namespace Holdfast.Benchmarks.Care;

/// <summary>Files that cannot be compressed, of sizes from 1 KiB to 8 MiB, all sizes alike often in doublings; chosen by a seed.</summary>
internal sealed class MixedFiles(string directory, int seed)
{
    private const int FilesPerFolder = 100;
    private const int LeastBits = 10;
    private const int MostBits = 23;
    private readonly Random random = new(seed);
    private readonly List<string> files = [];

    public string Root => directory;

    /// Adds files of so many bytes in all.
    public void Add(long bytes)
    {
        byte[] content = new byte[1 << MostBits];
        for (long done = 0; done < bytes;)
        {
            string folder = Path.Combine(directory, (files.Count / FilesPerFolder).ToString("d4", CultureInfo.InvariantCulture));
            Directory.CreateDirectory(folder);
            string path = Path.Combine(folder, (files.Count % FilesPerFolder).ToString("d2", CultureInfo.InvariantCulture));
            int length = (int)Math.Pow(2, LeastBits + (random.NextDouble() * (MostBits - LeastBits)));
            random.NextBytes(content.AsSpan(0, length));
            using (var file = new FileStream(path, FileMode.CreateNew)) file.Write(content, 0, length);
            files.Add(path);
            done += length;
        }
    }

    /// Deletes files all over, of half of all bytes.
    public void DeleteHalf()
    {
        string[] shuffled = [.. files];
        random.Shuffle(shuffled);
        long left = shuffled.Sum(path => new FileInfo(path).Length) / 2;
        foreach (string path in shuffled)
        {
            if (left <= 0) return;
            left -= new FileInfo(path).Length;
            File.Delete(path);
            files.Remove(path);
        }
    }
}
