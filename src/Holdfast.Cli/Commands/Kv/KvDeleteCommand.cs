using System.CommandLine;
using Holdfast.Bitcask;
using Holdfast.Log;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>What <c>kv delete</c> is asked for.</summary>
/// <param name="Directory">Absolute path of the store.</param>
/// <param name="Key">The key.</param>
internal sealed record KvDeleteOptions(string Directory, byte[] Key);

/// <summary><c>holdfast kv delete</c>: removes a key.</summary>
internal static class KvDeleteCommand
{
    public static VerbCommand Create()
    {
        Argument<string> directory = KvArguments.Directory();
        Argument<string> key = KvArguments.Key();
        Option<bool> base64 = KvArguments.Base64();
        return new VerbCommand("delete", "remove a key")
        {
            Synopsis = "DIR KEY",
            Needs = Needs.None,
            Details =
            [
                "When the command ends with exit code 0, the key is absent, durably. That it was absent before is said, and is no " +
                "error: so the command can be repeated.",
            ],
            Examples = [new("holdfast kv delete /srv/sessions user/17", "the key is gone")],
        }.With(directory, key, base64)
        .Does(
            (parse, _) => new KvDeleteOptions(
                KvArguments.ReadDirectory(parse.One(directory)),
                KvArguments.ReadKey(parse.One(key), parse.GetValue(base64), "KEY")),
            RunAsync);
    }

    private static Task<int> RunAsync(KvDeleteOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using BitcaskStore store = KvStores.OpenToWrite(context, options.Directory);
        KvStores.TellDamages(context, store);
        bool deleted = store.Delete(options.Key, Durability.Group);
        if (!deleted) context.Output.SummaryLine($"there was no key '{KvText.Show(options.Key)}'");
        context.Output.Document((options.Key, deleted), static (writer, done) =>
        {
            writer.WriteStartObject();
            KvText.WriteKey(writer, done.Key);
            writer.WriteBoolean("deleted", done.deleted);
            writer.WriteEndObject();
        });
        return Task.FromResult(ExitCodes.Done);
    }
}
