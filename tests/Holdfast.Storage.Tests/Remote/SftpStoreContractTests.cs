using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Storage.Tests.Remote;

public sealed class SftpStoreContractTests : ObjectStoreContract, IDisposable
{
    private readonly SftpStore store;

    public SftpStoreContractTests(RemoteServices services) =>
        store = (SftpStore)ObjectStores.Open(services.Sftp.NewPlace().Address, Host.CreateReal());

    protected override IObjectStore Store => store;

    public void Dispose() => store.Dispose();
}
