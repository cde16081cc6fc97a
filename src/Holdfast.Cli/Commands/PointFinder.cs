using Holdfast.Cli.Values;
using Holdfast.Log;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands;

/// <summary>Finds the restore points that a command line means.</summary>
internal static class PointFinder
{
    /// <summary>The point of a selector.</summary>
    /// <exception cref="HoldfastException">Kind Usage: there is none, or several begin so. Kind Damage: it cannot be read.</exception>
    public static async Task<RestorePoint> FindAsync(OpenVault vault, PointSelector selector, CancellationToken cancellationToken) =>
        Find(vault, await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false), selector);

    /// <summary>The point of a selector among all of a vault, oldest first.</summary>
    public static RestorePoint Find(OpenVault vault, IReadOnlyList<RestorePoint> points, PointSelector selector)
    {
        if (selector is { Name: null, At: { } moment }) return RestorePoints.FindAt(points, moment);
        if (selector.At is { } latest) points = [.. points.Where(point => point.EffectiveTime <= latest)];
        if (selector.IsById && !points.Any(point => Fits(point.Id)) && vault.UnreadablePoints.FirstOrDefault(point => Fits(point.Key)).Value is { } reason)
        {
            throw new HoldfastException(ErrorKind.Damage, reason.Message, "run \"holdfast points\" to see those that can be restored", reason);
        }

        return RestorePoints.Find(points, selector.Name ?? "latest");

        bool Fits(SessionId id) => selector.Name!.Length > 0 && id.ToString().StartsWith(selector.Name, StringComparison.OrdinalIgnoreCase);
    }
}
