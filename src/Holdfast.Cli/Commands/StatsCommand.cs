using System.CommandLine;
using Holdfast.Cli.Commands.Stats;
using Holdfast.Cli.Values;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>stats</c> is asked for.</summary>
/// <param name="Point">The restore point; null for the whole vault.</param>
internal sealed record StatsOptions(PointSelector? Point);

/// <summary><c>holdfast stats</c>: shows how much a vault or a restore point holds.</summary>
internal static class StatsCommand
{
    public static VerbCommand Create()
    {
        var words = new Argument<string[]>("POINT")
        {
            Description = "restore point (default: the whole vault)",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string?> at = At();

        return new VerbCommand("stats", "show how much the vault or a restore point holds")
        {
            Synopsis = "[POINT]",
            Details = ["Shows the size of what can be restored, of what is stored for it, and how much deduplication and compression save."],
            Examples = [new("holdfast stats", "the whole vault"), new("holdfast stats latest", "the newest point")],
        }.With(words, at)
        .Does(
            (parse, clock) =>
            {
                if (parse.All(words).Count == 0 && !parse.Has(at)) return new StatsOptions(null);
                (PointSelector point, IReadOnlyList<string> rest) = PointHelp.Take(parse, words, at, clock);
                PointHelp.None(rest);
                return new StatsOptions(point);
            },
            RunAsync);
    }

    private static async Task<int> RunAsync(StatsOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.SeePoints, cancellationToken).ConfigureAwait(false);
        if (options.Point is null)
        {
            StatsReport.Write(context.Output, await VaultStats.OfVaultAsync(vault, cancellationToken).ConfigureAwait(false));
        }
        else
        {
            RestorePoint point = await PointFinder.FindAsync(vault, options.Point, cancellationToken).ConfigureAwait(false);
            StatsReport.Write(context.Output, point, await VaultStats.OfPointAsync(vault, point, cancellationToken).ConfigureAwait(false));
        }

        context.TellDamages(vault);
        return ExitCodes.Done;
    }
}
