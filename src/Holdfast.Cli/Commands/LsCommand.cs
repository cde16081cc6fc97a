using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>ls</c> is asked for.</summary>
/// <param name="Point">The restore point.</param>
/// <param name="Path">What to list; null for the point's root or roots.</param>
/// <param name="Long">With mode, owner, size and time.</param>
/// <param name="Recursive">With everything below.</param>
internal sealed record LsOptions(PointSelector Point, string? Path, bool Long, bool Recursive);

/// <summary><c>holdfast ls</c>: lists the files of a restore point.</summary>
internal static class LsCommand
{
    public static VerbCommand Create()
    {
        var words = new Argument<string[]>("POINT")
        {
            Description = "restore point, and the path within it (default: its root)",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string?> at = At();
        Option<bool> isLong = Flag("--long", "with mode, owner, size and time", "-l");
        Option<bool> recursive = Flag("--recursive", "with everything below", "-R");

        return new VerbCommand("ls", "list the files of a restore point")
        {
            Synopsis = "POINT [PATH]",
            Details = [PointHelp.Points, PointHelp.Paths],
            Examples =
            [
                new("holdfast ls latest", "list the root of the newest point"),
                new("holdfast ls -l 3f9a etc/ssh", "a directory of a point, in detail"),
                new("holdfast ls --at 2026-11-20 -R", "everything that was there that morning"),
            ],
        }.With(words, at, isLong, recursive)
        .Does(
            (parse, clock) =>
            {
                (PointSelector point, IReadOnlyList<string> rest) = PointHelp.Take(parse, words, at, clock);
                return new LsOptions(
                    point, PointHelp.AtMostOne(rest, "PATH"), parse.GetValue(isLong), parse.GetValue(recursive));
            },
            RunAsync);
    }

    private static async Task<int> RunAsync(LsOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.ReadTrees, cancellationToken).ConfigureAwait(false);
        RestorePoint point = await PointFinder.FindAsync(vault, options.Point, cancellationToken).ConfigureAwait(false);
        byte[] path = SurrogateEscape.Encode(options.Path ?? "");
        CommandOutput output = context.Output;
        JsonArray array = output.BeginArray();
        await foreach (PointEntry entry in PointTree.ListAsync(vault, point, path, options.Recursive, cancellationToken).ConfigureAwait(false))
        {
            if (output.Json) array.Add(entry, WriteJson);
            else output.Line(options.Long ? LongLineOf(entry, output) : ShownName(entry, output));
        }

        array.End();
        return context.EndWith(vault, options.Point);
    }

    // Columns as wide as they mostly are: a listing of millions is not held back to measure it.
    private static string LongLineOf(PointEntry entry, CommandOutput output)
    {
        string owner = output.Shown(EntryText.OwnerOf(entry)), group = output.Shown(EntryText.GroupOf(entry));
        string size = entry.Kind is NodeKind.CharacterDevice or NodeKind.BlockDevice
            ? $"{entry.DeviceMajor}, {entry.DeviceMinor}"
            : entry.Size.ToString(CultureInfo.InvariantCulture);
        string time = TimeText.Show(entry.ModifyTime.ToDateTimeOffset(), output.Zone);
        string target = entry.Target is { } link ? " -> " + output.Shown(SurrogateEscape.Decode(link.Span)) : "";
        return $"{EntryText.ModeOf(entry)} {owner,-8} {group,-8} {size,12} {time} {ShownName(entry, output)}{target}";
    }

    private static string ShownName(PointEntry entry, CommandOutput output) =>
        output.Shown(EntryText.PathOf(entry)) + (entry.IsDirectory ? "/" : "");

    private static void WriteJson(Utf8JsonWriter writer, PointEntry entry)
    {
        writer.WriteStartObject();
        EntryText.WriteJson(writer, entry);
        writer.WriteEndObject();
    }
}
