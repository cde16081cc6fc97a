namespace Holdfast.Databases;

/// <summary>What a checkpoint is and holds. As text: docs/formats/checkpoint.md.</summary>
public sealed record CheckpointManifest
{
    /// <summary>Name of the file that it lies in, in a checkpoint that is a directory.</summary>
    public const string FileName = "CHECKPOINT.json";

    /// <summary>The database.</summary>
    public required DatabaseAddress Source { get; init; }

    /// <summary>The database's own id; null for one that has none.</summary>
    public required string? Database { get; init; }

    /// <summary>The engine's number of the last change in it; null where it has none.</summary>
    public required ulong? Sequence { get; init; }

    /// <summary>How it was taken.</summary>
    public required CaptureWay Way { get; init; }

    /// <summary>When the call began.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>How long the call took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>What the engine could not check and why; null where it checked all that it was asked to, or nothing was asked.</summary>
    public string? Limits { get; init; }

    /// <summary>Its files, by name.</summary>
    public required IReadOnlyList<CheckpointFile> Files { get; init; }

    /// <summary>Length of all files.</summary>
    public long Bytes => Sum(_ => true);

    /// <summary>Bytes of files that are links.</summary>
    public long BytesLinked => Sum(file => file.Transfer == FileTransfer.Linked);

    /// <summary>Bytes of files that share blocks.</summary>
    public long BytesCloned => Sum(file => file.Transfer == FileTransfer.Cloned);

    /// <summary>Bytes that were copied.</summary>
    public long BytesCopied => Sum(file => file.Transfer == FileTransfer.Copied);

    private long Sum(Func<CheckpointFile, bool> counts)
    {
        long sum = 0;
        foreach (CheckpointFile file in Files) sum += counts(file) ? file.Bytes : 0;
        return sum;
    }
}

/// <summary>A file of a checkpoint.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Hash">Of its content (<see cref="Log.ContentHash"/>), lower-case hex.</param>
/// <param name="Identity">As in <see cref="CapturedFile"/>.</param>
/// <param name="Transfer">How it came.</param>
public sealed record CheckpointFile(string Name, long Bytes, string Hash, string? Identity, FileTransfer Transfer);
