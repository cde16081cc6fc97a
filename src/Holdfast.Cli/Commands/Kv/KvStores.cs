using Holdfast.Bitcask;
using Holdfast.Log;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>Opens stores, and says in the words of the command line why one cannot be opened.</summary>
internal static class KvStores
{
    private const string LockName = "lock";

    /// <summary>Opens a store as it is now; it may be in use. The caller disposes it.</summary>
    public static BitcaskStore OpenToRead(CommandContext context, string directory, KeydirKind keydir = KeydirKind.Compact) =>
        Open(context, directory, new BitcaskOptions { ReadOnly = true, Create = false, Keydir = keydir });

    /// <summary>Opens a store that is there, for this process alone. The caller disposes it.</summary>
    /// <remarks>Nothing is merged beside what the verb does itself.</remarks>
    public static BitcaskStore OpenToWrite(CommandContext context, string directory) =>
        Open(context, directory, new BitcaskOptions
        {
            Create = false,
            MaintainInBackground = false,
            // No writer is to be spared.
            Merge = new MergeOptions { BytesPerSecond = 0 },
        });

    /// <summary>The same, but makes the store where there is nothing.</summary>
    public static BitcaskStore OpenOrCreate(CommandContext context, string directory)
    {
        ThrowIfTaken(context.Host.Disk, directory);
        return Open(context, directory, new BitcaskOptions());
    }

    /// <summary>Names the damage that was met at opening.</summary>
    public static void TellDamages(CommandContext context, BitcaskStore store)
    {
        foreach (LogDamage damage in store.Damages) context.Output.Damage(damage.ToString());
    }

    /// <summary>The error of a place without a store.</summary>
    public static HoldfastException NotThere(string directory, Exception inner) => new(
        ErrorKind.NotThere, $"{directory}: there is no key-value store here", "check the path; \"holdfast kv put\" makes one", inner);

    private static BitcaskStore Open(CommandContext context, string directory, BitcaskOptions options)
    {
        BitcaskStore store;
        try
        {
            store = BitcaskStore.Open(context.Host, directory, options with { OpenThreads = context.Workers });
        }
        catch (HoldfastException missing) when (missing.Kind == ErrorKind.NotThere)
        {
            throw NotThere(directory, missing);
        }
        catch (HoldfastException busy) when (busy.Kind == ErrorKind.Busy)
        {
            throw new HoldfastException(
                ErrorKind.Busy, busy.Message, "wait until it has ended; get, scan, stats and verify work beside it", busy);
        }

        if (!options.ReadOnly && store.TornTail is { } torn) context.Output.Notice(torn.ToString());
        return store;
    }

    // A store in the midst of other files would be a slip of the finger.
    private static void ThrowIfTaken(IDisk disk, string directory)
    {
        if (disk.TryStat(directory) is { IsDirectory: false })
        {
            throw new HoldfastException(ErrorKind.Failed, $"{directory}: is there and is no directory", "choose another name");
        }

        if (SegmentedLog.Exists(disk, directory)) return;
        foreach (DiskEntry entry in disk.TryList(directory) ?? [])
        {
            // What a store leaves that was being made.
            if (entry.Name == LockName || entry.Name.StartsWith(IDisk.StagingPrefix, StringComparison.Ordinal)) continue;
            throw new HoldfastException(
                ErrorKind.Failed, $"{directory}: is not empty and no key-value store ({entry.Name})",
                "choose an empty directory, or a name that is free");
        }
    }
}
