using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Holdfast.Bitcask;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>What <c>kv stats</c> is asked for.</summary>
/// <param name="Directory">Absolute path of the store.</param>
internal sealed record KvStatsOptions(string Directory);

/// <summary><c>holdfast kv stats</c>: shows what a store holds, segment by segment.</summary>
internal static class KvStatsCommand
{
    public static VerbCommand Create()
    {
        Argument<string> directory = KvArguments.Directory();
        return new VerbCommand("stats", "show what a store holds, segment by segment")
        {
            Synopsis = "DIR",
            Needs = Needs.None,
            Details =
            [
                "Live is what current records take, dead what later ones supersede (a merge gives it back), tombstones what says that " +
                "keys were deleted. A segment without hints is read whole when the store is opened.",
            ],
            Examples = [new("holdfast kv stats /srv/sessions", "how much of it is dead?")],
        }.With(directory)
        .Does((parse, _) => new KvStatsOptions(KvArguments.ReadDirectory(parse.One(directory))), RunAsync);
    }

    private static Task<int> RunAsync(KvStatsOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using BitcaskStore store = KvStores.OpenToRead(context, options.Directory);
        KvStores.TellDamages(context, store);
        StoreStatistics statistics = store.GetStatistics();
        CommandOutput output = context.Output;
        output.Line($"store       {store.Id}");
        output.Line(Invariant($"keys        {statistics.Keys:N0}, after {KvText.Count((long)statistics.Sequence, "change")}"));
        output.Line(Invariant(
            $"on disk     {SizeText.Show(statistics.Bytes)}: live {SizeText.Show(statistics.LiveBytes)}, dead {SizeText.Show(statistics.DeadBytes)}, tombstones {SizeText.Show(statistics.TombstoneBytes)}"));
        output.Line(Invariant($"in memory   {SizeText.Show(statistics.KeydirBytes)}{BytesPerKey(statistics): '('#,0.0' bytes a key)'}"));
        output.Line("");
        var table = new Table(
            ("Segment", Align.Right), ("Size", Align.Right), ("Keys", Align.Right), ("Live", Align.Right), ("Dead", Align.Right),
            ("Tombstones", Align.Right), ("Hints", Align.Left), ("State", Align.Left));
        foreach (SegmentStatistics segment in statistics.Segments)
        {
            table.Add(
                Invariant($"{segment.Number:x8}"), SizeText.Show(segment.Bytes), Invariant($"{segment.LiveRecords:N0}"),
                SizeText.Show(segment.LiveBytes), SizeText.Show(segment.DeadBytes), SizeText.Show(segment.TombstoneBytes),
                segment.HasHint ? "yes" : "no", StateOf(segment));
        }

        table.WriteTo(output);
        output.Document((store.Id.ToString(), statistics), WriteJson);
        return Task.FromResult(ExitCodes.Done);
    }

    private static double? BytesPerKey(StoreStatistics statistics) =>
        statistics.Keys > 0 ? (double)statistics.KeydirBytes / statistics.Keys : null;

    private static string StateOf(SegmentStatistics segment) =>
        segment.IsDamaged ? "damaged" : segment.IsSealed ? "sealed" : "active";

    private static void WriteJson(Utf8JsonWriter writer, (string Id, StoreStatistics Statistics) store)
    {
        StoreStatistics statistics = store.Statistics;
        writer.WriteStartObject();
        writer.WriteString("store", store.Id);
        writer.WriteNumber("keys", statistics.Keys);
        writer.WriteNumber("sequence", statistics.Sequence);
        writer.WriteNumber("bytes", statistics.Bytes);
        writer.WriteNumber("liveBytes", statistics.LiveBytes);
        writer.WriteNumber("deadBytes", statistics.DeadBytes);
        writer.WriteNumber("tombstoneBytes", statistics.TombstoneBytes);
        writer.WriteNumber("keydirBytes", statistics.KeydirBytes);
        if (BytesPerKey(statistics) is { } bytesPerKey) writer.WriteNumber("keydirBytesPerKey", Math.Round(bytesPerKey, 1));
        writer.WriteStartArray("segments");
        foreach (SegmentStatistics segment in statistics.Segments)
        {
            writer.WriteStartObject();
            writer.WriteNumber("number", segment.Number);
            writer.WriteNumber("bytes", segment.Bytes);
            writer.WriteNumber("liveRecords", segment.LiveRecords);
            writer.WriteNumber("liveBytes", segment.LiveBytes);
            writer.WriteNumber("deadBytes", segment.DeadBytes);
            writer.WriteNumber("tombstoneBytes", segment.TombstoneBytes);
            writer.WriteString("state", StateOf(segment));
            writer.WriteBoolean("hints", segment.HasHint);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
