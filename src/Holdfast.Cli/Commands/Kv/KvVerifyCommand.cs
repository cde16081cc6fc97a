using System.CommandLine;
using Holdfast.Bitcask;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Log;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>What <c>kv verify</c> is asked for.</summary>
/// <param name="Directory">Absolute path of the store, checkpoint or backup.</param>
/// <param name="All">Read also what was read and found whole before.</param>
internal sealed record KvVerifyOptions(string Directory, bool All);

/// <summary><c>holdfast kv verify</c>: looks for damage in a store, a checkpoint or a backup.</summary>
internal static class KvVerifyCommand
{
    public static VerbCommand Create()
    {
        Argument<string> directory = KvArguments.Directory("directory of the store, checkpoint or backup");
        Option<bool> all = Flag("--all", "of a checkpoint or backup, read also what was found whole before");
        return new VerbCommand("verify", "look for damage in a store, a checkpoint or a backup")
        {
            Synopsis = "DIR",
            Needs = Needs.None,
            IsWork = true,
            Details =
            [
                "Reads every record, seal and checksum of a store. Of a checkpoint or backup it compares the files with the manifest, " +
                "reads those that no verification has read yet, and opens it. What is damaged is named; the exit code is then 13.",
            ],
            Examples =
            [
                new("holdfast kv verify /srv/sessions", "a store, also while it is used"),
                new("holdfast kv verify /backup/sessions --all", "every byte of a backup"),
            ],
        }.With(directory, all)
        .Does((parse, _) => new KvVerifyOptions(KvArguments.ReadDirectory(parse.One(directory)), parse.GetValue(all)), RunAsync);
    }

    private static Task<int> RunAsync(KvVerifyOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        VerifyReport report;
        try
        {
            report = BitcaskStore.Verify(context.Host, options.Directory, options.All, cancellationToken);
        }
        catch (HoldfastException missing) when (missing.Kind == ErrorKind.NotThere)
        {
            throw KvStores.NotThere(options.Directory, missing);
        }

        Write(context.Output, report, context.Clock.GetElapsedTime(started));
        return Task.FromResult(report.IsWhole ? ExitCodes.Done : ExitCodes.Of(ErrorKind.Damage));
    }

    private static void Write(CommandOutput output, VerifyReport report, TimeSpan elapsed)
    {
        foreach (LogDamage damage in report.Damages)
        {
            output.Line($"damaged: {output.Shown(damage.ToString())}");
            output.Record("damage", damage, static (writer, item) =>
            {
                JsonNames.WritePath(writer, item.Path);
                writer.WriteNumber("offset", item.Offset);
                writer.WriteNumber("length", item.Length);
                JsonNames.WriteText(writer, "message", item.Reason);
            });
        }

        string what = $"{KvText.Count(report.Keys, "key")} in {KvText.Count(report.Segments, "segment")}";
        output.SummaryLine($"verified {what} in {TimeText.ShowTaken(elapsed)}, {SizeText.Show(report.BytesRead)} read");
        output.SummaryLine(report.Damages.Count switch
        {
            0 => "no damage found",
            1 => "1 thing is damaged: see above",
            var count => KvText.Count(count, "thing") + " are damaged: see above",
        });
        output.Record("summary", (report, elapsed), static (writer, done) =>
        {
            writer.WriteNumber("damages", done.report.Damages.Count);
            writer.WriteNumber("keys", done.report.Keys);
            writer.WriteNumber("segments", done.report.Segments);
            writer.WriteNumber("bytesRead", done.report.BytesRead);
            writer.WriteNumber("seconds", Math.Round(done.elapsed.TotalSeconds, 3));
        });
    }
}
