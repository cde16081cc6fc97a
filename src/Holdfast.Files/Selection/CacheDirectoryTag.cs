namespace Holdfast.Files.Selection;

/// <summary>
/// The mark of a directory whose content can be made again. Source: the Cache Directory Tagging Specification.
/// </summary>
public static class CacheDirectoryTag
{
    /// <summary>Name of the file that marks its directory.</summary>
    public static ReadOnlySpan<byte> FileName => "CACHEDIR.TAG"u8;

    /// <summary>What the file begins with, 43 bytes; whatever follows does not matter.</summary>
    public static ReadOnlySpan<byte> Signature => "Signature: 8a477f597d28d172789f06886806bc55"u8;

    /// <summary>
    /// Whether a regular file of that name marks its directory; its first 43 bytes are enough to tell.
    /// </summary>
    public static bool IsSignedBy(ReadOnlySpan<byte> content) => content.StartsWith(Signature);
}
