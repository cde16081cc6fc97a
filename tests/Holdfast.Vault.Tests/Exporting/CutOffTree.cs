using Holdfast.Files;

namespace Holdfast.Vault.Tests.Exporting;

/// The program was killed at the call that throws this.
public sealed class CutOffException : Exception;

/// A tree whose n-th changing call is not carried out any more, nor any call after it: what a kill leaves behind.
public sealed class CutOffTree(IFileTree tree, int cutAt) : IFileTree
{
    private int changes;

    public NodeId Root => tree.Root;

    public TreeLimits Limits => tree.Limits;

    public IDisposable Watch(Action<Invalidation> observer) => tree.Watch(observer);

    public void Forget(NodeId node, ulong count) => tree.Forget(node, count);

    public void Close(OpenId file) => tree.Close(file);

    public Result<int> EncodeHandle(NodeId node, Span<byte> target) => tree.EncodeHandle(node, target);

    public ValueTask<Result<Node>> ResolveHandleAsync(Caller caller, ReadOnlyMemory<byte> handle) => tree.ResolveHandleAsync(caller, handle);

    public ValueTask<Result<Node>> LookupAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) => tree.LookupAsync(caller, directory, name);

    public ValueTask<Result<NodeAttributes>> GetAttributesAsync(Caller caller, NodeId node) => tree.GetAttributesAsync(caller, node);

    public ValueTask<Result<Mutation>> SetAttributesAsync(Caller caller, NodeId node, AttributeChanges changes) =>
        Change(() => tree.SetAttributesAsync(caller, node, changes));

    public ValueTask<Result<ReadOnlyMemory<byte>>> ReadLinkAsync(Caller caller, NodeId node) => tree.ReadLinkAsync(caller, node);

    public ValueTask<Result<bool>> ListAsync(Caller caller, NodeId directory, ulong after, ICollection<DirectoryEntry> page, int maxEntries) =>
        tree.ListAsync(caller, directory, after, page, maxEntries);

    public ValueTask<Result<int>> ScanAsync(Caller caller, NodeId directory, DirectoryScan scan) => tree.ScanAsync(caller, directory, scan);

    public ValueTask<Result<OpenId>> OpenAsync(Caller caller, NodeId node, OpenAccess access) => tree.OpenAsync(caller, node, access);

    public ValueTask<Result<OpenedNode>> OpenAtAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name, OpenRequest request) =>
        request.Create == CreateMode.OpenExisting
            ? tree.OpenAtAsync(caller, directory, name, request)
            : Change(() => tree.OpenAtAsync(caller, directory, name, request));

    public ValueTask<Result<int>> ReadAsync(Caller caller, OpenId file, long offset, Memory<byte> target) => tree.ReadAsync(caller, file, offset, target);

    public ValueTask<Result<WriteOutcome>> WriteAsync(Caller caller, OpenId file, long offset, ReadOnlyMemory<byte> source, Stability stability) =>
        Change(() => tree.WriteAsync(caller, file, offset, source, stability));

    public ValueTask<Result<NodeAttributes>> CommitAsync(Caller caller, OpenId file, Stability stability) => tree.CommitAsync(caller, file, stability);

    public ValueTask<Result<FileExtent>> FindExtentAsync(Caller caller, OpenId file, long offset) => tree.FindExtentAsync(caller, file, offset);

    public ValueTask<Result<NodeAttributes>> GetOpenAttributesAsync(Caller caller, OpenId file) => tree.GetOpenAttributesAsync(caller, file);

    public ValueTask<Result<CreatedNode>> CreateDirectoryAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name, uint mode) =>
        Change(() => tree.CreateDirectoryAsync(caller, directory, name, mode));

    public ValueTask<Result<CreatedNode>> CreateSymlinkAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target) =>
        Change(() => tree.CreateSymlinkAsync(caller, directory, name, target));

    public ValueTask<Result<CreatedNode>> CreateSpecialAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, NodeKind kind, uint mode, uint major, uint minor) =>
        Change(() => tree.CreateSpecialAsync(caller, directory, name, kind, mode, major, minor));

    public ValueTask<Result<TwoDirectoryMutation>> LinkAsync(Caller caller, NodeId node, NodeId directory, ReadOnlyMemory<byte> name) =>
        Change(() => tree.LinkAsync(caller, node, directory, name));

    public ValueTask<Result<Mutation>> UnlinkAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) =>
        Change(() => tree.UnlinkAsync(caller, directory, name));

    public ValueTask<Result<Mutation>> RemoveDirectoryAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) =>
        Change(() => tree.RemoveDirectoryAsync(caller, directory, name));

    public ValueTask<Result<TwoDirectoryMutation>> RenameAsync(
        Caller caller, NodeId fromDirectory, ReadOnlyMemory<byte> fromName, NodeId toDirectory, ReadOnlyMemory<byte> toName, RenameMode mode) =>
        Change(() => tree.RenameAsync(caller, fromDirectory, fromName, toDirectory, toName, mode));

    public ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>>> ListXattrsAsync(Caller caller, NodeId node) => tree.ListXattrsAsync(caller, node);

    public ValueTask<Result<ReadOnlyMemory<byte>>> GetXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name) => tree.GetXattrAsync(caller, node, name);

    public ValueTask<Result<Mutation>> SetXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, XattrMode mode) =>
        Change(() => tree.SetXattrAsync(caller, node, name, value, mode));

    public ValueTask<Result<Mutation>> RemoveXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name) =>
        Change(() => tree.RemoveXattrAsync(caller, node, name));

    public ValueTask<Result<NodeAttributes>> CommitDirectoryAsync(Caller caller, NodeId directory) => tree.CommitDirectoryAsync(caller, directory);

    public ValueTask<Result<bool>> CommitAllAsync(Caller caller) => tree.CommitAllAsync(caller);

    public ValueTask<Result<FileSystemSpace>> GetSpaceAsync(Caller caller, NodeId node) => tree.GetSpaceAsync(caller, node);

    private ValueTask<Result<T>> Change<T>(Func<ValueTask<Result<T>>> change) => ++changes >= cutAt ? throw new CutOffException() : change();
}
