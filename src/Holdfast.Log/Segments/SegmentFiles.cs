using System.Globalization;

namespace Holdfast.Log.Segments;

/// <summary>The names of a log's files: docs/formats/log.md, "Purpose and where it lies".</summary>
internal static class SegmentFiles
{
    public const string LockName = "lock";

    private const string Suffix = ".log";
    private const string FreePrefix = "free-";
    private const int NumberDigits = 8;
    private static readonly byte[] Zeros = new byte[64 << 10];

    public static string PathOf(string directory, uint number) =>
        string.Create(CultureInfo.InvariantCulture, $"{directory}/{number:x8}{Suffix}");

    /// <summary>Where what was made from a segment lies.</summary>
    public static string HintPathOf(string segmentPath) => $"{segmentPath[..^Suffix.Length]}.hint";

    public static string NameOfFree(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        entropy.Fill(bytes);
        return $"{FreePrefix}{Convert.ToHexStringLower(bytes)}{Suffix}";
    }

    public static bool TryParse(string name, out uint number)
    {
        number = 0;
        return name.Length == NumberDigits + Suffix.Length
            && name.EndsWith(Suffix, StringComparison.Ordinal)
            && uint.TryParse(
                name.AsSpan(0, NumberDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
            && number > 0
            // Each number has one name only.
            && !name.AsSpan().ContainsAnyInRange('A', 'F');
    }

    public static bool IsFree(string name) =>
        name.StartsWith(FreePrefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal);

    /// <summary>Fills a range of a file, bytes, so that its blocks are there and are written.</summary>
    public static void WriteZeros(IDiskFile file, long from, long to)
    {
        for (long at = from; at < to; at += Zeros.Length)
        {
            file.Write(at, Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, to - at)));
        }
    }

    public static void DeleteWithHint(IDisk disk, string segmentPath)
    {
        // The hint first: what is left after a crash still has its segment, and goes with it.
        _ = disk.TryDelete(HintPathOf(segmentPath));
        _ = disk.TryDelete(segmentPath);
    }
}
