using System.Collections.Concurrent;
using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Backup;

/// <summary>What the stages of one backup share.</summary>
internal sealed class BackupContext(OpenVault vault, BackupRequest request, Caller caller)
{
    // A node whose ctime lies so close before its reading may change again without a new ctime: clocks of file systems tick.
    private static readonly TimeSpan ClockTick = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentDictionary<ulong, ulong> devices = new();
    private long bytesRead;

    public OpenVault Vault => vault;

    public BackupRequest Request => request;

    public Caller Caller => caller;

    public WorkProgress Progress => request.Progress;

    /// <summary>Whether files are compared with a base: not in a full.</summary>
    public bool Compares { get; init; }

    public long BytesRead => Interlocked.Read(ref bytesRead);

    public void AddRead(long bytes) => Interlocked.Add(ref bytesRead, bytes);

    public void Fail(byte[] path, string message)
    {
        // What fails because the run was stopped is nobody's fault.
        caller.Cancellation.ThrowIfCancellationRequested();
        Progress.AddError();
        request.OnNotice?.Invoke(new ItemNotice(IsError: true, path, message));
    }

    public void Note(byte[] path, string message) => request.OnNotice?.Invoke(new ItemNotice(IsError: false, path, message));

    /// <summary>An entry as the vault will keep it: devices are counted, owners named.</summary>
    public TreeEntry NewEntry(byte[] name, in NodeAttributes attributes)
    {
        NodeAttributes kept = attributes;
        kept.Device = devices.GetOrAdd(attributes.Device, static (_, known) => (ulong)known.Count, devices);
        return new TreeEntry
        {
            Name = name,
            Attributes = kept,
            UserName = request.Owners?.UserName(attributes.Uid),
            GroupName = request.Owners?.GroupName(attributes.Gid),
        };
    }

    /// <summary>Whether nothing can have happened to a node since its entry in the base was made.</summary>
    public bool IsUnchanged(in NodeAttributes now, TreeEntry? known)
    {
        if (!Compares || known is null) return false;
        NodeAttributes then = known.Attributes;
        return now.Kind == then.Kind && now.Size == then.Size && now.ModifyTime == then.ModifyTime
            && IsTrusted(then) && (request.IgnoreChangeTime || now.ChangeTime == then.ChangeTime)
            && (request.IgnoreInode || now.Inode == then.Inode);
    }

    /// <summary>
    /// What changes from now on gets a later ctime than this. Asked before a node is read: a later ctime than that would not
    /// tell of a change while it is read.
    /// </summary>
    public UnixTime NextChangeTime() => UnixTime.From(vault.Host.Clock.GetUtcNow() - ClockTick);

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
}
