using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Storage.Tests;

public sealed class MemoryObjectStoreTests : ObjectStoreContract
{
    protected override IObjectStore Store { get; } = new MemoryObjectStore();
}

public sealed class FaultyObjectStoreWithoutFaultsTests : ObjectStoreContract
{
    protected override IObjectStore Store { get; } = new FaultyObjectStore(new MemoryObjectStore());
}

public sealed class DirectoryStoreOnSimulatedDiskTests : ObjectStoreContract
{
    protected override IObjectStore Store { get; } =
        new DirectoryStore(new SimulatedDisk(seed: 1), new SimulatedClock(), "/missing/root");
}

/// In memory: what a sync achieves cannot be seen here, and ten thousand of them take a while.
public sealed class DirectoryStoreOnHostDiskTests : ObjectStoreContract, IDisposable
{
    private readonly TemporaryDirectory directory = new(inMemory: true);

    public DirectoryStoreOnHostDiskTests() => Store = ObjectStores.Open($"{directory.Path}/a/b", Host.CreateReal());

    protected override IObjectStore Store { get; }

    public void Dispose() => directory.Dispose();
}

/// As on file systems without O_TMPFILE.
public sealed class DirectoryStoreOnStagedHostDiskTests : ObjectStoreContract, IDisposable
{
    private readonly TemporaryDirectory directory = new(inMemory: true);

    public DirectoryStoreOnStagedHostDiskTests() =>
        Store = new DirectoryStore(StagingDisk.Create(), TimeProvider.System, directory.Path);

    protected override IObjectStore Store { get; }

    public void Dispose()
    {
        string[] left = Directory.GetFiles(
            directory.Path,
            $"{IDisk.StagingPrefix}*",
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 });
        directory.Dispose();
        Assert.Empty(left);
    }
}
