using System.CommandLine;
using System.Globalization;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>What <c>kv bench</c> is asked for.</summary>
/// <param name="Directory">Absolute path of the directory to measure in.</param>
/// <param name="Records">How many records.</param>
/// <param name="ValueBytes">Size of each value.</param>
internal sealed record KvBenchOptions(string Directory, int Records, int ValueBytes);

/// <summary><c>holdfast kv bench</c>: measures puts and gets on a disk.</summary>
internal static class KvBenchCommand
{
    private const int DefaultRecords = 200_000;
    private const int MostRecords = 100_000_000;
    private const int DefaultValueBytes = 128;
    private const int MostValueBytes = 16 << 20;

    public static VerbCommand Create()
    {
        Argument<string> directory = KvArguments.Directory("directory on the disk to measure");
        Option<string?> records = One("--records", "N", "how many records (200000)");
        Option<string?> valueBytes = One("--value-size", "SIZE", "size of each value (128)");
        return new VerbCommand("bench", "measure puts and gets on a disk")
        {
            Synopsis = "DIR",
            Needs = Needs.None,
            IsWork = true,
            Details =
            [
                "Makes a store of its own in DIR and removes it at the end; what is in DIR is not touched. Keys are 16 random bytes. " +
                "Times are those of the clock on the wall. Gets are answered from memory, as the records were just written. Steps that wait " +
                "for the disk end after 3 seconds; beside them stands what a plain file costs there.",
            ],
            Examples = [new("holdfast kv bench /srv --value-size 1K", "how fast is the disk under /srv?")],
        }.With(directory, records, valueBytes)
        .Does(
            (parse, _) => new KvBenchOptions(
                KvArguments.ReadDirectory(parse.One(directory)),
                parse.GetValue(records) is { } count ? NumberText.Parse(count, records.Name, 1, MostRecords) : DefaultRecords,
                parse.GetValue(valueBytes) is { } size ? ReadSize(size, valueBytes.Name) : DefaultValueBytes),
            RunAsync);
    }

    private static int ReadSize(string text, string flag)
    {
        long bytes = SizeText.Parse(text, flag);
        return bytes <= MostValueBytes
            ? (int)bytes
            : throw UsageError.Of($"{flag}: {text} is too much", $"give at most {SizeText.Show(MostValueBytes)}");
    }

    private static Task<int> RunAsync(KvBenchOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        var table = new Table(("Work", Align.Left), ("Records", Align.Right), ("Records/s", Align.Right), ("Each", Align.Right));
        int steps = 0;
        foreach (KvBenchStep step in new KvBenchmark(context.Host, options.Directory, options.Records, options.ValueBytes).Run(cancellationToken))
        {
            steps++;
            table.Add(
                step.Says, Invariant($"{step.Records:N0}"), RateOf(step) is { } rate ? Invariant($"{rate:N0}") : "?",
                step.Records > 0 ? Invariant($"{step.Elapsed.TotalMicroseconds / step.Records:N2} µs") : "?");
            context.Output.Record("result", step, static (writer, done) =>
            {
                writer.WriteString("work", done.Name);
                writer.WriteNumber("records", done.Records);
                writer.WriteNumber("seconds", Math.Round(done.Elapsed.TotalSeconds, 6));
                if (RateOf(done) is { } perSecond) writer.WriteNumber("recordsPerSecond", Math.Round(perSecond, 1));
            });
        }

        table.WriteTo(context.Output);
        context.Output.Record("summary", (options, steps), static (writer, done) =>
        {
            writer.WriteNumber("results", done.steps);
            writer.WriteNumber("records", done.options.Records);
            writer.WriteNumber("valueBytes", done.options.ValueBytes);
        });
        return Task.FromResult(ExitCodes.Done);
    }

    private static double? RateOf(KvBenchStep step) =>
        step.Elapsed > TimeSpan.Zero ? step.Records / step.Elapsed.TotalSeconds : null;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
