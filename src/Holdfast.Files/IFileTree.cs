namespace Holdfast.Files;

/// <summary>
/// A file tree in inode terms: what backup reads, restore writes, and Fuse and Nfs serve.
/// </summary>
/// <remarks>
/// <para>Names are bytes: 1 to <see cref="TreeLimits.MaxNameBytes"/>, any but NUL and '/', never "." or ".."
/// (<see cref="LookupAsync"/> alone takes ".."); another name is answered with EINVAL, a longer one with ENAMETOOLONG.
/// Memory passed in is only read during the call.</para>
/// <para>Calls that return a <see cref="Node"/> add one reference to it; it stays valid, under rename and unlink too,
/// until <see cref="Forget"/> has given all of them back. The root needs none. Symlinks are never followed.</para>
/// <para>A change answers the attributes immediately before and after it, unless the caller does not want them. The
/// attributes of a <see cref="Node"/> are always true.</para>
/// <para>Outcomes are errno values; an exception means that the program is wrong. May be used from any thread. A local
/// tree completes synchronously.</para>
/// </remarks>
public interface IFileTree
{
    /// <summary>The top of the tree, always valid.</summary>
    NodeId Root { get; }

    /// <summary>What the tree allows.</summary>
    TreeLimits Limits { get; }

    /// <summary>Tells of changes that the observer did not make itself, until the result is disposed.</summary>
    IDisposable Watch(Action<Invalidation> observer);

    /// <summary>Gives references back; the node may be used no more when none is left.</summary>
    void Forget(NodeId node, ulong count);

    /// <summary>Writes a node's handle: at most 64 bytes that name it for as long as it exists, also after a restart.</summary>
    /// <returns>The handle's length.</returns>
    Result<int> EncodeHandle(NodeId node, Span<byte> target);

    /// <summary>Finds the node of a handle; ESTALE when it is gone.</summary>
    ValueTask<Result<Node>> ResolveHandleAsync(Caller caller, ReadOnlyMemory<byte> handle);

    /// <summary>Finds an entry of a directory; ".." is its parent (the root's is the root).</summary>
    ValueTask<Result<Node>> LookupAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name);

    /// <summary>Attributes now.</summary>
    ValueTask<Result<NodeAttributes>> GetAttributesAsync(Caller caller, NodeId node);

    /// <summary>Changes attributes: owner first, then mode (chown clears bits), size, times last.</summary>
    ValueTask<Result<Mutation>> SetAttributesAsync(Caller caller, NodeId node, AttributeChanges changes);

    /// <summary>A symlink's target, as bytes.</summary>
    ValueTask<Result<ReadOnlyMemory<byte>>> ReadLinkAsync(Caller caller, NodeId node);

    /// <summary>Adds entries of a directory to <paramref name="page"/>, without "." and "..".</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="after">The last entry's cookie; 0 for the beginning.</param>
    /// <param name="page">Receives the entries, in an order that is the same each time.</param>
    /// <param name="maxEntries">How many at most.</param>
    /// <returns>Whether there may be more.</returns>
    ValueTask<Result<bool>> ListAsync(
        Caller caller, NodeId directory, ulong after, ICollection<DirectoryEntry> page, int maxEntries);

    /// <summary>The bulk scan: all entries of a directory with their attributes, references added to none.</summary>
    /// <returns>How many entries <paramref name="scan"/>, emptied first, has now. One that vanishes meanwhile is left
    /// out; one whose attributes cannot be read says why.</returns>
    ValueTask<Result<int>> ScanAsync(Caller caller, NodeId directory, DirectoryScan scan);

    /// <summary>Opens a regular file, whatever name it has now.</summary>
    ValueTask<Result<OpenId>> OpenAsync(Caller caller, NodeId node, OpenAccess access);

    /// <summary>Finds, or makes, and opens a regular file in one step. Not for other kinds: EINVAL, EISDIR or ELOOP.</summary>
    ValueTask<Result<OpenedNode>> OpenAtAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, OpenRequest request);

    /// <summary>Reads until the target is full or the file ends.</summary>
    /// <returns>Bytes read.</returns>
    ValueTask<Result<int>> ReadAsync(Caller caller, OpenId file, long offset, Memory<byte> target);

    /// <summary>Writes, with the stability asked for.</summary>
    ValueTask<Result<WriteOutcome>> WriteAsync(
        Caller caller, OpenId file, long offset, ReadOnlyMemory<byte> source, Stability stability);

    /// <summary>Makes what was written to a file durable. A failed commit is fatal for what was written: write it again elsewhere.</summary>
    ValueTask<Result<NodeAttributes>> CommitAsync(Caller caller, OpenId file, Stability stability);

    /// <summary>The run of data or hole that contains <paramref name="offset"/>, from there on; ENXIO at or past the end.</summary>
    ValueTask<Result<FileExtent>> FindExtentAsync(Caller caller, OpenId file, long offset);

    /// <summary>Attributes of an open file now.</summary>
    ValueTask<Result<NodeAttributes>> GetOpenAttributesAsync(Caller caller, OpenId file);

    /// <summary>Ends the use of an open file. Says nothing about durability.</summary>
    void Close(OpenId file);

    /// <summary>Makes a directory.</summary>
    ValueTask<Result<CreatedNode>> CreateDirectoryAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, uint mode);

    /// <summary>Makes a symlink. The target is any bytes but NUL, at least one.</summary>
    ValueTask<Result<CreatedNode>> CreateSymlinkAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target);

    /// <summary>Makes a FIFO, socket or device.</summary>
    ValueTask<Result<CreatedNode>> CreateSpecialAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, NodeKind kind, uint mode, uint major, uint minor);

    /// <summary>Gives a node that is no directory another name. Before and after of <c>From</c> are the node's own.</summary>
    ValueTask<Result<TwoDirectoryMutation>> LinkAsync(
        Caller caller, NodeId node, NodeId directory, ReadOnlyMemory<byte> name);

    /// <summary>Removes a name that is no directory's.</summary>
    ValueTask<Result<Mutation>> UnlinkAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name);

    /// <summary>Removes an empty directory.</summary>
    ValueTask<Result<Mutation>> RemoveDirectoryAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name);

    /// <summary>Renames in one step.</summary>
    ValueTask<Result<TwoDirectoryMutation>> RenameAsync(
        Caller caller, NodeId fromDirectory, ReadOnlyMemory<byte> fromName, NodeId toDirectory, ReadOnlyMemory<byte> toName, RenameMode mode);

    /// <summary>Names of extended attributes, each as bytes without the closing NUL.</summary>
    ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>>> ListXattrsAsync(Caller caller, NodeId node);

    /// <summary>An extended attribute's value; ENODATA when there is none.</summary>
    ValueTask<Result<ReadOnlyMemory<byte>>> GetXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name);

    /// <summary>Sets an extended attribute.</summary>
    ValueTask<Result<Mutation>> SetXattrAsync(
        Caller caller, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, XattrMode mode);

    /// <summary>Removes an extended attribute; ENODATA when there is none.</summary>
    ValueTask<Result<Mutation>> RemoveXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name);

    /// <summary>Makes names in a directory durable (fsync of the directory).</summary>
    ValueTask<Result<NodeAttributes>> CommitDirectoryAsync(Caller caller, NodeId directory);

    /// <summary>Makes everything durable that was changed on the root's file system (syncfs).</summary>
    ValueTask<Result<bool>> CommitAllAsync(Caller caller);

    /// <summary>Space left.</summary>
    ValueTask<Result<FileSystemSpace>> GetSpaceAsync(Caller caller, NodeId node);
}
