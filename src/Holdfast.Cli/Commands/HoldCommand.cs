using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Cli.Values;
using Holdfast.Log;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>hold</c> is asked for.</summary>
/// <param name="Points">Which points.</param>
/// <param name="Until">When the hold ends by itself; null for never.</param>
/// <param name="Reason">Why; may be empty.</param>
internal sealed record HoldOptions(IReadOnlyList<PointSelector> Points, DateTimeOffset? Until, string Reason);

/// <summary>What <c>release</c> is asked for.</summary>
/// <param name="Points">Which points.</param>
internal sealed record ReleaseOptions(IReadOnlyList<PointSelector> Points);

/// <summary>What <c>undelete</c> is asked for.</summary>
/// <param name="Points">Which points; empty to list those that there are.</param>
internal sealed record UndeleteOptions(IReadOnlyList<PointSelector> Points);

/// <summary><c>holdfast hold</c>, <c>release</c> and <c>undelete</c>: keep points from being dropped, and bring them back.</summary>
internal static class HoldCommand
{
    public static VerbCommand CreateHold()
    {
        Argument<string[]> words = Words(ArgumentArity.OneOrMore, "id of a restore point, or the beginning of it, or latest");
        Option<string?> until = One("--until", "WHEN", "the hold ends by itself: a duration from now such as 90d, or a time");
        Option<string?> reason = One("--reason", "TEXT", "why; shown where the point is");
        return new VerbCommand("hold", "keep restore points from being dropped")
        {
            Synopsis = "POINT…",
            Details =
            [
                "No policy and nobody drops a point on hold until it is released. A point that is on hold already gets the new time and reason.",
            ],
            Examples =
            [
                new("holdfast hold latest --reason 'before the migration'", "keep the newest point until it is released"),
                new("holdfast hold 3f9a --until 2030-01-01", "keep a point for some years"),
            ],
        }.With(words, until, reason)
        .Does(
            (parse, clock) => new HoldOptions(
                Selectors(parse, words),
                parse.GetValue(until) is { } text ? TimeText.ParseFuture(text, until.Name, clock) : null,
                ShortEnough(parse.GetValue(reason) ?? "")),
            HoldAsync);
    }

    public static VerbCommand CreateRelease()
    {
        Argument<string[]> words = Words(ArgumentArity.OneOrMore, "id of a restore point, or the beginning of it, or latest");
        return new VerbCommand("release", "end the hold of restore points")
        {
            Synopsis = "POINT…",
            Details = ["The points are from then on what a policy makes of them. Points that are on no hold are left as they are."],
            Examples = [new("holdfast release 3f9a", "a policy may drop it again")],
        }.With(words)
        .Does((parse, _) => new ReleaseOptions(Selectors(parse, words)), ReleaseAsync);
    }

    public static VerbCommand CreateUndelete()
    {
        Argument<string[]> words = Words(ArgumentArity.ZeroOrMore, "id of a dropped restore point, or the beginning of it (default: list them)");
        return new VerbCommand("undelete", "list dropped restore points, or bring them back")
        {
            Synopsis = "[POINT…]",
            Details = ["A point that \"holdfast forget\" dropped can be brought back until it is pruned. It is then as it was."],
            Examples = [new("holdfast undelete", "list the points that can be brought back"), new("holdfast undelete 3f9a", "bring one back")],
        }.With(words)
        .Does((parse, _) => new UndeleteOptions(Selectors(parse, words)), UndeleteAsync);
    }

