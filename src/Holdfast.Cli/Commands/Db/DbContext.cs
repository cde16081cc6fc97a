using Holdfast.Databases;

namespace Holdfast.Cli.Commands.Db;

/// <summary>What verbs of databases have in common as they run.</summary>
internal static class DbContext
{
    /// <summary>Takes checkpoints, and remembers hashes of files that never change.</summary>
    public static DatabaseCheckpointer Checkpointer(CommandContext context) => new(context.Host, StateDirectory(context));

    /// <summary>Finds a database, and says how a copy of it will be taken.</summary>
    public static ICheckpointSource Find(DatabaseAddress address) => DatabaseEngines.Get(address.Engine).Find(address.Path);

    /// <summary>Says how a copy was taken where that may surprise.</summary>
    public static void TellWay(CommandContext context, CheckpointManifest manifest)
    {
        if (manifest.Way != CaptureWay.Guarded) return;
        context.Output.Notice(
            $"{manifest.Source}: was copied from outside while another program has it open; it counts since nothing changed meanwhile. "
            + "Let that program listen with a checkpoint agent: then copies never have to be tried again");
    }

    // As the XDG base directory specification has it.
    private static string? StateDirectory(CommandContext context)
    {
        string? state = context.Environment("XDG_STATE_HOME") is { Length: > 0 } given && given[0] == '/' ? given
            : context.Environment("HOME") is { Length: > 0 } home && home[0] == '/' ? $"{home}/.local/state"
            : null;
        return state is null ? null : $"{state}/holdfast/databases";
    }
}
