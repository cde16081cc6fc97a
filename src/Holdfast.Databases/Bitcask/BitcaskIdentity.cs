using System.Globalization;
using Holdfast.Log;

namespace Holdfast.Databases.Bitcask;

/// <summary>What tells the content of a segment's file from every other.</summary>
internal static class BitcaskIdentity
{
    // Of the seal, the last bytes of the file: docs/formats/log.md.
    private const int HashAt = 24;

    /// <summary>The identity of a sealed segment, made of what it says of itself and of the hash in its seal.</summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="path">Its file.</param>
    /// <param name="log">Of the store.</param>
    /// <param name="number">Of the segment.</param>
    /// <param name="incarnation">Which use of the number.</param>
    public static string? TryRead(IDisk disk, string path, LogId log, uint number, ulong incarnation)
    {
        using IDiskFile? file = disk.TryOpen(path, DiskAccess.Read);
        if (file is null || file.Length < LogSegment.SealBytes) return null;
        Span<byte> seal = stackalloc byte[LogSegment.SealBytes];
        if (file.Read(file.Length - LogSegment.SealBytes, seal) < seal.Length || !seal.StartsWith("HFLOGEND"u8)) return null;
        string hash = Convert.ToHexStringLower(seal.Slice(HashAt, ContentHash.Size));
        return string.Create(CultureInfo.InvariantCulture, $"{log}/{number}/{incarnation:x16}/{hash}");
    }
}
