namespace Holdfast.Bitcask.Tests.Models;

/// <summary>Makes a program that fails shorter, as long as it still fails.</summary>
internal static class Shrinker
{
    private const int MaxAttempts = 400;

    /// <param name="steps">A program that fails.</param>
    /// <param name="failure">What a program fails with; null when it does not.</param>
    public static List<T> Shrink<T>(List<T> steps, Func<List<T>, string?> failure)
    {
        int attempts = 0;
        for (int size = steps.Count / 2; size > 0 && attempts < MaxAttempts; size /= 2)
        {
            for (int start = 0; start < steps.Count && attempts < MaxAttempts;)
            {
                List<T> shorter = [.. steps.Take(start), .. steps.Skip(start + size)];
                attempts++;
                if (failure(shorter) is not null) steps = shorter;
                else start += size;
            }
        }

        return steps;
    }
}
