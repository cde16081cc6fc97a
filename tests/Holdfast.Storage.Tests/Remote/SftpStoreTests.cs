using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Testing.Services;

namespace Holdfast.Storage.Tests.Remote;

public sealed class SftpStoreTests(RemoteServices services)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task TheSameDirectoryIsAStoreBothWays()
    {
        (string address, string directory) = services.Sftp.NewPlace();
        using var remote = (SftpStore)ObjectStores.Open(address, Host.CreateReal());
        IObjectStore local = ObjectStores.Open(directory, Host.CreateReal());
        await remote.PutIfAbsentAsync("a/far", new byte[10], None);
        await local.PutIfAbsentAsync("a/near", new byte[11], None);

        Assert.Equal(PutOutcome.SameContent, await remote.PutIfAbsentAsync("a/near", new byte[11], None));
        Assert.Equal(PutOutcome.Taken, await local.PutIfAbsentAsync("a/far", new byte[11], None));
        (string, long)[] expected = [("a/far", 10), ("a/near", 11)];
        Assert.Equal(expected, await remote.ListAsync("", None).Select(e => (e.Name, e.Length)).ToArrayAsync());
        Assert.Equal(expected, await local.ListAsync("", None).Select(e => (e.Name, e.Length)).ToArrayAsync());
        Assert.True(await remote.DeleteAsync("a/near", None));
        Assert.Null(await local.StatAsync("a/near", None));
        UnixFileMode mode = File.GetUnixFileMode(Path.Combine(directory, "a/far"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, mode);
    }

    /// What a put has answered is there, once and whole, whichever of the server's packets is the last one of a connection.
    /// Method: the n-th piece that the server sends is lost with the connection, for every n until a put needs fewer.
    [Fact]
    public async Task APutSurvivesTheLossOfAnyReply()
    {
        byte[] content = new byte[300_000];
        new Random(1).NextBytes(content);
        bool wasRepeated = false;
        for (int cutAt = 1; ; cutAt++)
        {
            using var proxy = new CuttingProxy(services.Sftp.EndPoint);
            (string address, string directory) = services.Sftp.NewPlace(endpoint: proxy.EndPoint);
            using var store = (SftpStore)ObjectStores.Open(address, Host.CreateReal());
            // Connected already, but for a few times: how ssh gets in has many pieces, which are all alike to us.
            if (cutAt > 2) await store.StatAsync("a/b", None);
            proxy.CutAtAnswer(cutAt);

            PutOutcome outcome = await store.PutIfAbsentAsync("a/b", content, None);

            string where = $"cut at {cutAt}";
            bool wasCut = proxy.Cuts > 0;
            proxy.CutAtAnswer(int.MaxValue);
            Assert.True(outcome == PutOutcome.Written || (outcome == PutOutcome.SameContent && wasCut), $"{where}: {outcome}");
            wasRepeated |= outcome == PutOutcome.SameContent;
            Assert.Equal(content, await store.TryGetAsync("a/b", content.Length, None));
            // Each of these replies comes after what was sent before was done: what is left over is gone too.
            Assert.Equal(["a/b"], Directory.EnumerateFiles(directory, "*", AllFiles).Select(f => Path.GetRelativePath(directory, f)));
            if (!wasCut) break;
        }

        Assert.True(wasRepeated);
    }

    [Fact]
    public async Task ADeleteSurvivesTheLossOfAnyReply()
    {
        for (int cutAt = 1; ; cutAt++)
        {
            using var proxy = new CuttingProxy(services.Sftp.EndPoint);
            using var store = (SftpStore)ObjectStores.Open(services.Sftp.NewPlace(endpoint: proxy.EndPoint).Address, Host.CreateReal());
            await store.PutIfAbsentAsync("a", new byte[1], None);
            proxy.CutAtAnswer(cutAt);

            Assert.True(await store.DeleteAsync("a", None), $"cut at {cutAt}");

            bool wasCut = proxy.Cuts > 0;
            proxy.CutAtAnswer(int.MaxValue);
            Assert.Null(await store.StatAsync("a", None));
            if (!wasCut) return;
        }
    }

    [Fact]
    public async Task AReadGoesOnOverAnotherConnection()
    {
        byte[] content = new byte[3_000_000];
        new Random(2).NextBytes(content);
        using var proxy = new CuttingProxy(services.Sftp.EndPoint);
        using var store = (SftpStore)ObjectStores.Open(services.Sftp.NewPlace(endpoint: proxy.EndPoint).Address, Host.CreateReal());
        await store.PutIfAbsentAsync("a", content, None);
        foreach (int cutAt in (int[])[1, 2, 10, 30])
        {
            proxy.CutAtAnswer(cutAt);
            Assert.Equal(content, await store.TryGetAsync("a", content.Length, None));
        }

        Assert.True(proxy.Cuts > 0);
    }

    [Fact]
    public async Task ALineThatIsAwayBetweenCallsIsMadeAnew()
    {
        using var proxy = new CuttingProxy(services.Sftp.EndPoint);
        using var store = (SftpStore)ObjectStores.Open(services.Sftp.NewPlace(endpoint: proxy.EndPoint).Address, Host.CreateReal());
        await store.PutIfAbsentAsync("a", new byte[1], None);

        proxy.Interrupt();
        Task<ObjectEntry?> stat = store.StatAsync("a", None);
        proxy.Restore();

        Assert.NotNull(await stat);
    }

    [Fact]
    public async Task AServerThatHangsEndsInAClearError()
    {
        // Accepts connections, and never says a word.
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        var endpoint = (System.Net.IPEndPoint)silent.LocalEndpoint;
        using var store = (SftpStore)ObjectStores.Open(services.Sftp.NewPlace("timeout=1", endpoint).Address, Host.CreateReal());

        ObjectStoreException error = await Assert.ThrowsAsync<ObjectStoreException>(() => store.StatAsync("a", None));

        Assert.True(error.IsRetriable);
        Assert.Equal(ErrorKind.Failed, error.Kind);
        Assert.Contains("127.0.0.1", error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Hint);
    }

    [Fact]
    public async Task NobodyListensIsAClearError()
    {
        using var unused = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        unused.Start();
        var endpoint = (System.Net.IPEndPoint)unused.LocalEndpoint;
        unused.Stop();
        using var store = (SftpStore)ObjectStores.Open(services.Sftp.NewPlace("timeout=5", endpoint).Address, Host.CreateReal());

        ObjectStoreException error = await Assert.ThrowsAsync<ObjectStoreException>(() => store.StatAsync("a", None));

        Assert.Contains("refused", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsRetriable);
    }

    [Fact]
    public async Task AKeyThatIsNotLetInIsTheWrongKey()
    {
        using var directory = new TemporaryDirectory();
        string key = Path.Combine(directory.Path, "stranger");
        using (var make = System.Diagnostics.Process.Start("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key])) await make.WaitForExitAsync(None);
        string address = services.Sftp.NewPlace().Address.Replace($"key={services.Sftp.Key}", $"key={key}", StringComparison.Ordinal);
        using var store = (SftpStore)ObjectStores.Open(address, Host.CreateReal());

        ObjectStoreException error = await Assert.ThrowsAsync<ObjectStoreException>(() => store.StatAsync("a", None));

        Assert.Equal(ErrorKind.WrongKey, error.Kind);
        Assert.False(error.IsRetriable);
    }

    [Fact]
    public async Task AServerThatIsNotTheKnownOneIsRefused()
    {
        using var directory = new TemporaryDirectory();
        string known = Path.Combine(directory.Path, "known_hosts");
        await File.WriteAllTextAsync(known, "", None);
        string address = services.Sftp.NewPlace().Address;
        int at = address.IndexOf("known-hosts=", StringComparison.Ordinal), end = address.IndexOf('&', at);
        using var store = (SftpStore)ObjectStores.Open($"{address[..at]}known-hosts={known}{address[end..]}", Host.CreateReal());

        ObjectStoreException error = await Assert.ThrowsAsync<ObjectStoreException>(() => store.StatAsync("a", None));

        Assert.Equal(ErrorKind.Refused, error.Kind);
    }

    [Fact]
    public async Task OldLeftoversAreRemovedAndYoungOnesKept()
    {
        (string address, string directory) = services.Sftp.NewPlace();
        using var store = (SftpStore)ObjectStores.Open(address, Host.CreateReal());
        await store.PutIfAbsentAsync("a/b", default, None);
        string old = Path.Combine(directory, "a/.staging-0000000000000001"), young = Path.Combine(directory, "a/.staging-0000000000000002");
        await File.WriteAllTextAsync(old, "", None);
        await File.WriteAllTextAsync(young, "", None);
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow - TimeSpan.FromDays(2));

        await store.ListPageAsync("", null, None);
        // Behind the removal, which nobody waits for.
        await store.StatAsync("a/b", None);

        Assert.False(File.Exists(old));
        Assert.True(File.Exists(young));
    }

    [Fact]
    public async Task ATrialFindsAServerGoodAndLeavesNothing()
    {
        (string address, string directory) = services.Sftp.NewPlace();
        using var store = (SftpStore)ObjectStores.Open(address, Host.CreateReal());

        await store.VerifyCapabilitiesAsync(None);

        Assert.Empty(Directory.EnumerateFileSystemEntries(directory, "*", AllFiles));
    }

    [Fact]
    public async Task APutBelowAnObjectOrOverAPrefixIsRefused()
    {
        using var store = (SftpStore)ObjectStores.Open(services.Sftp.NewPlace().Address, Host.CreateReal());
        await store.PutIfAbsentAsync("a/b", default, None);

        ObjectStoreException below = await Assert.ThrowsAsync<ObjectStoreException>(() => store.PutIfAbsentAsync("a/b/c", default, None));
        ObjectStoreException over = await Assert.ThrowsAsync<ObjectStoreException>(() => store.PutIfAbsentAsync("a", default, None));

        Assert.Contains("a/b", below.Message, StringComparison.Ordinal);
        Assert.Contains("other objects lie below", over.Message, StringComparison.Ordinal);
    }

    private static EnumerationOptions AllFiles => new() { RecurseSubdirectories = true, AttributesToSkip = 0 };
}
