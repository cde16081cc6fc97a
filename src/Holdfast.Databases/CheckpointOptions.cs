namespace Holdfast.Databases;

/// <summary>How a checkpoint is made.</summary>
public sealed record CheckpointOptions
{
    /// <summary>How the copy is taken.</summary>
    public CaptureOptions Capture { get; init; } = new();

    /// <summary>Whether a checkpoint or database that is at the target goes once the new one is in its place.</summary>
    public bool Replace { get; init; }

    /// <summary>
    /// Whether the engine checks the copy before it gets its name: of files that never change, those that no earlier checkpoint of this
    /// state directory had; with <see cref="ReadAll"/> all.
    /// </summary>
    public bool Verify { get; init; } = true;

    /// <summary>Whether the hashes of files that never change are computed anew, and compared with those known.</summary>
    public bool ReadAll { get; init; }
}
