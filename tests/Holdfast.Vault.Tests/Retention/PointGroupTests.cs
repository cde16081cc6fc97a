using static Holdfast.Vault.Tests.Retention.RetentionPoints;

namespace Holdfast.Vault.Tests.Retention;

public sealed class PointGroupTests
{
    private static readonly RestorePoint[] Points =
    [
        Point(1, Now, "a", "/x", "t", "u"), Point(2, Now, "a", "/y"), Point(3, Now, "b", "/x"), Point(4, Now, "a", "/x", "u", "t", "t"),
    ];

    [Theory]
    [InlineData(PointGrouping.None, "1234")]
    [InlineData(PointGrouping.Host, "124 3")]
    [InlineData(PointGrouping.Path, "134 2")]
    [InlineData(PointGrouping.Source, "14 2 3")]
    [InlineData(PointGrouping.Tags, "14 23")]
    [InlineData(PointGrouping.Source | PointGrouping.Tags, "14 2 3")]
    public void PointsThatHaveItInCommonAreOneGroup(PointGrouping grouping, string groups) =>
        Assert.Equal(groups, string.Join(' ', PointGroup.Divide(Points, grouping).Select(group => string.Concat(group.Points.Select(point => point.Id.Low)))));

    [Fact]
    public void NoPointsAreNoGroups() => Assert.Empty(PointGroup.Divide([], PointGrouping.None));

    [Fact]
    public void NamesThatOnlyLookAlikeTogetherAreTwoGroups()
    {
        RestorePoint[] points = [Point(1, Now, "a1", "/x"), Point(2, Now, "a", "1/x"), Point(3, Now, tags: ["ab", "c"]), Point(4, Now, tags: ["a", "bc"])];
        Assert.Equal(4, PointGroup.Divide(points, PointGrouping.Source | PointGrouping.Tags).Count);
    }
}
