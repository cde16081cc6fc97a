using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Values;
using Holdfast.Log;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>copy</c> is asked for.</summary>
/// <param name="Points">The points to copy; none for all that the vault lacks.</param>
/// <param name="From">The vault to copy from.</param>
/// <param name="FromPasswordFile">Holds its password; null where that is the same.</param>
internal sealed record CopyOptions(IReadOnlyList<PointSelector> Points, string From, string? FromPasswordFile);

/// <summary><c>holdfast copy</c>: copies restore points from another vault.</summary>
internal static class CopyCommand
{
    public static VerbCommand Create()
    {
        var words = new Argument<string[]>("POINT") { Description = "restore point of the other vault (default: all that this vault lacks)", Arity = ArgumentArity.ZeroOrMore };
        Option<string?> from = One("--from", "URL", "the vault to copy from (required)");
        Option<string?> fromPassword = One("--from-password-file", "FILE", "its password, where it is another");
        from.Required = true;
        return new VerbCommand("copy", "copy restore points from another vault")
        {
            IsWork = true,
            Synopsis = "[POINT…] --from URL",
            Details =
            [
                "Copies points of another vault into this one (-r), oldest first, with their times, hosts and tags. Each remembers where it comes from: what is here already " +
                "is not copied again. Everything is verified on the way. The other vault is only read.",
                "A vault that was made with \"holdfast init --secrets-of\" names content as the other does, so what it has is not even read; into any other vault all is read and named anew.",
                "A point that is damaged is not copied but named, the others are, and the exit code is 13. Cut off at any moment, it leaves whole points; run it again.",
            ],
            Examples =
            [
                new("holdfast copy --from /backup/vault -r /mnt/away/vault", "copy all that is not there yet"),
                new("holdfast copy latest --from /backup/vault -r /mnt/away/vault", "only the newest"),
            ],
        }.With(words, from, fromPassword)
        .Does(
            (parse, _) => new CopyOptions(
                [.. parse.All(words).Select(static word => new PointSelector(word, null))],
                parse.GetValue(from) is { Length: > 0 } address ? address : throw UsageError.Of("--from: the address is empty"),
                parse.GetValue(fromPassword)),
            RunAsync);
    }

    private static async Task<int> RunAsync(CopyOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.Backup, cancellationToken).ConfigureAwait(false);
        using OpenVault from = await context.OpenOtherAsync(options.From, options.FromPasswordFile, cancellationToken).ConfigureAwait(false);
        var request = new CopyRequest
        {
            From = from,
            Points = await FindAsync(options, from, cancellationToken).ConfigureAwait(false),
            Host = Environment.MachineName,
            Workers = context.Workers,
            OnNotice = context.Tell,
            OnCopied = (point, copy) => context.Output.Detail($"copied {point.Id.ToShortString()} as {copy.ToShortString()}"),
        };
        CopySummary summary;
        using (context.Output.ShowProgress(request.Progress))
        {
            summary = await CopyRun.RunAsync(vault, request, cancellationToken).ConfigureAwait(false);
        }

        int code = context.EndWith(from, DamageReach.Choice);
        context.EndWith(vault, DamageReach.Nothing);
        Write(context, summary);
        if (summary.Damaged > 0) return ExitCodes.Of(ErrorKind.Damage);
        return ExitCodes.Combine(code, summary.Gone > 0 ? ExitCodes.Of(ErrorKind.Incomplete) : ExitCodes.Done);
    }

    /// <summary>The points that were named; null for all.</summary>
    private static async Task<IReadOnlyList<RestorePoint>?> FindAsync(CopyOptions options, OpenVault from, CancellationToken cancellationToken)
    {
        if (options.Points.Count == 0) return null;
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(from, cancellationToken).ConfigureAwait(false);
        return [.. options.Points.Select(selector => PointFinder.Find(from, points, selector))];
    }

    private static void Write(CommandContext context, CopySummary summary)
    {
        context.Output.SummaryLine(Invariant($"points: {summary.Points:N0} copied, {summary.PointsThere:N0} there already"));
        context.Output.SummaryLine(
            $"read {SizeText.Show(summary.BytesRead)}, stored {SizeText.Show(summary.BytesStored)} in {TimeText.ShowTaken(summary.Duration)}");
        if (summary.Damaged > 0) context.Output.SummaryLine(Invariant($"{summary.Damaged:N0} not copied, since they are damaged: see above"));
        if (summary.Gone > 0) context.Output.SummaryLine(Invariant($"{summary.Gone:N0} not copied, since they were forgotten meanwhile"));
        context.Output.Record("summary", summary, WriteJson);
    }

    private static void WriteJson(Utf8JsonWriter writer, CopySummary summary)
    {
        writer.WriteNumber("points", summary.Points);
        writer.WriteNumber("pointsThere", summary.PointsThere);
        writer.WriteNumber("damaged", summary.Damaged);
        writer.WriteNumber("gone", summary.Gone);
        writer.WriteNumber("bytesRead", summary.BytesRead);
        writer.WriteNumber("bytesStored", summary.BytesStored);
        writer.WriteNumber("chunksCopied", summary.ChunksCopied);
        writer.WriteNumber("chunksThere", summary.ChunksThere);
        writer.WriteNumber("seconds", Math.Round(summary.Duration.TotalSeconds, 3));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
