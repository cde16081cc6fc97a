using System.CommandLine;
using Holdfast.Cli.Values;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>import</c> is asked for.</summary>
/// <param name="File">What <c>export</c> wrote; <c>-</c> is standard input.</param>
/// <param name="PasswordFile">Holds the password of the file; null where that is the vault's.</param>
internal sealed record ImportOptions(string File, string? PasswordFile);

/// <summary><c>holdfast import</c>: makes a restore point of an export.</summary>
internal static class ImportCommand
{
    public static VerbCommand Create()
    {
        var file = new Argument<string>("FILE") { Description = "what \"holdfast export\" wrote (- is standard input)" };
        Option<string?> password = One("--from-password-file", "FILE", "the password of the file, where it is another than the vault's");
        return new VerbCommand("import", "make a restore point of an export")
        {
            IsWork = true,
            Synopsis = "FILE",
            Details =
            [
                "The point has the time, host, roots and tags of the one that was exported, and remembers where that was made: a file that was imported, or a point that was copied, is " +
                "not imported again. The file is sealed with the password that opened the vault when it was written.",
                "Differences (export --since) are laid over the older point, which must be here: imported, copied, or made here. The whole file is verified before anything is written.",
            ],
            Examples =
            [
                new("holdfast import site.hfx -r /backup/vault", "everything"),
                new("holdfast import changes.hfx -r /backup/vault --from-password-file old", "differences, sealed with another password"),
            ],
        }.With(file, password)
        .Does(
            (parse, _) => new ImportOptions(parse.One(file) is { Length: > 0 } path ? path : throw UsageError.Of("FILE is empty"), parse.GetValue(password)),
            RunAsync);
    }

    private static async Task<int> RunAsync(ImportOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        FileStream input = await ApplyInput.OpenAsync(options.File, cancellationToken).ConfigureAwait(false);
        await using (input.ConfigureAwait(false))
        {
            (OpenVault vault, VaultSecret vaultSecret) = await context.OpenVaultWithSecretAsync(VaultUse.Backup, cancellationToken).ConfigureAwait(false);
            using (vault)
            using (vaultSecret)
            {
                using VaultSecret? own = options.PasswordFile is null ? null : await context.GetSecretOfAsync(options.File, options.PasswordFile, cancellationToken).ConfigureAwait(false);
                var request = new ImportRequest { Name = options.File, Host = Environment.MachineName };
                ImportSummary summary;
                using (context.Output.ShowProgress(request.Progress))
                {
                    summary = await ImportRun.RunAsync(vault, input, own ?? vaultSecret, request, cancellationToken).ConfigureAwait(false);
                }

                context.EndWith(vault, DamageReach.Nothing);
                Report(context, summary);
                return ExitCodes.Done;
            }
        }
    }

    private static void Report(CommandContext context, ImportSummary summary)
    {
        string what = $"{summary.Origin.Point.ToShortString()} of {summary.Host}, {TimeText.Show(summary.Time, context.Output.Zone)}";
        context.Output.SummaryLine(summary.IsThere
            ? $"{what} is here already, as {summary.Point.ToShortString()}: nothing was done"
            : $"imported {what} as {summary.Point.ToShortString()}");
        if (!summary.IsThere) context.Output.SummaryLine($"added {SizeText.Show(summary.BytesAdded)}, stored {SizeText.Show(summary.BytesStored)} in {TimeText.ShowTaken(summary.Duration)}");
        context.Output.Record("summary", summary, static (writer, report) =>
        {
            writer.WriteString("point", report.Point.ToString());
            writer.WriteString("base", report.Base?.ToString());
            writer.WriteBoolean("alreadyThere", report.IsThere);
            writer.WriteNumber("bytesAdded", report.BytesAdded);
            writer.WriteNumber("bytesStored", report.BytesStored);
            writer.WriteNumber("seconds", Math.Round(report.Duration.TotalSeconds, 3));
        });
    }
}
