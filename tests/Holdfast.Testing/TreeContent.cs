namespace Holdfast.Testing;

/// What is written into generated files.
internal static class TreeContent
{
    private static readonly int[] Sizes =
    [
        0, 1, 100, 511, 4095, 4096, 4097, 10_000, 65_535, 65_536, 65_537, 300_000,
        1 << 20, (1 << 20) + 1, 3 * (1 << 20) + 1,
    ];

    /// A size about the edges of blocks, buffers and chunks.
    public static int NextSize(Random random, int largest)
    {
        while (true)
        {
            // The smaller of two draws: large files are rare.
            int size = Sizes[Math.Min(random.Next(Sizes.Length), random.Next(Sizes.Length))];
            if (size <= largest) return size;
        }
    }

    /// Random bytes, text that compresses, runs of zeros, or content that other files have too.
    public static byte[] Next(Random random, int size)
    {
        byte[] data = new byte[size];
        switch (random.Next(4))
        {
            case 0:
                random.NextBytes(data);
                break;
            case 1:
                for (int i = 0; i < size; i++) data[i] = "the quick brown fox\n"u8[(i + i / 97) % 20];
                break;
            case 2:
                random.NextBytes(data);
                data.AsSpan(size / 4, size / 2).Clear();
                break;
            default:
                new Random(size).NextBytes(data);
                break;
        }

        return data;
    }
}
