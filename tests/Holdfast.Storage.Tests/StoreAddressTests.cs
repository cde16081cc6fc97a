using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Storage.Tests;

public sealed class StoreAddressTests
{
    [Theory]
    [InlineData("/path", "file", "/path")]
    [InlineData("relative/path", "file", "relative/path")]
    [InlineData("./a:b", "file", "./a:b")]
    [InlineData("/a:b", "file", "/a:b")]
    [InlineData("file:/path", "file", "/path")]
    [InlineData("file:///path", "file", "/path")]
    [InlineData("FILE:/path", "file", "/path")]
    [InlineData("file:relative", "file", "relative")]
    [InlineData("/with space/100%25", "file", "/with space/100%25")]
    [InlineData("s3://bucket/prefix?endpoint=http://[::1]:9000", "s3", "//bucket/prefix?endpoint=http://[::1]:9000")]
    [InlineData("pool:/path/to/pool.json", "pool", "/path/to/pool.json")]
    public void TakesAnAddressApart(string text, string scheme, string path)
    {
        StoreAddress address = StoreAddress.Parse(text);

        Assert.Equal(new StoreAddress(text, scheme, path), address);
    }

    [Theory]
    [InlineData("")]
    [InlineData("file:")]
    [InlineData("file://")]
    [InlineData("file://host/path")]
    [InlineData("/a\0b")]
    public void RefusesWhatIsNoAddress(string text)
    {
        HoldfastException error = Assert.Throws<HoldfastException>(() => StoreAddress.Parse(text));

        Assert.Equal(ErrorKind.Usage, error.Kind);
        Assert.NotNull(error.Hint);
    }

    [Theory]
    [InlineData("sftp://user:secret@host/path")]
    [InlineData("pool:/pool.json")]
    [InlineData("https://host/vault")]
    [InlineData("/")]
    [InlineData("file:///")]
    public void RefusesWhatThisVersionCannotOpen(string text)
    {
        HoldfastException error =
            Assert.Throws<HoldfastException>(() => ObjectStores.Open(text, SimulatedHost.Create(seed: 1)));

        Assert.Equal(ErrorKind.Usage, error.Kind);
        Assert.NotNull(error.Hint);
        Assert.DoesNotContain("secret", error.Message + error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpensADirectoryThatNeedNotExist()
    {
        SimulatedHost host = SimulatedHost.Create(seed: 1);
        IObjectStore store = ObjectStores.Open("file:/missing/store", host);

        Assert.Equal("file:/missing/store", store.Address);
        Assert.Null(await store.StatAsync("format", CancellationToken.None));
        Assert.Null(host.Disk.TryStat("/missing"));
        await store.PutIfAbsentAsync("format", default, CancellationToken.None);
        Assert.NotNull(host.Disk.TryStat("/missing/store/format"));
    }
}
