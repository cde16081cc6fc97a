using System.CommandLine;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>diff</c> is asked for.</summary>
/// <param name="Before">The first restore point.</param>
/// <param name="After">The second restore point.</param>
internal sealed record DiffOptions(PointSelector Before, PointSelector After);

/// <summary><c>holdfast diff</c>: shows what differs between two restore points.</summary>
internal static class DiffCommand
{
    public static VerbCommand Create()
    {
        var points = new Argument<string[]>("POINT")
        {
            Description = "the two points to compare, older first",
            Arity = new ArgumentArity(0, 2),
        };
        Option<string[]> at = Many("--at", "TIME", "in place of a POINT: the newest point not after TIME (up to twice)");

        return new VerbCommand("diff", "show what differs between two restore points")
        {
            Synopsis = "POINT POINT",
            Details =
            [
                "Names what was added (+), removed (-), changed in content (M), in attributes only (U) or in type (T).",
                PointHelp.Points + " Points named come first, then those of --at in their order.",
            ],
            Examples =
            [
                new("holdfast diff 3f9a latest", "what changed since a point"),
                new("holdfast diff --at 7d --at now", "what changed in a week"),
            ],
        }.With(points, at)
        .Does(
            (parse, clock) =>
            {
                PointSelector[] both =
                [
                    .. parse.All(points).Select(static name => new PointSelector(name, null)),
                    .. parse.All(at).Select(time => new PointSelector(null, TimeText.Parse(time, at.Name, clock))),
                ];
                return both.Length == 2
                    ? new DiffOptions(both[0], both[1])
                    : throw UsageError.Of($"diff: two points are needed, {both.Length} given", "name two points, or give --at TIME");
            },
            RunAsync);
    }

    private static async Task<int> RunAsync(DiffOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.ReadTrees, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        RestorePoint before = PointFinder.Find(vault, points, options.Before), after = PointFinder.Find(vault, points, options.After);
        CommandOutput output = context.Output;
        JsonArray array = output.BeginArray();
        await foreach (TreeDifference difference in TreeDiff.CompareInDetailAsync(vault, before, after, cancellationToken).ConfigureAwait(false))
        {
            (string mark, string name) = Describe(difference);
            string path = SurrogateEscape.Decode(difference.Path.Span);
            bool isDirectory = (difference.After ?? difference.Before)!.IsDirectory;
            if (output.Json) array.Add((name, path, difference), WriteJson);
            else output.Line($"{mark} {output.Shown(path)}{(isDirectory ? "/" : "")}");
        }

        array.End();
        return context.EndWith(vault, options.Before, options.After);
    }

    private static (string Mark, string Name) Describe(TreeDifference difference) => difference switch
    {
        { Kind: ChangeKind.Added } => ("+", "added"),
        { Kind: ChangeKind.Deleted } => ("-", "removed"),
        { Before: { } before, After: { } after } when before.Kind != after.Kind => ("T", "type"),
        { IsContentChanged: true } => ("M", "content"),
        _ => ("U", "attributes"),
    };

    private static void WriteJson(Utf8JsonWriter writer, (string Name, string Path, TreeDifference Difference) item)
    {
        writer.WriteStartObject();
        writer.WriteString("change", item.Name);
        JsonNames.WritePath(writer, item.Path);
        writer.WriteString("kind", EntryText.NameOf((item.Difference.After ?? item.Difference.Before)!.Kind));
        if (item.Difference.Before is { } before) writer.WriteNumber("sizeBefore", before.Size);
        if (item.Difference.After is { } after) writer.WriteNumber("sizeAfter", after.Size);
        writer.WriteEndObject();
    }
}
