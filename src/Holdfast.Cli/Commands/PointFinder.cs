using Holdfast.Cli.Values;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands;

/// <summary>Finds the restore points that a command line means.</summary>
internal static class PointFinder
{
    /// <summary>The point of a selector.</summary>
    /// <exception cref="Holdfast.Log.HoldfastException">Kind Usage: there is none, or several begin so.</exception>
    public static async Task<RestorePoint> FindAsync(OpenVault vault, PointSelector selector, CancellationToken cancellationToken) =>
        Find(await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false), selector);

    /// <summary>The point of a selector among all, oldest first.</summary>
    public static RestorePoint Find(IReadOnlyList<RestorePoint> points, PointSelector selector)
    {
        if (selector is { Name: null, At: { } moment }) return RestorePoints.FindAt(points, moment);
        if (selector.At is { } latest) points = [.. points.Where(point => point.EffectiveTime <= latest)];
        return RestorePoints.Find(points, selector.Name ?? "latest");
    }
}
