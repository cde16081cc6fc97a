using System.CommandLine;
using Holdfast.Bitcask;
using Holdfast.Cli.Terminals;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Log;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>What <c>kv put</c> is asked for.</summary>
/// <param name="Directory">Absolute path of the store.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">Its new value; null to read it from standard input.</param>
/// <param name="Expires">When the key is absent again; null for never.</param>
internal sealed record KvPutOptions(string Directory, byte[] Key, byte[]? Value, DateTimeOffset? Expires);

/// <summary><c>holdfast kv put</c>: gives a key a value.</summary>
internal static class KvPutCommand
{
    public static VerbCommand Create()
    {
        Argument<string> directory = KvArguments.Directory();
        Argument<string> key = KvArguments.Key();
        var value = new Argument<string?>("VALUE")
        {
            Description = "value: the bytes of the argument (default: standard input to its end)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> base64 = KvArguments.Base64();
        Option<string?> expires = One("--expires", "WHEN", "let the key be absent after a duration such as 2h, or from a time on");
        return new VerbCommand("put", "give a key a value")
        {
            Synopsis = "DIR KEY [VALUE]",
            Needs = Needs.None,
            Details =
            [
                "Makes the store when there is none; its parent directory must exist. The value is durable when the command ends " +
                "with exit code 0. A value that begins with - goes behind --.",
            ],
            Examples =
            [
                new("holdfast kv put /srv/sessions user/17 hello", "the value is hello, without a line end"),
                new("holdfast kv put /srv/sessions user/17 --expires 2h", "the value is what standard input gives"),
            ],
        }.With(directory, key, value, base64, expires)
        .Does(
            (parse, clock) => new KvPutOptions(
                KvArguments.ReadDirectory(parse.One(directory)),
                KvArguments.ReadKey(parse.One(key), parse.GetValue(base64), "KEY"),
                parse.GetValue(value) is { } text ? SurrogateEscape.Encode(text) : null,
                parse.GetValue(expires) is { } when ? TimeText.ParseFuture(when, expires.Name, clock) : null),
            RunAsync);
    }

    private static async Task<int> RunAsync(KvPutOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        // Read first: whoever feeds us slowly must not keep others from the store meanwhile.
        byte[] value = options.Value ?? await ReadInputAsync(cancellationToken).ConfigureAwait(false);
        using BitcaskStore store = KvStores.OpenOrCreate(context, options.Directory);
        KvStores.TellDamages(context, store);
        store.Put(options.Key, value, options.Expires, Durability.Group);
        if (context.Output.Verbose) context.Output.Detail($"put {KvText.Show(options.Key)}, {SizeText.Show(value.Length)}");
        context.Output.Document((options, value, store.Sequence), static (writer, done) =>
        {
            writer.WriteStartObject();
            KvText.WriteKey(writer, done.options.Key);
            writer.WriteNumber("bytes", done.value.Length);
            if (done.options.Expires is { } expires) writer.WriteString("expires", TimeText.ShowExact(expires));
            writer.WriteNumber("sequence", done.Sequence);
            writer.WriteEndObject();
        });
        return ExitCodes.Done;
    }

    private static async Task<byte[]> ReadInputAsync(CancellationToken cancellationToken)
    {
        Stream input = InputFile.StandardInput();
        await using (input.ConfigureAwait(false))
        {
            using var content = new MemoryStream();
            byte[] piece = new byte[64 << 10];
            int read;
            while ((read = await input.ReadAsync(piece, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if (content.Length + read > BitcaskStore.MaxValueBytes)
                {
                    throw new HoldfastException(
                        ErrorKind.Failed, $"standard input: more than {BitcaskStore.MaxValueBytes} bytes, the most that a value can have",
                        "store it in parts, under several keys");
                }

                content.Write(piece, 0, read);
            }

            return content.ToArray();
        }
    }
}
