namespace Holdfast.Files;

/// <summary>A node while it is referenced (see <see cref="IFileTree.Forget"/>). Never given to another node of the same tree.</summary>
/// <param name="Value">The tree's own number; 0 is none.</param>
public readonly record struct NodeId(ulong Value);

/// <summary>An open file, from open to close.</summary>
/// <param name="Value">The tree's own number; 0 is none.</param>
public readonly record struct OpenId(ulong Value);

/// <summary>A referenced node with its attributes.</summary>
/// <param name="Id">Add one reference; give it back with <see cref="IFileTree.Forget"/>.</param>
/// <param name="Attributes">As they were when it was looked up.</param>
public readonly record struct Node(NodeId Id, NodeAttributes Attributes);

/// <summary>
/// Attributes immediately before and after a change, with nothing in between; may be empty where the caller does not want
/// them (<see cref="Caller.WantsMutations"/>).
/// </summary>
public readonly record struct Mutation(NodeAttributes Before, NodeAttributes After);

/// <summary>A new node, and what its making did to the directory.</summary>
public readonly record struct CreatedNode(Node Node, Mutation Directory);

/// <summary>A file opened by name.</summary>
/// <param name="Node">The node; one reference is added.</param>
/// <param name="File">To read and write with, until it is closed.</param>
/// <param name="Created">Whether this call made the file.</param>
/// <param name="Directory">What it did to the directory; before equals after when nothing was made. With
/// <see cref="CreateMode.OpenExisting"/> the tree need not ask and both may be empty.</param>
public readonly record struct OpenedNode(Node Node, OpenId File, bool Created, Mutation Directory);

/// <summary>What a rename or link did to the two directories.</summary>
public readonly record struct TwoDirectoryMutation(Mutation From, Mutation To);

/// <summary>What a write did.</summary>
/// <param name="Written">Bytes written, at least one unless none were given.</param>
/// <param name="Reached">How durable they are now: at least what was asked.</param>
/// <param name="File">The file's attributes around the write.</param>
public readonly record struct WriteOutcome(int Written, Stability Reached, Mutation File);

/// <summary>How durable a write is when it returns.</summary>
public enum Stability
{
    /// <summary>Not at all; a later commit makes it so.</summary>
    Unstable = 0,

    /// <summary>The data and what is needed to find it (fdatasync).</summary>
    Data = 1,

    /// <summary>Data and all attributes (fsync).</summary>
    All = 2,
}

/// <summary>What an open file may be used for.</summary>
[Flags]
public enum OpenAccess
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Reading.</summary>
    Read = 1,

    /// <summary>Writing.</summary>
    Write = 2,

    /// <summary>Its content is thrown away at open.</summary>
    Truncate = 4,

    /// <summary>Reading does not move the access time, where the caller may ask for that.</summary>
    KeepAccessTime = 8,
}

/// <summary>What to do when the name exists, and when not.</summary>
public enum CreateMode
{
    /// <summary>Open what is there; ENOENT when nothing is.</summary>
    OpenExisting = 0,

    /// <summary>Open what is there, else make it.</summary>
    OpenOrCreate = 1,

    /// <summary>Make it; EEXIST when something is there.</summary>
    CreateNew = 2,

    /// <summary>Make it, or open what an earlier call with the same verifier made; EEXIST otherwise.</summary>
    Exclusive = 3,
}

/// <summary>How to open a file by name.</summary>
/// <param name="Access">What for.</param>
/// <param name="Create">What to do when it is not there, or is.</param>
/// <param name="Mode">Permission bits of a new file, before the caller's umask.</param>
/// <param name="Verifier">With <see cref="CreateMode.Exclusive"/>: the client's mark, kept with the file until its attributes are first set.</param>
public readonly record struct OpenRequest(OpenAccess Access, CreateMode Create = CreateMode.OpenExisting, uint Mode = 0x1B6, ulong Verifier = 0);

/// <summary>How to rename.</summary>
public enum RenameMode
{
    /// <summary>What has the new name is replaced.</summary>
    Replace = 0,

    /// <summary>EEXIST when something has the new name.</summary>
    NoReplace = 1,

    /// <summary>The two change places; both must exist.</summary>
    Exchange = 2,
}

/// <summary>How an extended attribute is set.</summary>
public enum XattrMode
{
    /// <summary>Set it, whether it exists or not.</summary>
    Set = 0,

    /// <summary>EEXIST when it exists.</summary>
    CreateNew = 1,

    /// <summary>ENODATA when it does not.</summary>
    Replace = 2,
}

/// <summary>One entry of a directory page.</summary>
/// <param name="Name">1 to <see cref="TreeLimits.MaxNameBytes"/> bytes, any but NUL and '/'; never "." or "..".</param>
/// <param name="Cookie">Where to go on after this entry; stays valid while the directory changes.</param>
/// <param name="Inode">Its number on its file system.</param>
/// <param name="Kind">What it is; <see cref="NodeKind.None"/> when the tree must be asked.</param>
public readonly record struct DirectoryEntry(ReadOnlyMemory<byte> Name, ulong Cookie, ulong Inode, NodeKind Kind);

/// <summary>A run of data or a hole.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">In bytes, at least 1.</param>
/// <param name="IsHole">Whether nothing is stored there; it reads as zeros.</param>
public readonly record struct FileExtent(long Offset, long Length, bool IsHole);

/// <summary>Space and limits of the file system below a tree.</summary>
public readonly record struct FileSystemSpace(
    long TotalBytes, long FreeBytes, long AvailableBytes, long TotalNodes, long FreeNodes, int BlockBytes);

/// <summary>Limits of a tree (as pathconf).</summary>
/// <param name="MaxNameBytes">Longest name: 255, on FAT and NTFS up to 1023 (there a name has 255 characters).</param>
/// <param name="MaxLinks">Most names of one node.</param>
/// <param name="MaxFileBytes">Longest file.</param>
/// <param name="TimeGranularityNanoseconds">Finest step of times.</param>
/// <param name="CaseSensitive">Whether names that differ in case only differ.</param>
public sealed record TreeLimits(
    int MaxNameBytes, uint MaxLinks, long MaxFileBytes, int TimeGranularityNanoseconds, bool CaseSensitive);

/// <summary>Something changed in a tree other than through the caller who is told: what a front door has cached of it is stale.</summary>
/// <param name="Node">The node whose attributes or content changed; for an entry, its directory.</param>
/// <param name="Name">The entry that appeared, changed or went; empty when the node itself changed.</param>
public readonly record struct Invalidation(NodeId Node, ReadOnlyMemory<byte> Name);
