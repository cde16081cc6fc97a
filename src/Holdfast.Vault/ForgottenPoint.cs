namespace Holdfast.Vault;

/// <summary>A point that is forgotten, and not pruned yet.</summary>
/// <param name="Point">Which.</param>
/// <param name="Since">When the store received that it is forgotten.</param>
public sealed record ForgottenPoint(RestorePoint Point, DateTimeOffset Since);
