using System.Globalization;
using System.Text.Json;
using Holdfast.Bitcask;
using Holdfast.Log;

namespace Holdfast.Databases.Bitcask;

/// <summary>A store that this process has open: its own checkpoint. May be used from any thread.</summary>
/// <param name="store">The store; open for as long as this is used.</param>
public sealed class BitcaskSource(BitcaskStore store) : ICheckpointSource
{
    private const string ManifestName = "MANIFEST.json";

    /// <inheritdoc/>
    public DatabaseAddress Address { get; } = new(BitcaskEngine.EngineName, store.Directory);

    /// <inheritdoc/>
    public Capture Capture(string directory, CaptureOptions options, CancellationToken cancellationToken)
    {
        CheckpointReport report = store.Checkpoint(directory, cancellationToken);
        FileTransfer unlinked = report.ClonedBytes > 0 ? FileTransfer.Cloned : FileTransfer.Copied;
        return new Capture(store.Id.ToString(), report.Sequence, CaptureWay.Owner, ReadFiles(store.Id, directory, unlinked));
    }

    // The manifest says all that tells one content of a segment's number from another: docs/formats/bitcask.md.
    private static List<CapturedFile> ReadFiles(LogId id, string directory, FileTransfer unlinked)
    {
        var disk = new HostDisk();
        var files = new List<CapturedFile> { new(ManifestName, Identity: null, FileTransfer.Copied) };
        using FileStream text = File.OpenRead($"{directory}/{ManifestName}");
        using JsonDocument manifest = JsonDocument.Parse(text);
        foreach (JsonElement segment in manifest.RootElement.GetProperty("segments").EnumerateArray())
        {
            ulong incarnation = ulong.Parse(
                segment.GetProperty("incarnation").GetString()!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            uint number = segment.GetProperty("number").GetUInt32();
            string data = segment.GetProperty("file").GetString()!;
            Add(data, BitcaskIdentity.TryRead(disk, $"{directory}/{data}", id, number, incarnation));
            if (segment.TryGetProperty("hintFile", out JsonElement hint)) Add(hint.GetString()!, $"{id}/hint/{segment.GetProperty("hintHash").GetString()}");
        }

        return files;

        void Add(string name, string? identity)
        {
            bool isLinked = disk.TryStat($"{directory}/{name}") is { LinkCount: > 1 };
            files.Add(new CapturedFile(name, identity, isLinked ? FileTransfer.Linked : unlinked));
        }
    }
}
