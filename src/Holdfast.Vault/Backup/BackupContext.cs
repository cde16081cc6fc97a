using System.Collections.Concurrent;
using Holdfast.Files;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Backup;

/// <summary>What the stages of one backup share.</summary>
internal sealed class BackupContext(SourceContext source, OpenVault vault)
{
    private readonly ConcurrentDictionary<ulong, ulong> devices = new();
    private long bytesRead;

    public OpenVault Vault => vault;

    public BackupRequest Request => source.Request;

    public Caller Caller => source.Caller;

    public WorkProgress Progress => source.Progress;

    /// <summary>Reads the base's tree.</summary>
    public TreeReader BaseTrees { get; init; } = vault.Trees;

    /// <summary>Where the trees are kept on this machine too; null where they are not.</summary>
    public LocalState? Local { get; init; }

    /// <summary>What is compared with, for messages.</summary>
    public string BaseName => Local is null ? "the restore point compared with" : "the local state of the restore point compared with";

    /// <summary>Whether files are compared with a base: not in a full.</summary>
    public bool Compares { get; init; }

    /// <summary>Whether paths of the point are relative to its only root.</summary>
    public bool IsSingleRoot { get; init; } = source.Request.Roots.Count == 1 || source.Request.Stream is not null;

    public long BytesRead => Interlocked.Read(ref bytesRead);

    /// <summary>A worker's way for tree chunks.</summary>
    public ChunkSink NewTreeSink(WriteSession session) => new(session, ObjectKind.TreePack, Local is null ? null : new LocalTrees(Local));

    public void AddRead(long bytes) => Interlocked.Add(ref bytesRead, bytes);

    public void Fail(byte[] path, string message) => source.Fail(path, message);

    public void Note(byte[] path, string message) => source.Note(path, message);

    public UnixTime NextChangeTime() => source.NextChangeTime();

    /// <summary>An entry as the vault will keep it: devices are counted, owners named.</summary>
    public TreeEntry NewEntry(byte[] name, in NodeAttributes attributes)
    {
        NodeAttributes kept = attributes;
        kept.Device = NumberOf(attributes.Device);
        return new TreeEntry
        {
            Name = name,
            Attributes = kept,
            UserName = Request.Owners?.UserName(attributes.Uid),
            GroupName = Request.Owners?.GroupName(attributes.Gid),
        };
    }

    /// <summary>Whether the entry of the base is to the byte what would be written for a node now, but for its content.</summary>
    public bool IsIdentical(in NodeAttributes now, TreeEntry known)
    {
        ref readonly NodeAttributes then = ref known.Attributes;
        return now.Kind == then.Kind && now.Mode == then.Mode && now.Uid == then.Uid && now.Gid == then.Gid
            && now.ModifyTime == then.ModifyTime && now.ChangeTime == then.ChangeTime && IsTrusted(then)
            && now.Inode == then.Inode && now.LinkCount == then.LinkCount && NumberOf(now.Device) == then.Device
            && (now.IsDirectory || now.Size == then.Size)
            && now.DeviceMajor == then.DeviceMajor && now.DeviceMinor == then.DeviceMinor
            && (Request.Owners?.UserName(now.Uid)).AsSpan().SequenceEqual(known.UserName)
            && (Request.Owners?.GroupName(now.Gid)).AsSpan().SequenceEqual(known.GroupName);
    }

    /// <summary>Whether nothing can have happened to a node since its entry in the base was made.</summary>
    public bool IsUnchanged(in NodeAttributes now, TreeEntry? known)
    {
        if (!Compares || known is null) return false;
        ref readonly NodeAttributes then = ref known.Attributes;
        return now.Kind == then.Kind && now.Size == then.Size && now.ModifyTime == then.ModifyTime
            && IsTrusted(then) && (Request.IgnoreChangeTime || now.ChangeTime == then.ChangeTime)
            && (Request.IgnoreInode || now.Inode == then.Inode);
    }

    /// <summary>Whether what changes a node from that moment on may leave it the ctime that it has.</summary>
    /// <param name="changeTime">The node's.</param>
    /// <param name="nextChange">From <see cref="NextChangeTime"/>, before it was read.</param>
    public static bool MayChangeUnseen(UnixTime changeTime, UnixTime nextChange)
    {
        // Where nanoseconds are never kept, clocks tick in whole seconds (ext3, HFS+), of FAT in two.
        const int coarseTickSeconds = 2;
        bool isCoarse = changeTime.Nanoseconds == 0 && changeTime.Seconds + coarseTickSeconds > nextChange.Seconds;
        return isCoarse || changeTime >= nextChange;
    }

    /// <summary>An entry whose ctime is zero was changed so close to its reading that its attributes prove nothing.</summary>
    public static bool IsTrusted(in NodeAttributes attributes) => attributes.ChangeTime != default;

    private ulong NumberOf(ulong device) => devices.GetOrAdd(device, static (_, known) => (ulong)known.Count, devices);
}
