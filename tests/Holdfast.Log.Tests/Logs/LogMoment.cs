using System.Collections.Immutable;

namespace Holdfast.Log.Tests.Logs;

/// <summary>What is known of a log at a moment. Entries are numbered from 0 in the order of their appends.</summary>
/// <param name="Durable">All before this number were acknowledged as durable.</param>
/// <param name="Appended">None has this number or a higher one.</param>
/// <param name="Removable">Those that may be missing all the same: dropped, or not kept by a replacement.</param>
/// <param name="Gone">Those that are never to be seen again.</param>
/// <param name="Highest">The highest position of one that was durable: used for good.</param>
internal sealed record LogMoment(
    int Durable, int Appended, ImmutableHashSet<int> Removable, ImmutableHashSet<int> Gone, LogPosition Highest)
{
    public static readonly LogMoment Start = new(0, 0, [], [], default);
}
