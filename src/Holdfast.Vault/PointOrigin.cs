namespace Holdfast.Vault;

/// <summary>Where a restore point was made that was copied since, once or several times.</summary>
/// <param name="Vault">Id of the vault: 32 hex digits.</param>
/// <param name="Point">Its id there.</param>
public sealed record PointOrigin(string Vault, SessionId Point)
{
    /// <summary>The origin of a point as seen from a vault: itself, where it was made there.</summary>
    internal static PointOrigin Of(OpenVault vault, RestorePoint point) => point.Origin ?? new PointOrigin(vault.Id, point.Id);
}
