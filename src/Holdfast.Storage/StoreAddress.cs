using Holdfast.Log;

namespace Holdfast.Storage;

/// <summary>Where an object store is, as users write it: the kind of store and the rest of the address.</summary>
/// <param name="Text">The address as it was written.</param>
/// <param name="Scheme">The kind of store in lower case, such as <c>file</c>.</param>
/// <param name="Path">What follows the kind: of a directory its path, which may be relative.</param>
public sealed record StoreAddress(string Text, string Scheme, string Path)
{
    /// <summary>The kind that is meant when none is written.</summary>
    public const string FileScheme = "file";

    /// <summary>A bucket of S3 or of what speaks its protocol.</summary>
    public const string S3Scheme = "s3";

    /// <summary>A directory of another machine.</summary>
    public const string SftpScheme = "sftp";

    private const string HowToWriteOne = "write a directory: /path, relative/path or file:/path";

    /// <summary>Takes an address apart: <c>/path</c>, <c>relative/path</c>, <c>file:/path</c>, <c>file:///path</c>,
    /// or <c>kind:rest</c>. Paths are taken as they stand: no percent escapes.</summary>
    /// <exception cref="HoldfastException">It is no address (<see cref="ErrorKind.Usage"/>).</exception>
    public static StoreAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string? scheme = TryReadScheme(text);
        string path = scheme is null ? text : text[(scheme.Length + 1)..];
        if (scheme is null or FileScheme) path = DirectoryPath(text, path, isUrl: scheme is not null);
        return new StoreAddress(text, scheme ?? FileScheme, path);
    }

    private static string DirectoryPath(string text, string path, bool isUrl)
    {
        if (isUrl && path.StartsWith("//", StringComparison.Ordinal))
        {
            if (!path.StartsWith("///", StringComparison.Ordinal))
            {
                throw Wrong(text, "a file: address names no host");
            }

            path = path[2..];
        }

        if (path.Length == 0) throw Wrong(text, "the path is empty");
        if (path.Contains('\0', StringComparison.Ordinal)) throw Wrong(text, "the path holds a zero byte");
        return path;
    }

    /// <summary>The letters before the first ':' if they look like a scheme (RFC 3986 §3.1) of two or more.</summary>
    private static string? TryReadScheme(string text)
    {
        int end = text.IndexOf(':', StringComparison.Ordinal);
        if (end < 2 || !char.IsAsciiLetter(text[0])) return null;
        foreach (char c in text.AsSpan(0, end))
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.')) return null;
        }

        return text[..end].ToLowerInvariant();
    }

    private static HoldfastException Wrong(string text, string what) =>
        new(ErrorKind.Usage, $"store address '{text}': {what}", HowToWriteOne);
}
