using Holdfast.Log;
using Holdfast.Testing;

[assembly: AssemblyFixture(typeof(Holdfast.Storage.Tests.Remote.RemoteServices))]

namespace Holdfast.Storage.Tests.Remote;

public sealed class S3StoreContractTests : ObjectStoreContract, IDisposable
{
    private readonly S3Store store;

    public S3StoreContractTests(RemoteServices services) =>
        store = (S3Store)ObjectStores.Open(services.S3.NewAddress(), Host.CreateReal());

    protected override IObjectStore Store => store;

    public void Dispose() => store.Dispose();
}
