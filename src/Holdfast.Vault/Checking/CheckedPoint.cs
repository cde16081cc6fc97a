using Holdfast.Vault.Points;

namespace Holdfast.Vault.Checking;

/// <summary>A restore point that opens, and where its trees begin in the graph.</summary>
internal sealed class CheckedPoint(RestorePoint point)
{
    public RestorePoint Point { get; } = point;

    public string Name => PointCodec.Name(Point.Id);

    public int[] TreeRoots { get; set; } = [];

    public int[] ChangesRoots { get; set; } = [];

    public AffectedPath Affected(AffectedKind kind) => new(Point.Id, default, kind, []);
}
