using System.CommandLine;
using Holdfast.Bitcask;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Log;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>What <c>kv merge</c> is asked for.</summary>
/// <param name="Directory">Absolute path of the store.</param>
/// <param name="All">Merge all segments, not only those with much that is dead.</param>
internal sealed record KvMergeOptions(string Directory, bool All);

/// <summary><c>holdfast kv merge</c>: gives back the space of what was overwritten and deleted.</summary>
internal static class KvMergeCommand
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);

    public static VerbCommand Create()
    {
        Argument<string> directory = KvArguments.Directory();
        Option<bool> all = Flag("--all", "every segment, not only those with much dead, or small ones");
        return new VerbCommand("merge", "give back the space of what was overwritten and deleted")
        {
            Synopsis = "DIR",
            Needs = Needs.None,
            IsWork = true,
            Details =
            [
                "Copies what is current into new segments, removes the old ones, and writes hints that are missing. A program that " +
                "keeps a store open does the same by itself in the background. A merge that is interrupted keeps what it has done. Segments " +
                "with damage are named and left as they are (exit code 13).",
            ],
            Examples = [new("holdfast kv merge /srv/sessions --all", "as small as it can be")],
        }.With(directory, all)
        .Does((parse, _) => new KvMergeOptions(KvArguments.ReadDirectory(parse.One(directory)), parse.GetValue(all)), RunAsync);
    }

    private static async Task<int> RunAsync(KvMergeOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        using BitcaskStore store = KvStores.OpenToWrite(context, options.Directory);
        MergeReport report = await MergeAsync(store, options, context, cancellationToken).ConfigureAwait(false);
        HashSet<string> damages = [.. store.Damages.Concat(report.Damages).Select(static damage => damage.ToString())];
        foreach (string damage in damages) context.Output.Damage(damage);
        Write(context.Output, report, damages.Count, context.Clock.GetElapsedTime(started));
        return damages.Count > 0 ? ExitCodes.Of(ErrorKind.Damage) : ExitCodes.Done;
    }

    private static async Task<MergeReport> MergeAsync(
        BitcaskStore store, KvMergeOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        var progress = new WorkProgress();
        Dictionary<uint, long> before = store.GetStatistics().Segments.ToDictionary(static each => each.Number, static each => each.Bytes);
        if (options.All) progress.Expect(before.Count, before.Values.Sum());
        using ProgressDisplay display = context.Output.ShowProgress(progress);
        Task<MergeReport> work = Task.Run(
            () =>
            {
                MergeReport report = store.Merge(options.All ? MergeScope.All : MergeScope.Due, cancellationToken);
                store.Maintain(cancellationToken);
                return report;
            },
            CancellationToken.None);
        while (!work.IsCompleted)
        {
            await Task.WhenAny(work, Task.Delay(ProgressInterval, context.Clock, CancellationToken.None)).ConfigureAwait(false);
            HashSet<uint> left = [.. store.GetStatistics().Segments.Select(static each => each.Number)];
            foreach ((uint number, long bytes) in before.Where(each => !left.Contains(each.Key)).ToArray())
            {
                before.Remove(number);
                progress.AddDone(1, bytes);
            }
        }

        return await work.ConfigureAwait(false);
    }

    private static void Write(CommandOutput output, MergeReport report, int damages, TimeSpan elapsed)
    {
        string sizes = $"{SizeText.Show(report.BytesBefore)} became {SizeText.Show(report.BytesAfter)}";
        output.SummaryLine(report.SegmentsBefore == 0
            ? "nothing to merge"
            : $"merged {KvText.Count(report.SegmentsBefore, "segment")} into {report.SegmentsAfter}: {sizes} in {TimeText.ShowTaken(elapsed)}");
        output.Record("summary", (report, damages, elapsed), static (writer, done) =>
        {
            writer.WriteNumber("segmentsBefore", done.report.SegmentsBefore);
            writer.WriteNumber("segmentsAfter", done.report.SegmentsAfter);
            writer.WriteNumber("bytesBefore", done.report.BytesBefore);
            writer.WriteNumber("bytesAfter", done.report.BytesAfter);
            writer.WriteNumber("recordsCopied", done.report.RecordsCopied);
            writer.WriteNumber("tombstonesKept", done.report.TombstonesKept);
            writer.WriteNumber("damages", done.damages);
            writer.WriteNumber("seconds", Math.Round(done.elapsed.TotalSeconds, 3));
        });
    }
}
