using System.CommandLine;
using Holdfast.Cli.Commands.Backup;
using Holdfast.Cli.Values;
using Holdfast.Databases;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Db;

/// <summary>What <c>db backup</c> is asked for.</summary>
internal sealed record DbBackupOptions
{
    /// <summary>The database.</summary>
    public required DatabaseAddress Database { get; init; }

    /// <summary>How the copy is taken and checked.</summary>
    public required CheckpointOptions Checkpoint { get; init; }

    /// <summary>Where it lies meanwhile; null for beside the database.</summary>
    public required string? Staging { get; init; }

    /// <summary>Read everything, compare with no earlier point.</summary>
    public required bool Full { get; init; }

    /// <summary>Tags of the point.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>The host's name to record; null for this machine's.</summary>
    public required string? HostName { get; init; }

    /// <summary>Level of zstd.</summary>
    public required int CompressionLevel { get; init; }
}

/// <summary><c>holdfast db backup</c>: a verified copy of a database into the vault.</summary>
internal static class DbBackupCommand
{
    public static VerbCommand Create()
    {
        Argument<string> database = DbArguments.Database();
        Option<string[]> tags = Many("--tag", "TAG", "put a tag on the point (repeatable)");
        Option<string?> host = One("--host", "NAME", "record this host name instead of the machine's");
        Option<bool> full = Flag("--full", "read everything; the point rests on no other");
        Option<bool> noFlush = DbArguments.NoFlush();
        Option<bool> noVerify = Flag("--no-verify", "do not have the engine check the copy");
        Option<bool> all = Flag("--verify-all", "read and check also what earlier backups had");
        Option<string?> limit = DbArguments.Limit();
        Option<string?> staging = DbArguments.Staging();
        Option<string?> compression = One(
            "--compression", "LEVEL",
            $"zstd level, {BackupCommand.LeastCompressionLevel} to {BackupCommand.MostCompressionLevel} (default: {BackupCommand.DefaultCompressionLevel})");
        return new VerbCommand("backup", "put a verified copy of a database that may be in use into the vault")
        {
            Synopsis = "ENGINE:PATH",
            IsWork = true,
            Details =
            [
                "Takes a checkpoint, has the engine check it while it goes into the vault, makes a restore point of it and removes it. Files that never change (tables of " +
                "RocksDB, sealed segments of bitcask) are known by what they are, not by name or time: those that an earlier point has are not read again.",
                "Of a database that the engine finds damaged there is no point: the exit code is then 13.",
                DbArguments.Help,
            ],
            Examples =
            [
                new("holdfast db backup rocksdb:/srv/index", "what changed since the last time"),
                new("holdfast db backup sqlite:/var/lib/app/app.db --tag nightly", "with a tag"),
            ],
        }.With(database, tags, host, full, noFlush, noVerify, all, limit, staging, compression)
        .Does(
            (parse, _) => new DbBackupOptions
            {
                Database = DbArguments.Read(parse.One(database)),
                Checkpoint = new CheckpointOptions
                {
                    Capture = DbArguments.ReadCapture(parse, noFlush, limit),
                    Verify = !parse.GetValue(noVerify),
                    ReadAll = parse.GetValue(all),
                },
                Staging = parse.GetValue(staging) is { } directory ? DbArguments.ReadPath(directory, staging.Name) : null,
                Full = parse.GetValue(full),
                Tags = [.. parse.All(tags).Select(static tag => string.IsNullOrWhiteSpace(tag) ? throw UsageError.Of("--tag: a tag is empty") : tag)],
                HostName = parse.GetValue(host) is { } name ? name.Length > 0 ? name : throw UsageError.Of("--host: the name is empty") : null,
                CompressionLevel = parse.GetValue(compression) is { } level
                    ? NumberText.Parse(level, compression.Name, BackupCommand.LeastCompressionLevel, BackupCommand.MostCompressionLevel)
                    : BackupCommand.DefaultCompressionLevel,
            },
            RunAsync);
    }

    private static async Task<int> RunAsync(DbBackupOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        ICheckpointSource source = DbContext.Find(options.Database);
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.Backup, cancellationToken).ConfigureAwait(false);
        var progress = new WorkProgress();
        DatabaseBackupSummary summary;
        using (context.Output.ShowProgress(progress))
        {
            summary = await DatabaseBackup.RunAsync(
                DbContext.Checkpointer(context), context.Host, source, vault, RequestOf(options, context, progress), cancellationToken).ConfigureAwait(false);
        }

        DbContext.TellWay(context, summary.Checkpoint);
        context.EndWith(vault, DamageReach.Nothing);
        TimeSpan elapsed = context.Clock.GetElapsedTime(started);
        BackupReport.Describe(context.Output, summary.Backup, progress.Errors, elapsed);
        DbReport.Write(context.Output, summary.Checkpoint);
        context.Output.Record("summary", (summary, progress.Errors, elapsed), static (writer, done) =>
        {
            BackupReport.WriteJson(writer, (done.summary.Backup, done.Errors, done.elapsed));
            writer.WriteStartObject("checkpoint");
            DbReport.WriteJson(writer, done.summary.Checkpoint, withFiles: false);
            writer.WriteEndObject();
        });
        return progress.Errors > 0 ? ExitCodes.Of(ErrorKind.Incomplete) : ExitCodes.Done;
    }

    private static DatabaseBackupRequest RequestOf(DbBackupOptions options, CommandContext context, WorkProgress progress) => new()
    {
        Checkpoint = CopyProgress.In(context.Output, progress, options.Checkpoint),
        StagingDirectory = options.Staging,
        Backup = new BackupRequest
        {
            Roots = [],
            Host = options.HostName ?? Environment.MachineName,
            Tags = options.Tags,
            Kind = options.Full ? PointKind.Full : PointKind.Incremental,
            CompressionLevel = options.CompressionLevel,
            Workers = context.Workers,
            Program = $"holdfast {HoldfastVersion.Text}",
            Owners = new OwnerNames(),
            OpenState = StatePlace.Find(context) is { } state ? state.Open : null,
            OnNotice = context.Tell,
            OnChange = context.Output.Verbose ? context.Tell : null,
            Progress = progress,
        },
    };
}
