using Holdfast.Cli.Commands.Db;

namespace Holdfast.Cli.Commands;

/// <summary><c>holdfast db</c>: copies of live embedded databases.</summary>
internal static class DbCommand
{
    public static VerbCommand Create() => new VerbCommand("db", "copy, verify, back up and restore embedded databases while they are used")
    {
        Synopsis = "checkpoint|verify|backup|points|restore",
        Needs = Needs.None,
        Details =
        [
            DbArguments.Help,
            "A copy is the database as it was at one instant. The program that has the database open is asked for it where it listens with a " +
            "checkpoint agent (one line in its code); else it is taken from outside, without writing to the database. RocksDB gives no way " +
            "to do that safely while it changes: such a copy counts only if nothing changed meanwhile, and is tried again else.",
        ],
        Examples =
        [
            new("holdfast db checkpoint rocksdb:/srv/index /srv/index.friday", "a copy that opens, made of links where possible"),
            new("holdfast db backup sqlite:/var/lib/app/app.db", "the same, verified, into the vault"),
            new("holdfast db restore latest --to /srv/index.back", "bring the newest back"),
        ],
    }.With(DbCheckpointCommand.Create(), DbVerifyCommand.Create(), DbBackupCommand.Create(), DbPointsCommand.Create(), DbRestoreCommand.Create());
}
