using System.CommandLine;
using Holdfast.Bitcask;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>What <c>kv backup</c> is asked for.</summary>
/// <param name="Directory">Absolute path of the store.</param>
/// <param name="Target">Absolute path of the backup.</param>
/// <param name="Previous">Absolute path of an earlier backup to share segments with; null for a copy of everything.</param>
internal sealed record KvBackupOptions(string Directory, string Target, string? Previous);

/// <summary><c>holdfast kv backup</c>: makes a copy that shares nothing with the store.</summary>
internal static class KvBackupCommand
{
    public static VerbCommand Create()
    {
        Argument<string> directory = KvArguments.Directory();
        var target = new Argument<string>("TARGET") { Description = "directory to make, or an empty one; not inside the store" };
        Option<string?> previous = One("--previous", "OLD", "an earlier backup: what it has is linked from there, not copied again");
        return new VerbCommand("backup", "make a copy that shares nothing with the store")
        {
            Synopsis = "DIR TARGET",
            Needs = Needs.None,
            IsWork = true,
            Details =
            [
                "It appears under its name only when it is whole and durable, and is a store of its own. Backups that were made with " +
                "--previous share files with each other; any of them can be removed, the others stay whole. \"holdfast backup\" takes such a " +
                "directory into a vault.",
            ],
            Examples =
            [
                new("holdfast kv backup /srv/sessions /backup/monday", "copy everything"),
                new("holdfast kv backup /srv/sessions /backup/tuesday --previous /backup/monday", "copy what is new"),
            ],
        }.With(directory, target, previous)
        .Does(
            (parse, _) => new KvBackupOptions(
                KvArguments.ReadDirectory(parse.One(directory)),
                KvArguments.ReadDirectory(parse.One(target), "TARGET"),
                parse.GetValue(previous) is { } old ? KvArguments.ReadDirectory(old, previous.Name) : null),
            RunAsync);
    }

    private static Task<int> RunAsync(KvBackupOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        using BitcaskStore store = KvStores.OpenToWrite(context, options.Directory);
        KvStores.TellDamages(context, store);
        CheckpointReport report = options.Previous is null
            ? store.Backup(options.Target, cancellationToken)
            : store.BackupTo(options.Target, options.Previous, cancellationToken);
        KvCopyReport.Write(context.Output, "backup", report, context.Clock.GetElapsedTime(started));
        return Task.FromResult(KvCopyReport.ExitCodeOf(store));
    }
}
