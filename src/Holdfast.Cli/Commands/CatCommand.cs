using System.CommandLine;
using Holdfast.Cli.Terminals;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>cat</c> is asked for.</summary>
/// <param name="Point">The restore point.</param>
/// <param name="Path">The file.</param>
internal sealed record CatOptions(PointSelector Point, string Path);

/// <summary><c>holdfast cat</c>: writes a file of a restore point to standard output.</summary>
internal static class CatCommand
{
    public static VerbCommand Create()
    {
        var words = new Argument<string[]>("POINT")
        {
            Description = "restore point, and the path of a file within it",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string?> at = At();

        var verb = new VerbCommand("cat", "write a file of a restore point to standard output")
        {
            Synopsis = "POINT PATH",
            Details = [PointHelp.Points, PointHelp.Paths],
            Examples =
            [
                new("holdfast cat latest etc/fstab", "show a file"),
                new("holdfast cat --at 2h shop.sql | psql shop", "feed it to a program"),
            ],
        }.With(words, at)
        .Does(
            (parse, clock) =>
            {
                (PointSelector point, IReadOnlyList<string> rest) = PointHelp.Take(parse, words, at, clock);
                return new CatOptions(point, PointHelp.ExactlyOne(rest, "PATH"));
            },
            RunAsync);
        verb.Aliases.Add("dump");
        return verb;
    }

    private static async Task<int> RunAsync(CatOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        if (context.Output.Json) throw UsageError.Of("cat: --json has no meaning here", "leave it out: the file itself goes to standard output");
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.ReadData, cancellationToken).ConfigureAwait(false);
        RestorePoint point = await PointFinder.FindAsync(vault, options.Point, cancellationToken).ConfigureAwait(false);
        Stream output = DescriptorStream.Output();
        await using (output.ConfigureAwait(false))
        {
            await PointTree.CopyContentAsync(vault, point, SurrogateEscape.Encode(options.Path), output, cancellationToken).ConfigureAwait(false);
        }

        return context.EndWith(vault, options.Point);
    }
}
