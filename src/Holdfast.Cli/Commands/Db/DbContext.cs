using Holdfast.Databases;

namespace Holdfast.Cli.Commands.Db;

/// <summary>What verbs of databases have in common as they run.</summary>
internal static class DbContext
{
    /// <summary>Takes checkpoints, and remembers hashes of files that never change.</summary>
    public static DatabaseCheckpointer Checkpointer(CommandContext context) => new(context.Host, StatePlace.Find(context)?.PathOf("databases"));

    /// <summary>Finds a database, and says how a copy of it will be taken.</summary>
    public static ICheckpointSource Find(DatabaseAddress address) => DatabaseEngines.Get(address.Engine).Find(address.Path);

    /// <summary>Says how a copy was taken, and what of it was not checked, where that may surprise.</summary>
    public static void TellWay(CommandContext context, CheckpointManifest manifest)
    {
        if (manifest.Limits is { } limits) context.Output.Notice(limits);
        if (manifest.Way != CaptureWay.Guarded) return;
        context.Output.Notice(
            $"{manifest.Source}: was copied from outside while another program has it open; it counts since nothing changed meanwhile. "
            + "Let that program listen with a checkpoint agent: then copies never have to be tried again");
    }
}
