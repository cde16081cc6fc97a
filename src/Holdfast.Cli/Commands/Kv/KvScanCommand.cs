using System.CommandLine;
using System.Text;
using Holdfast.Bitcask;
using Holdfast.Cli.Values;
using Holdfast.Log;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>What <c>kv scan</c> is asked for.</summary>
/// <param name="Directory">Absolute path of the store.</param>
/// <param name="Range">Which keys, in their order; null for all keys as they lie on the disk.</param>
/// <param name="KeysOnly">Leave out the values.</param>
/// <param name="Limit">How many at most; null for all.</param>
internal sealed record KvScanOptions(string Directory, KeyRange? Range, bool KeysOnly, int? Limit);

/// <summary><c>holdfast kv scan</c>: lists keys and values.</summary>
internal static class KvScanCommand
{
    public static VerbCommand Create()
    {
        Argument<string> directory = KvArguments.Directory();
        Option<string?> prefix = One("--prefix", "BYTES", "only keys that begin so");
        Option<string?> from = One("--from", "KEY", "only this key and those behind it");
        Option<string?> before = One("--before", "KEY", "only keys before this one");
        Option<bool> reverse = Flag("--reverse", "from the last key to the first");
        Option<bool> sorted = Flag("--sorted", "in the order of the keys, also when all are asked for");
        Option<bool> keys = Flag("--keys", "keys only");
        Option<string?> limit = One("--limit", "N", "at most this many");
        Option<bool> base64 = KvArguments.Base64();
        return new VerbCommand("scan", "list keys and values")
        {
            Synopsis = "DIR",
            Needs = Needs.None,
            IsWork = true,
            Details =
            [
                "One line for each key: the key, a tab, the value. Tabs, line ends, backslashes and whatever is not printable UTF-8 " +
                "are written as \\t, \\n, \\r, \\\\ and \\xNN, which printf %b takes back. With --json a line is an object.",
                "With --prefix, --from, --before, --reverse or --sorted the keys come in their order, byte by byte; for that all keys " +
                "are held in memory. Else they come as they lie on the disk, which is faster. What is listed is the store as it was at " +
                "one instant.",
            ],
            Examples =
            [
                new("holdfast kv scan /srv/sessions", "everything"),
                new("holdfast kv scan /srv/sessions --prefix user/ --keys --reverse --limit 10", "the last ten users"),
            ],
        }.With(directory, prefix, from, before, reverse, sorted, keys, limit, base64)
        .Does(
            (parse, _) => new KvScanOptions(
                KvArguments.ReadDirectory(parse.One(directory)),
                ReadRange(
                    KeyOf(parse, prefix), KeyOf(parse, from), KeyOf(parse, before), parse.GetValue(reverse), parse.GetValue(sorted)),
                parse.GetValue(keys),
                parse.GetValue(limit) is { } text ? NumberText.Parse(text, limit.Name, 1, int.MaxValue) : null),
            RunAsync);

        byte[]? KeyOf(ParseResult parse, Option<string?> option) =>
            parse.GetValue(option) is { } text ? KvArguments.ReadKey(text, parse.GetValue(base64), option.Name) : null;
    }

    private static KeyRange? ReadRange(byte[]? prefix, byte[]? from, byte[]? before, bool isBackward, bool isSorted)
    {
        if (prefix is null && from is null && before is null && !isBackward && !isSorted) return null;
        KeyRange range = prefix is null ? KeyRange.All : KeyRange.Prefix(prefix);
        return range with
        {
            From = range.From is null || (from is not null && from.AsSpan().SequenceCompareTo(range.From) > 0) ? from : range.From,
            Before = range.Before is null || (before is not null && before.AsSpan().SequenceCompareTo(range.Before) < 0)
                ? before
                : range.Before,
            IsBackward = isBackward,
        };
    }

    private static Task<int> RunAsync(KvScanOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        KeydirKind keydir = options.Range is null ? KeydirKind.Compact : KeydirKind.Ordered;
        using BitcaskStore store = KvStores.OpenToRead(context, options.Directory, keydir);
        using StoreSnapshot snapshot = store.Snapshot();
        using SnapshotReader reader = options.Range is { } range ? snapshot.OpenReader(range) : snapshot.OpenReader();
        var scan = new Scan(options, context, reader);
        foreach (LogDamage damage in store.Damages) scan.Tell(damage.ToString());
        return Task.FromResult(scan.Run(cancellationToken));
    }

    private sealed class Scan(KvScanOptions options, CommandContext context, SnapshotReader reader)
    {
        private const int FlushChars = 64 << 10;
        private const int PieceBytes = 64 << 10;

        private readonly StringBuilder line = new();
        private readonly HashSet<string> damages = new(StringComparer.Ordinal);
        private long entries;
        private int leftOut;

        public int Run(CancellationToken cancellationToken)
        {
            while ((options.Limit is not { } limit || entries < limit) && TryRead())
            {
                if (entries++ % 1024 == 0) cancellationToken.ThrowIfCancellationRequested();
                if (context.Output.Json) WriteJson();
                else WriteLine();
            }

            context.Output.Text(line.ToString());
            context.Output.Record("summary", this, static (writer, scan) =>
            {
                writer.WriteNumber("entries", scan.entries);
                writer.WriteNumber("leftOut", scan.leftOut);
                writer.WriteNumber("damages", scan.damages.Count);
            });
            if (damages.Count > 0) return ExitCodes.Of(ErrorKind.Damage);
            return leftOut > 0 ? ExitCodes.Of(ErrorKind.Incomplete) : ExitCodes.Done;
        }

        // Damage is met at opening, and again where it lies.
        public void Tell(string damage)
        {
            if (damages.Add(damage)) context.Output.Damage(damage);
        }

        private bool TryRead()
        {
            while (true)
            {
                try
                {
                    return reader.TryRead();
                }
                catch (HoldfastException damage) when (damage.Kind == ErrorKind.Damage)
                {
                    // It goes on behind it.
                    Tell(damage.Message);
                }
            }
        }

        private void WriteLine()
        {
            KvText.Append(line, reader.Key);
            if (!options.KeysOnly)
            {
                line.Append('\t');
                ReadOnlySpan<byte> value = reader.Value;
                while (value.Length > PieceBytes)
                {
                    int piece = PieceBytes;
                    // Not within a character, which would be taken for foreign bytes.
                    while (piece > PieceBytes - 4 && (value[piece] & 0xC0) == 0x80) piece--;
                    KvText.Append(line, value[..piece]);
                    value = value[piece..];
                    Flush();
                }

                KvText.Append(line, value);
            }

            line.Append('\n');
            if (line.Length >= FlushChars) Flush();
        }

        private void Flush()
        {
            context.Output.Text(line.ToString());
            line.Clear();
        }

        private void WriteJson()
        {
            if (!options.KeysOnly && reader.Value.Length > KvText.MaxJsonValueBytes)
            {
                leftOut++;
                context.Output.ItemError(
                    KvText.Show(reader.Key), $"a value of {reader.Value.Length} bytes is too long for JSON; get it without --json");
                return;
            }

            context.Output.Record(
                "entry",
                (reader, options.KeysOnly),
                static (writer, entry) =>
                {
                    KvText.WriteKey(writer, entry.reader.Key);
                    if (!entry.KeysOnly) KvText.WriteValue(writer, entry.reader.Value);
                    if (entry.reader.Expires is { } expires) writer.WriteString("expires", TimeText.ShowExact(expires));
                },
                flush: false);
        }
    }
}
