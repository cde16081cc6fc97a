using System.Globalization;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks;

/// Values of options, as they are written.
internal static class OptionText
{
    public static int Number(string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw new BenchmarkException($"{value}: not a number");

    public static long Bytes(string value)
    {
        int shift = value[^1] switch { 'G' => 30, 'M' => 20, _ => throw new BenchmarkException($"{value}: write it as 500M or 2G") };
        return (long)Number(value[..^1]) << shift;
    }

    public static string[] List(string value, IReadOnlyList<string> known)
    {
        string[] names = value.Split(',');
        string? unknown = Array.Find(names, name => !known.Contains(name));
        return unknown is null ? names : throw new BenchmarkException($"{unknown}: not one of {string.Join(", ", known)}");
    }
}
