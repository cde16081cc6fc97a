using System.CommandLine;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>find</c> is asked for.</summary>
/// <param name="Pattern">Pattern of a name, or of a path when it holds a slash.</param>
/// <param name="Points">Where to look; empty for all points.</param>
/// <param name="IgnoreCase">Upper and lower case are alike.</param>
internal sealed record FindOptions(string Pattern, IReadOnlyList<PointSelector> Points, bool IgnoreCase);

/// <summary><c>holdfast find</c>: looks for files by name in restore points.</summary>
internal static class FindCommand
{
    public static VerbCommand Create()
    {
        var pattern = new Argument<string>("PATTERN") { Description = "name or path to look for, with * ? and **" };
        Option<string[]> points = Many("--point", "POINT", "look only in this point (repeatable)");
        Option<string[]> at = Many("--at", "TIME", "look only in the newest point not after TIME (repeatable)");
        Option<bool> ignoreCase = Flag("--ignore-case", "upper and lower case are alike", "-i");

        return new VerbCommand("find", "look for files by name in restore points")
        {
            Synopsis = "PATTERN",
            Details =
            [
                "Names every file whose name matches the pattern, and the point that holds it. A pattern with a / is matched " +
                "against the whole path. Quote it, so that the shell leaves it alone.",
            ],
            Examples =
            [
                new("holdfast find '*.docx'", "look in all points"),
                new("holdfast find -i --point latest 'invoice*'", "look in the newest point, without regard to case"),
            ],
        }.With(pattern, points, at, ignoreCase)
        .Does(
            (parse, clock) => new FindOptions(
                parse.One(pattern) is { Length: > 0 } text ? text : throw UsageError.Of("PATTERN is empty"),
                [
                    .. parse.All(points).Select(static name => new PointSelector(name, null)),
                    .. parse.All(at).Select(time => new PointSelector(null, TimeText.Parse(time, at.Name, clock))),
                ],
                parse.GetValue(ignoreCase)),
            RunAsync);
    }

    private static async Task<int> RunAsync(FindOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.ReadTrees, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        if (options.Points.Count > 0)
        {
            HashSet<SessionId> meant = [.. options.Points.Select(selector => PointFinder.Find(vault, points, selector).Id)];
            points = [.. points.Where(point => meant.Contains(point.Id))];
        }

        CommandOutput output = context.Output;
        JsonArray array = output.BeginArray();
        bool hasFound = false;
        byte[] pattern = SurrogateEscape.Encode(options.Pattern);
        await foreach (FoundEntry found in PointSearch.FindAsync(vault, points, pattern, options.IgnoreCase, cancellationToken).ConfigureAwait(false))
        {
            hasFound = true;
            if (output.Json) array.Add(found, WriteJson);
            else output.Line(LineOf(found, output));
        }

        array.End();
        if (!hasFound && !output.Json) output.Notice("nothing matches");
        return context.EndWith(vault, DamageReach.Result);
    }

    private static string LineOf(FoundEntry found, CommandOutput output)
    {
        string time = TimeText.Show(found.Point.EffectiveTime, output.Zone);
        return $"{found.Point.Id.ToShortString()}  {time}  {output.Shown(EntryText.PathOf(found.Entry))}{(found.Entry.IsDirectory ? "/" : "")}";
    }

    private static void WriteJson(Utf8JsonWriter writer, FoundEntry found)
    {
        writer.WriteStartObject();
        writer.WriteString("point", found.Point.Id.ToString());
        EntryText.WriteJson(writer, found.Entry);
        writer.WriteEndObject();
    }
}
