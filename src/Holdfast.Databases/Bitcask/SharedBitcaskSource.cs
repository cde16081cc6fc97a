using Holdfast.Databases.Checkpoints;
using Holdfast.Log;

namespace Holdfast.Databases.Bitcask;

/// <summary>
/// A store seen from outside, whoever has it open: as a reader beside its owner sees it. Files only grow and are removed whole, so what
/// was there when the log was opened is the store as it was then, if each of its segments could still be had.
/// </summary>
/// <param name="host">Disk and clock.</param>
/// <param name="path">Its directory.</param>
internal sealed class SharedBitcaskSource(Host host, string path) : ICheckpointSource
{
    public DatabaseAddress Address { get; } = new(BitcaskEngine.EngineName, path);

    public Capture Capture(string directory, CaptureOptions options, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!host.Disk.TryCreateDirectory(directory)) throw new InvalidOperationException($"{directory} exists");
            if (TryCapture(directory, options, cancellationToken) is { } capture) return capture;
            if (attempt == options.MaxAttempts)
            {
                throw new HoldfastException(
                    ErrorKind.Busy, $"{path}: merges removed segments during each of {attempt} attempts",
                    "try again later, or let the program that owns the store listen with a checkpoint agent");
            }

            DirectoryRemoval.Remove(host.Disk, directory);
        }
    }

    /// <summary>Null when a segment went meanwhile.</summary>
    private Capture? TryCapture(string directory, CaptureOptions options, CancellationToken cancellationToken)
    {
        using SegmentedLog log = BitcaskEngine.OpenLog(host, path);
        var stage = new StageFiles(host.Disk, host.Clock, directory, options) { Expected = log.Segments.Sum(segment => segment.Length) };
        var files = new List<CapturedFile>();
        foreach (LogSegment segment in log.Segments)
        {
            string name = Path.GetFileName(segment.Path);
            FileTransfer? came = segment.IsSealed
                ? stage.TryBring(segment.Path, name, cancellationToken)
                : stage.TryCopy(segment.Path, name, segment.Readable, isPaced: true, cancellationToken) == segment.Readable ? FileTransfer.Copied : null;
            if (came is not { } how) return null;
            string? identity = segment.IsSealed
                ? BitcaskIdentity.TryRead(host.Disk, $"{directory}/{name}", log.Id, segment.Number, segment.Incarnation)
                : null;
            files.Add(new CapturedFile(name, identity, how));
        }

        if (files.Count == 0)
        {
            throw new HoldfastException(ErrorKind.Failed, $"{path}: nothing of the store is on the disk yet", "write to it, or sync it, first");
        }

        return new Capture(log.Id.ToString(), Sequence: null, CaptureWay.Shared, files);
    }
}