    private static async Task<int> HoldAsync(HoldOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.MarkPoints, cancellationToken).ConfigureAwait(false);
        SessionId[] points = await FindAsync(vault, options.Points, cancellationToken).ConfigureAwait(false);
        await PointState.HoldAsync(vault, points, options.Until, options.Reason, cancellationToken).ConfigureAwait(false);
        return Done(context, vault, "on hold", points, points);
    }

    private static async Task<int> ReleaseAsync(ReleaseOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.MarkPoints, cancellationToken).ConfigureAwait(false);
        SessionId[] points = await FindAsync(vault, options.Points, cancellationToken).ConfigureAwait(false);
        return Done(context, vault, "released", points, await PointState.ReleaseAsync(vault, points, cancellationToken).ConfigureAwait(false));
    }

    private static async Task<int> UndeleteAsync(UndeleteOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(options.Points.Count == 0 ? VaultUse.SeePoints : VaultUse.MarkPoints, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<ForgottenPoint> forgotten = await RestorePoints.ListForgottenAsync(vault, cancellationToken).ConfigureAwait(false);
        if (options.Points.Count == 0)
        {
            var list = new PointList(context.Output, withChanges: false);
            foreach (ForgottenPoint point in forgotten) list.Add(point.Point, null);
            list.End();
            return context.EndWith(vault, DamageReach.Result);
        }

        RestorePoint[] there = [.. forgotten.Select(static point => point.Point)];
        await ThrowIfPrunedAsync(context, vault, there, options.Points, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RestorePoint> listed = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        SessionId[] points = [.. options.Points.Select(point => FindDropped(vault, there, listed, point))];
        return Done(context, vault, "brought back", points, await PointState.UndeleteAsync(vault, points, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Who names a point that was pruned learns that, not that there is none.</summary>
    private static async Task ThrowIfPrunedAsync(
        CommandContext context, OpenVault vault, RestorePoint[] there, IReadOnlyList<PointSelector> selectors, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<SessionId, DateTimeOffset>? pruned = null;
        foreach (PointSelector selector in selectors)
        {
            if (!selector.IsById || selector.Name is not { Length: > 0 } name || there.Any(point => Begins(point.Id, name))) continue;
            pruned ??= await PointState.ListPrunedAsync(vault, cancellationToken).ConfigureAwait(false);
            foreach ((SessionId point, DateTimeOffset when) in pruned.Where(pair => Begins(pair.Key, name)).Take(1))
            {
                throw new HoldfastException(
                    ErrorKind.Refused, $"restore point {point.ToShortString()} was pruned on {TimeText.Show(when, context.Output.Zone)}",
                    "it is too late to bring it back: \"holdfast undelete\" lists the points for which it is not; \"holdfast settings --undelete-window\" leaves more time");
            }
        }
    }

    private static SessionId FindDropped(OpenVault vault, RestorePoint[] dropped, IReadOnlyList<RestorePoint> listed, PointSelector selector)
    {
        bool isNamed = selector is { IsById: true, Name.Length: > 0 };
        if (dropped.Length > 0 && (!isNamed || dropped.Any(point => Begins(point.Id, selector.Name!)))) return PointFinder.Find(vault, dropped, selector).Id;
        RestorePoint? kept = isNamed ? listed.FirstOrDefault(point => Begins(point.Id, selector.Name!)) : null;
        throw UsageError.Of(
            kept is null ? $"restore point {selector.Name}: no such point was dropped" : $"restore point {kept.Id.ToShortString()} was not dropped",
            "\"holdfast undelete\" lists the points that can be brought back");
    }

    private static bool Begins(SessionId point, string name) => point.ToString().StartsWith(name, StringComparison.OrdinalIgnoreCase);

    private static async Task<SessionId[]> FindAsync(OpenVault vault, IReadOnlyList<PointSelector> selectors, CancellationToken cancellationToken)
    {
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        return [.. selectors.Select(selector => PointFinder.Find(vault, points, selector).Id)];
    }

    private static int Done(CommandContext context, OpenVault vault, string what, IReadOnlyList<SessionId> named, IReadOnlyList<SessionId> changed)
    {
        string unchanged = vault.AreMarksKnown ? "is as it was" : "is as it was, as far as marks can be read: whether it is on hold is not known";
        foreach (SessionId point in named.Distinct())
        {
            context.Output.SummaryLine(string.Create(
                CultureInfo.InvariantCulture, $"restore point {point.ToShortString()}: {(changed.Contains(point) ? what : unchanged)}"));
        }

        context.Output.Document(changed, WriteJson);
        return context.EndWith(vault, DamageReach.Result);
    }

    private static void WriteJson(Utf8JsonWriter writer, IReadOnlyList<SessionId> changed)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("points");
        foreach (SessionId point in changed) writer.WriteStringValue(point.ToString());
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static Argument<string[]> Words(ArgumentArity arity, string description) => new("POINT") { Description = description, Arity = arity };

    private static PointSelector[] Selectors(ParseResult parse, Argument<string[]> words) =>
        [.. parse.All(words).Select(static word => new PointSelector(word, null))];

    private static string ShortEnough(string reason) => Encoding.UTF8.GetByteCount(reason) <= PointState.MaxReasonBytes
        ? reason
        : throw UsageError.Of($"--reason: longer than {PointState.MaxReasonBytes} bytes");
}
