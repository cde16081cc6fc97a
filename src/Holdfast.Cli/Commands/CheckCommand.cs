using System.CommandLine;
using Holdfast.Cli.Commands.Check;
using Holdfast.Cli.Values;
using Holdfast.Log;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>check</c> is asked for.</summary>
/// <param name="ReadShare">The share of the stored data to read, from 0 (none) to 1 (all).</param>
internal sealed record CheckOptions(double ReadShare);

/// <summary><c>holdfast check</c>: looks for damage in a vault.</summary>
internal static class CheckCommand
{
    public static VerbCommand Create()
    {
        Option<bool> all = Flag("--read-data", "read and verify every stored byte");
        Option<string?> subset = One("--read-data-subset", "PERCENT", "read and verify a part, such as 5%, another one each time");

        return new VerbCommand("check", "look for damage in the vault")
        {
            IsWork = true,
            Details =
            [
                "Verifies that every restore point is whole: its trees, the index and that every pack is there. With " +
                "--read-data the content of the packs too. Names what is damaged and which points and files it affects; the " +
                "exit code is then 13.",
            ],
            Examples =
            [
                new("holdfast check", "verify the structure"),
                new("holdfast check --read-data-subset 5%", "and a twentieth of the data"),
            ],
        }.With(all, subset)
        .Does(
            (parse, _) => (parse.GetValue(all), parse.GetValue(subset)) switch
            {
                (true, not null) => throw UsageError.Of("--read-data and --read-data-subset: choose one"),
                (true, null) => new CheckOptions(1),
                (false, { } share) => new CheckOptions(PercentText.Parse(share, subset.Name)),
                _ => new CheckOptions(0),
            },
            RunAsync);
    }

    private static async Task<int> RunAsync(CheckOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        using OpenVault vault = await context.OpenVaultAsync(options.ReadShare > 0 ? VaultUse.ReadData : VaultUse.ReadTrees, cancellationToken).ConfigureAwait(false);
        var request = new CheckRequest
        {
            ReadData = options.ReadShare > 0,
            Subset = options.ReadShare is > 0 and < 1 ? options.ReadShare : null,
            Workers = context.Workers,
            OnNotice = context.Tell,
        };
        CheckReport report;
        using (context.Output.ShowProgress(request.Progress))
        {
            report = await CheckRun.RunAsync(vault, request, cancellationToken).ConfigureAwait(false);
        }

        CheckResult.Write(context.Output, report, context.Clock.GetElapsedTime(started));
        return report.Damages.Count > 0 ? ExitCodes.Of(ErrorKind.Damage) : ExitCodes.Done;
    }
}
