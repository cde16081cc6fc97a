namespace Holdfast.Benchmarks.Corpora;

/// Small edits all over a large file.
internal static class ImageEdits
{
    private const int MaxEditBytes = 199;

    /// Writes a file anew with edits at places chosen by the seed: an insert, a delete or an overwrite at each.
    public static void Apply(string original, string edited, int count, int seed)
    {
        using var from = new FileStream(original, FileMode.Open);
        using var to = new FileStream(edited, FileMode.Create);
        var random = new Random(seed);
        long[] places = [.. Enumerable.Range(0, count).Select(_ => random.NextInt64(from.Length - MaxEditBytes)).Order()];
        byte[] added = new byte[MaxEditBytes];
        foreach (long place in places)
        {
            Copy(from, to, place - from.Position);
            int bytes = random.Next(1, MaxEditBytes + 1);
            int kind = random.Next(3);
            if (kind != 0) from.Seek(bytes, SeekOrigin.Current);
            if (kind == 1) continue;
            random.NextBytes(added);
            to.Write(added.AsSpan(0, bytes));
        }

        Copy(from, to, from.Length - from.Position);
    }

    // Nothing where an edit before reaches beyond the place.
    private static void Copy(FileStream from, FileStream to, long bytes)
    {
        byte[] buffer = new byte[1 << 20];
        while (bytes > 0)
        {
            int read = from.Read(buffer, 0, (int)Math.Min(buffer.Length, bytes));
            to.Write(buffer, 0, read);
            bytes -= read;
        }
    }
}
