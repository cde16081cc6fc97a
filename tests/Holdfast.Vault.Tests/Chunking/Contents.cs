namespace Holdfast.Vault.Tests.Chunking;

/// <summary>Contents of the kinds that differ for a chunker: random, zeros, and repetitions, which force equal hashes.</summary>
internal static class Contents
{
    public const int Kinds = 5;

    public static byte[] Any(Random random, int bytes) => OfKind(random.Next(Kinds), random, bytes);

    public static byte[] OfKind(int kind, Random random, int bytes) => kind switch
    {
        0 => TestKeys.Random(random, bytes),
        1 => new byte[bytes],
        2 => Repeated([(byte)random.Next(256)], bytes),
        3 => Repeated(TestKeys.Random(random, random.Next(2, 300)), bytes),
        _ => [.. TestKeys.Random(random, bytes).Select(b => (byte)(b & 1))],
    };

    private static byte[] Repeated(byte[] pattern, int bytes) =>
        [.. Enumerable.Range(0, bytes).Select(i => pattern[i % pattern.Length])];
}
