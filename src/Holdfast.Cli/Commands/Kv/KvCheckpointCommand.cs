using System.CommandLine;
using Holdfast.Bitcask;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>What <c>kv checkpoint</c> is asked for.</summary>
/// <param name="Directory">Absolute path of the store.</param>
/// <param name="Target">Absolute path of the checkpoint.</param>
internal sealed record KvCheckpointOptions(string Directory, string Target);

/// <summary><c>holdfast kv checkpoint</c>: makes a copy that shares the files of the store.</summary>
internal static class KvCheckpointCommand
{
    public static VerbCommand Create()
    {
        Argument<string> directory = KvArguments.Directory();
        var target = new Argument<string>("TARGET") { Description = "directory to make, or an empty one; not inside the store" };
        return new VerbCommand("checkpoint", "make a copy that shares the files of the store")
        {
            Synopsis = "DIR TARGET",
            Needs = Needs.None,
            IsWork = true,
            Details =
            [
                "Files are linked where that can be done, so it takes hardly any time or space; elsewhere they are copied. It appears " +
                "under its name only when it is whole and durable, and is a store of its own. It protects against mistakes, not against a " +
                "disk that dies: for that, \"kv backup\" copies.",
            ],
            Examples = [new("holdfast kv checkpoint /srv/sessions /srv/sessions.friday", "keep it as it is now")],
        }.With(directory, target)
        .Does(
            (parse, _) => new KvCheckpointOptions(
                KvArguments.ReadDirectory(parse.One(directory)), KvArguments.ReadDirectory(parse.One(target), "TARGET")),
            RunAsync);
    }

    private static Task<int> RunAsync(KvCheckpointOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        using BitcaskStore store = KvStores.OpenToWrite(context, options.Directory);
        KvStores.TellDamages(context, store);
        CheckpointReport report = store.Checkpoint(options.Target, cancellationToken);
        KvCopyReport.Write(context.Output, "checkpoint", report, context.Clock.GetElapsedTime(started));
        return Task.FromResult(KvCopyReport.ExitCodeOf(store));
    }
}
