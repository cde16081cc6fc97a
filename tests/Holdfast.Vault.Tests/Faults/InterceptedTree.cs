using Holdfast.Files;

namespace Holdfast.Vault.Tests.Faults;

/// <summary>A tree to read from, in which things happen at exactly the moment that a test wants.</summary>
internal sealed class InterceptedTree(IFileTree inner) : IFileTree
{
    public NodeId Root => inner.Root;

    public TreeLimits Limits => inner.Limits;

    /// <summary>Called before a file is opened by name.</summary>
    public Action<string>? BeforeOpen { get; set; }

    /// <summary>Called before each read of an open file, with its offset.</summary>
    public Action<long>? BeforeRead { get; set; }

    /// <summary>Asked before each read of an open file, with its offset, whether it fails.</summary>
    public Func<long, Errno>? ReadError { get; set; }

    /// <summary>Called after a directory was scanned; may add to what was found.</summary>
    public Action<DirectoryScan>? AfterScan { get; set; }

    /// <summary>Changes the attributes of an opened file as they are told.</summary>
    public Func<NodeAttributes, NodeAttributes>? Attributes { get; set; }

    public IDisposable Watch(Action<Invalidation> observer) => inner.Watch(observer);

    public void Forget(NodeId node, ulong count) => inner.Forget(node, count);

    public Result<int> EncodeHandle(NodeId node, Span<byte> target) => inner.EncodeHandle(node, target);

    public ValueTask<Result<Node>> ResolveHandleAsync(Caller caller, ReadOnlyMemory<byte> handle) => inner.ResolveHandleAsync(caller, handle);

    public ValueTask<Result<Node>> LookupAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) =>
        inner.LookupAsync(caller, directory, name);

    public ValueTask<Result<NodeAttributes>> GetAttributesAsync(Caller caller, NodeId node) => inner.GetAttributesAsync(caller, node);

    public ValueTask<Result<ReadOnlyMemory<byte>>> ReadLinkAsync(Caller caller, NodeId node) => inner.ReadLinkAsync(caller, node);

    public ValueTask<Result<bool>> ListAsync(Caller caller, NodeId directory, ulong after, ICollection<DirectoryEntry> page, int maxEntries) =>
        inner.ListAsync(caller, directory, after, page, maxEntries);

    public async ValueTask<Result<int>> ScanAsync(Caller caller, NodeId directory, DirectoryScan scan)
    {
        Result<int> scanned = await inner.ScanAsync(caller, directory, scan);
        if (!scanned.Ok) return scanned;
        AfterScan?.Invoke(scan);
        return scan.Count;
    }

    public ValueTask<Result<OpenId>> OpenAsync(Caller caller, NodeId node, OpenAccess access) => inner.OpenAsync(caller, node, access);

    public async ValueTask<Result<OpenedNode>> OpenAtAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name, OpenRequest request)
    {
        BeforeOpen?.Invoke(System.Text.Encoding.UTF8.GetString(name.Span));
        Result<OpenedNode> opened = await inner.OpenAtAsync(caller, directory, name, request);
        if (!opened.Ok || Attributes is null) return opened;
        Node node = opened.Value.Node;
        return opened.Value with { Node = node with { Attributes = Attributes(node.Attributes) } };
    }

    public ValueTask<Result<int>> ReadAsync(Caller caller, OpenId file, long offset, Memory<byte> target)
    {
        BeforeRead?.Invoke(offset);
        Errno error = ReadError?.Invoke(offset) ?? Errno.None;
        if (error != Errno.None) return ValueTask.FromResult<Result<int>>(error);
        return inner.ReadAsync(caller, file, offset, target);
    }

    public ValueTask<Result<FileExtent>> FindExtentAsync(Caller caller, OpenId file, long offset) => inner.FindExtentAsync(caller, file, offset);

    public async ValueTask<Result<NodeAttributes>> GetOpenAttributesAsync(Caller caller, OpenId file)
    {
        Result<NodeAttributes> attributes = await inner.GetOpenAttributesAsync(caller, file);
        return attributes.Ok && Attributes is not null ? Attributes(attributes.Value) : attributes;
    }

    public void Close(OpenId file) => inner.Close(file);

    public ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>>> ListXattrsAsync(Caller caller, NodeId node) => inner.ListXattrsAsync(caller, node);

    public ValueTask<Result<ReadOnlyMemory<byte>>> GetXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name) =>
        inner.GetXattrAsync(caller, node, name);

    public ValueTask<Result<FileSystemSpace>> GetSpaceAsync(Caller caller, NodeId node) => inner.GetSpaceAsync(caller, node);

    // A backup changes nothing.
    public ValueTask<Result<Mutation>> SetAttributesAsync(Caller caller, NodeId node, AttributeChanges changes) => throw ReadOnly();

    public ValueTask<Result<WriteOutcome>> WriteAsync(Caller caller, OpenId file, long offset, ReadOnlyMemory<byte> source, Stability stability) =>
        throw ReadOnly();

    public ValueTask<Result<NodeAttributes>> CommitAsync(Caller caller, OpenId file, Stability stability) => throw ReadOnly();

    public ValueTask<Result<CreatedNode>> CreateDirectoryAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, uint mode) => throw ReadOnly();

    public ValueTask<Result<CreatedNode>> CreateSymlinkAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target) =>
        throw ReadOnly();

    public ValueTask<Result<CreatedNode>> CreateSpecialAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, NodeKind kind, uint mode, uint major, uint minor) => throw ReadOnly();

    public ValueTask<Result<TwoDirectoryMutation>> LinkAsync(
        Caller caller, NodeId node, NodeId directory, ReadOnlyMemory<byte> name) => throw ReadOnly();

    public ValueTask<Result<Mutation>> UnlinkAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) => throw ReadOnly();

    public ValueTask<Result<Mutation>> RemoveDirectoryAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) => throw ReadOnly();

    public ValueTask<Result<TwoDirectoryMutation>> RenameAsync(
        Caller caller, NodeId fromDirectory, ReadOnlyMemory<byte> fromName, NodeId toDirectory, ReadOnlyMemory<byte> toName, RenameMode mode) =>
        throw ReadOnly();

    public ValueTask<Result<Mutation>> SetXattrAsync(
        Caller caller, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, XattrMode mode) =>
        throw ReadOnly();

    public ValueTask<Result<Mutation>> RemoveXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name) => throw ReadOnly();

    public ValueTask<Result<NodeAttributes>> CommitDirectoryAsync(Caller caller, NodeId directory) => throw ReadOnly();

    public ValueTask<Result<bool>> CommitAllAsync(Caller caller) => throw ReadOnly();

    private static InvalidOperationException ReadOnly() => new("a backup must not write to its source");
}
