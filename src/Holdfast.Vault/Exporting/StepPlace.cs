namespace Holdfast.Vault.Exporting;

/// <summary>Where in a walk something happens: at a path, or after all that lies below it.</summary>
/// <param name="Path">Names with '/' between; empty for the top.</param>
/// <param name="IsLeave">After what lies below it.</param>
internal readonly record struct StepPlace(byte[] Path, bool IsLeave) : IComparable<StepPlace>
{
    /// <summary>The order of a walk that goes through each directory in the order of names.</summary>
    public int CompareTo(StepPlace other)
    {
        byte[] a = Path, b = other.Path;
        int same = a.AsSpan().CommonPrefixLength(b);
        if (same == a.Length && same == b.Length) return IsLeave.CompareTo(other.IsLeave);
        if (same == a.Length && IsBelow(b, same)) return IsLeave ? 1 : -1;
        if (same == b.Length && IsBelow(a, same)) return other.IsLeave ? -1 : 1;
        if (same == a.Length || same == b.Length) return a.Length.CompareTo(b.Length);
        // A name ends where '/' stands: it comes before any name that goes on there.
        return Rank(a[same]).CompareTo(Rank(b[same]));
    }

    private static bool IsBelow(byte[] path, int directoryLength) => directoryLength == 0 || path[directoryLength] == (byte)'/';

    private static int Rank(byte value) => value == (byte)'/' ? 0 : value;
}
