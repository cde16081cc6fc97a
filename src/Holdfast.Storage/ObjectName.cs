namespace Holdfast.Storage;

/// <summary>The rule for object names, and walks over listings.</summary>
public static class ObjectName
{
    /// <summary>Longest name in bytes: within the limits of every file system and store that we know.</summary>
    public const int MaxLength = 200;

    /// <summary>Whether <paramref name="name"/> may name an object (see <see cref="IObjectStore"/>).</summary>
    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MaxLength) return false;
        bool atStart = true;
        foreach (char c in name)
        {
            if (c == '/')
            {
                if (atStart) return false;
                atStart = true;
                continue;
            }

            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_' or '.')) return false;
            if (atStart && c == '.') return false;
            atStart = false;
        }

        return !atStart;
    }

    /// <summary>Throws unless <paramref name="name"/> may name an object.</summary>
    public static void ThrowIfInvalid(string name)
    {
        if (!IsValid(name)) throw new ArgumentException($"not an object name: '{name}'", nameof(name));
    }

    /// <summary>Throws unless <paramref name="prefix"/> is empty, or a valid name and '/'.</summary>
    public static void ThrowIfInvalidPrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (prefix.Length > 0 && !(prefix[^1] == '/' && IsValid(prefix.AsSpan()[..^1])))
        {
            throw new ArgumentException($"not a prefix of object names: '{prefix}'", nameof(prefix));
        }
    }

    /// <summary>Throws when <paramref name="content"/> is longer than an object may be.</summary>
    internal static void ThrowIfTooLong(string name, ReadOnlyMemory<byte> content)
    {
        if (content.Length > IObjectStore.MaxObjectBytes)
        {
            throw new ArgumentException(
                $"{name}: {content.Length} bytes, at most {IObjectStore.MaxObjectBytes} allowed", nameof(content));
        }
    }
}
