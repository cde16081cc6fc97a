namespace Holdfast.Databases.Checkpoints;

/// <summary>A copy as it was taken: not looked at yet.</summary>
/// <param name="Stage">Where it lies.</param>
/// <param name="Source">The database.</param>
/// <param name="Capture">What is in it.</param>
/// <param name="Created">When it was begun.</param>
/// <param name="Started">The same, as the clock's timestamp.</param>
internal sealed record TakenCopy(CheckpointStage Stage, DatabaseAddress Source, Capture Capture, DateTimeOffset Created, long Started);
