using Holdfast.Bitcask.Checkpoints;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Verification of stores, checkpoints and backups.</summary>
public sealed partial class BitcaskStore
{
    /// <summary>Verifies a store, or a checkpoint or backup of one, and opens it.</summary>
    /// <param name="directory">Its directory. A store may be in use meanwhile.</param>
    /// <param name="all">
    /// Whether everything is read. If not, of a checkpoint or backup only what no verification has read before; of a
    /// store everything in any case, since nothing says what was read.
    /// </param>
    /// <param name="cancellationToken">Cancelling leaves everything as it was.</param>
    /// <remarks>What was found whole is noted in the manifest, so that the next verification need not read it.</remarks>
    public static VerifyReport Verify(string directory, bool all = false, CancellationToken cancellationToken = default) =>
        Verify(Host.CreateReal(), Path.GetFullPath(directory), all, cancellationToken);

    /// <summary>The same on a given disk, clock and source of randomness.</summary>
    /// <inheritdoc cref="Verify(string, bool, CancellationToken)"/>
    public static VerifyReport Verify(Host host, string directory, bool all, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(directory);
        Manifest? manifest = Manifest.TryRead(host.Disk, directory);
        // Once it was opened for writing it is a store like any other.
        return manifest is null || !IsAsMade(host.Disk, directory, manifest)
            ? StoreVerifier.VerifyStore(host, directory, cancellationToken)
            : StoreVerifier.VerifyCopy(host, directory, manifest, all, cancellationToken);
    }

    // Reads every record and seal; returns how many bytes that were.
    internal long ReadAll(List<LogDamage> damages, CancellationToken cancellationToken)
    {
        long bytes = 0;
        foreach (LogSegment segment in log.Segments)
        {
            damages.AddRange(segment.Scan(static (_, _) => { }, cancellationToken));
            if (segment.CheckHash() is { } damage) damages.Add(damage);
            bytes += segment.Length;
        }

        return bytes;
    }

    private static bool IsAsMade(IDisk disk, string directory, Manifest manifest)
    {
        var listed = manifest.Segments.Select(segment => segment.Data.Name).ToHashSet(StringComparer.Ordinal);
        return (disk.TryList(directory) ?? []).All(entry =>
            !entry.Name.EndsWith(".log", StringComparison.Ordinal) || listed.Contains(entry.Name));
    }
}
