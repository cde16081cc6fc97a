using System.CommandLine;
using Holdfast.Bitcask;
using Holdfast.Files;
using Holdfast.Log;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>What <c>kv get</c> is asked for.</summary>
/// <param name="Directory">Absolute path of the store.</param>
/// <param name="Key">The key.</param>
internal sealed record KvGetOptions(string Directory, byte[] Key);

/// <summary><c>holdfast kv get</c>: writes a value to standard output, byte for byte.</summary>
internal static class KvGetCommand
{
    private const int PieceBytes = 64 << 10;

    public static VerbCommand Create()
    {
        Argument<string> directory = KvArguments.Directory();
        Argument<string> key = KvArguments.Key();
        Option<bool> base64 = KvArguments.Base64();
        return new VerbCommand("get", "write the value of a key to standard output")
        {
            Synopsis = "DIR KEY",
            Needs = Needs.None,
            Details = ["Writes the bytes of the value and nothing else. A key that is not there, or has expired, is an error (exit code 1)."],
            Examples = [new("holdfast kv get /srv/sessions user/17", "show a value")],
        }.With(directory, key, base64)
        .Does(
            (parse, _) => new KvGetOptions(
                KvArguments.ReadDirectory(parse.One(directory)),
                KvArguments.ReadKey(parse.One(key), parse.GetValue(base64), "KEY")),
            RunAsync);
    }

    private static Task<int> RunAsync(KvGetOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using BitcaskStore store = KvStores.OpenToRead(context, options.Directory);
        KvStores.TellDamages(context, store);
        byte[] value = store.Get(options.Key)
            ?? throw new HoldfastException(
                ErrorKind.Failed, $"{options.Directory}: there is no key '{KvText.Show(options.Key)}'", "\"holdfast kv scan --keys\" lists all");
        if (context.Output.Json) WriteJson(context, options.Key, value);
        for (int offset = 0; offset < value.Length; offset += PieceBytes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // A piece may end within a character: what is written is the same bytes.
            ReadOnlySpan<byte> piece = value.AsSpan(offset, Math.Min(PieceBytes, value.Length - offset));
            context.Output.Text(SurrogateEscape.Decode(piece));
        }

        return Task.FromResult(ExitCodes.Done);
    }

    private static void WriteJson(CommandContext context, byte[] key, byte[] value)
    {
        if (value.Length > KvText.MaxJsonValueBytes)
        {
            throw new HoldfastException(ErrorKind.Failed, $"a value of {value.Length} bytes is too long for JSON", "leave out --json");
        }

        context.Output.Document((key, value), static (writer, entry) =>
        {
            writer.WriteStartObject();
            KvText.WriteKey(writer, entry.key);
            KvText.WriteValue(writer, entry.value);
            writer.WriteEndObject();
        });
    }
}
