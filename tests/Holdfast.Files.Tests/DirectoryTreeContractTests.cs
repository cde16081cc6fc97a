using Holdfast.Testing;

namespace Holdfast.Files.Tests;

public sealed class DirectoryTreeContractTests : FileTreeContract
{
    private readonly TemporaryDirectory directory = new();

    protected override bool HasHandles => Environment.IsPrivilegedProcess;

    protected override ValueTask<IFileTree> CreateTreeAsync() => new(directory.OpenTree());

    protected override ValueTask DestroyTreeAsync(IFileTree tree)
    {
        ((DirectoryTree)tree).Dispose();
        directory.Dispose();
        return default;
    }
}
