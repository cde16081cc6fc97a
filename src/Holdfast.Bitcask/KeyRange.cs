namespace Holdfast.Bitcask;

/// <summary>Keys between two others, in unsigned order of their bytes.</summary>
public sealed record KeyRange
{
    /// <summary>All keys.</summary>
    public static KeyRange All { get; } = new();

    /// <summary>The first key that may be in it; null = from the beginning.</summary>
    public byte[]? From { get; init; }

    /// <summary>The first key behind it; null = to the end.</summary>
    public byte[]? Before { get; init; }

    /// <summary>Whether it is read from the last key to the first.</summary>
    public bool IsBackward { get; init; }

    /// <summary>The keys that begin with some bytes.</summary>
    public static KeyRange Prefix(ReadOnlySpan<byte> prefix)
    {
        int length = prefix.Length;
        while (length > 0 && prefix[length - 1] == 0xFF) length--;
        byte[]? before = length == 0 ? null : prefix[..length].ToArray();
        if (before is not null) before[^1]++;
        return new KeyRange { From = prefix.IsEmpty ? null : prefix.ToArray(), Before = before };
    }
}
