using System.Net;
using System.Net.Sockets;
using Amazon.S3;
using Amazon.S3.Model;
using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Testing.Services;

namespace Holdfast.Storage.Tests.Remote;

public sealed class S3StoreTests(RemoteServices services)
{
    private static readonly CancellationToken None = CancellationToken.None;

    private IPEndPoint Gateway => new(IPAddress.Loopback, services.S3.Endpoint.Port);

    /// What a put has answered is there, once and whole, whichever of the server's packets is the last one of a connection.
    /// Method: the n-th piece that the server sends is lost with the connection, for every n until a put needs fewer.
    [Theory]
    [InlineData(0)]
    [InlineData(300_000)]
    public async Task APutSurvivesTheLossOfAnyReply(int length)
    {
        byte[] content = new byte[length];
        new Random(1).NextBytes(content);
        bool wasRepeated = false;
        for (int cutAt = 1; ; cutAt++)
        {
            using var proxy = new CuttingProxy(Gateway);
            using S3Store store = Open(services.S3.NewAddress(endpoint: proxy.Uri));
            proxy.CutAtAnswer(cutAt);

            PutOutcome outcome = await store.PutIfAbsentAsync("a/b", content, None);

            // An answer that only asked for the content was lost, or that of the put itself.
            Assert.True(outcome == PutOutcome.Written || (outcome == PutOutcome.SameContent && proxy.Cuts > 0), $"cut at {cutAt}: {outcome}");
            wasRepeated |= outcome == PutOutcome.SameContent;
            bool wasCut = proxy.Cuts > 0;
            proxy.CutAtAnswer(int.MaxValue);
            Assert.Equal(content, await store.TryGetAsync("a/b", content.Length, None));
            if (!wasCut) break;
        }

        Assert.True(wasRepeated);
    }

    [Fact]
    public async Task APutWhoseReplyWasLostAndWhoseNameIsAnothersIsTaken()
    {
        using var proxy = new CuttingProxy(Gateway);
        using S3Store store = Open(services.S3.NewAddress(endpoint: proxy.Uri));
        await store.PutIfAbsentAsync("a", new byte[] { 1 }, None);
        proxy.CutAtAnswer(1);

        Assert.Equal(PutOutcome.Taken, await store.PutIfAbsentAsync("a", new byte[] { 2 }, None));

        Assert.Equal([1], await store.TryGetAsync("a", 1, None));
        Assert.Equal(1, proxy.Cuts);
    }

    [Fact]
    public async Task ADeleteSurvivesTheLossOfAnyReply()
    {
        for (int cutAt = 1; ; cutAt++)
        {
            using var proxy = new CuttingProxy(Gateway);
            using S3Store store = Open(services.S3.NewAddress(endpoint: proxy.Uri));
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
        using var proxy = new CuttingProxy(Gateway);
        using S3Store store = Open(services.S3.NewAddress(endpoint: proxy.Uri));
        await store.PutIfAbsentAsync("a", content, None);
        foreach (int cutAt in (int[])[1, 2, 10, 20])
        {
            proxy.CutAtAnswer(cutAt);
            Assert.Equal(content, await store.TryGetAsync("a", content.Length, None));
        }

        Assert.True(proxy.Cuts > 0);
    }

    [Fact]
    public async Task AServerThatIsAwayBetweenCallsIsWaitedFor()
    {
        using var proxy = new CuttingProxy(Gateway);
        using S3Store store = Open(services.S3.NewAddress(endpoint: proxy.Uri));
        await store.PutIfAbsentAsync("a", new byte[1], None);

        proxy.Interrupt();
        Task<ObjectEntry?> stat = store.StatAsync("a", None);
        proxy.Restore();

        Assert.NotNull(await stat);
    }

    [Fact]
    public async Task AnUploadThatIsCancelledLeavesNothing()
    {
        using var cancel = new CancellationTokenSource();
        using var proxy = new CuttingProxy(Gateway);
        using S3Store store = Open(services.S3.NewAddress(endpoint: proxy.Uri));
        await store.PutIfAbsentAsync("before", default, None);
        int sent = 0;
        proxy.OnSent = bytes =>
        {
            if ((sent += bytes.Length) > 1_000_000) cancel.Cancel();
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.PutIfAbsentAsync("a", new byte[32 << 20], cancel.Token));

        proxy.OnSent = null;
        Assert.Equal(["before"], await store.ListAsync("", None).Select(e => e.Name).ToArrayAsync());
        Assert.Equal(PutOutcome.Written, await store.PutIfAbsentAsync("a", new byte[1], None));
    }

    [Fact]
    public async Task AServerThatHangsEndsInAClearError()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using S3Store store = Open(services.S3.NewAddress("timeout=1", new Uri($"http://{silent.LocalEndpoint}")));

        foreach (Func<Task> call in (Func<Task>[])
            [() => store.StatAsync("a", None), () => store.PutIfAbsentAsync("a", new byte[1000], None), () => store.ListPageAsync("", null, None)])
        {
            ObjectStoreException error = await Assert.ThrowsAsync<ObjectStoreException>(call);
            Assert.True(error.IsRetriable);
            Assert.Equal(ErrorKind.Failed, error.Kind);
            Assert.Contains("no answer from 127.0.0.1", error.Message, StringComparison.Ordinal);
            Assert.NotNull(error.Hint);
        }
    }

    [Fact]
    public async Task WhatStandsInTheWayIsSaid()
    {
        using var unused = new TcpListener(IPAddress.Loopback, 0);
        unused.Start();
        var nobody = new Uri($"http://{unused.LocalEndpoint}");
        unused.Stop();
        S3Service s3 = services.S3;
        foreach ((string address, ErrorKind kind, string said) in ((string, ErrorKind, string)[])
            [
                (s3.NewAddress(bucket: "no-such-bucket"), ErrorKind.NotThere, "no-such-bucket"),
                (s3.NewAddress("profile=wrong-secret"), ErrorKind.WrongKey, "secret key"),
                (s3.NewAddress("profile=unknown-key"), ErrorKind.WrongKey, "access key"),
                (s3.NewAddress(endpoint: nobody), ErrorKind.Failed, "refused"),
                (s3.NewAddress(endpoint: new Uri("http://no-such-host.invalid")), ErrorKind.Failed, "no-such-host.invalid"),
            ])
        {
            using S3Store store = Open(address);
            foreach (Func<Task> call in (Func<Task>[])
                [() => store.ListPageAsync("", null, None), () => store.TryGetAsync("a", 1, None), () => store.PutIfAbsentAsync("a", new byte[1], None)])
            {
                // A head has no body that says what is wrong with the credentials.
                ObjectStoreException error = await Assert.ThrowsAsync<ObjectStoreException>(call);
                Assert.True(error.Kind == kind || (kind == ErrorKind.WrongKey && error.Kind == ErrorKind.Refused), $"{error.Kind}: {error.Message}");
                if (error.Kind == kind) Assert.Contains(said, error.Message, StringComparison.Ordinal);
                Assert.Equal(kind == ErrorKind.Failed, error.IsRetriable);
                Assert.NotNull(error.Hint);
            }
        }

        HoldfastException profile = Assert.Throws<HoldfastException>(() => Open(s3.NewAddress("profile=nobody")));
        Assert.Equal(ErrorKind.Usage, profile.Kind);
    }

    [Theory]
    [InlineData(403, "RequestTimeTooSkewed", ErrorKind.Refused, "clock")]
    [InlineData(403, "ExpiredToken", ErrorKind.WrongKey, "token")]
    [InlineData(403, "AccessDenied", ErrorKind.Refused, "does not allow")]
    [InlineData(301, "PermanentRedirect", ErrorKind.Refused, "region")]
    [InlineData(501, "NotImplemented", ErrorKind.Refused, "501")]
    [InlineData(403, "InvalidObjectState", ErrorKind.Refused, "archive")]
    public async Task AnErrorOfTheServerIsNamed(int status, string code, ErrorKind kind, string said)
    {
        using var fake = new FakeS3();
        using S3Store store = Open(services.S3.NewAddress(endpoint: fake.Endpoint));
        fake.Fail(status, code);

        ObjectStoreException error = await Assert.ThrowsAsync<ObjectStoreException>(() => store.PutIfAbsentAsync("a", new byte[1], None));

        Assert.Equal(kind, error.Kind);
        Assert.False(error.IsRetriable);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Hint);
        Assert.Equal(1, fake.Requests);
    }

    [Theory]
    [InlineData(503, "SlowDown")]
    [InlineData(500, "InternalError")]
    [InlineData(409, "ConditionalRequestConflict")]
    [InlineData(400, "RequestTimeout")]
    public async Task WhatMayPassIsTriedAgain(int status, string code)
    {
        using var fake = new FakeS3();
        using S3Store store = Open(services.S3.NewAddress(endpoint: fake.Endpoint));
        fake.Fail(status, code);
        fake.Fail(status, code);

        Assert.Equal(PutOutcome.Written, await store.PutIfAbsentAsync("a", new byte[1], None));

        Assert.Equal(3, fake.Requests);
    }

    [Fact]
    public async Task ATrialFindsTheGatewayGoodAndLeavesNothing()
    {
        string address = services.S3.NewAddress();
        using S3Store store = Open(address);

        await store.VerifyCapabilitiesAsync(None);

        string prefix = address.Split('/', 4)[3].Split('/')[0];
        ListObjectsV2Response left = await services.S3.Client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = S3Service.Bucket, Prefix = prefix }, None);
        Assert.Empty(left.S3Objects ?? []);
    }

    [Fact]
    public async Task ATrialFindsAStoreThatIgnoresConditions()
    {
        using var fake = new FakeS3 { IgnoresConditions = true };
        using S3Store store = Open(services.S3.NewAddress(endpoint: fake.Endpoint));

        ObjectStoreException error = await Assert.ThrowsAsync<ObjectStoreException>(() => store.VerifyCapabilitiesAsync(None));

        Assert.Equal(ErrorKind.Refused, error.Kind);
        Assert.False(error.IsRetriable);
        Assert.Contains("If-None-Match", error.Message, StringComparison.Ordinal);
        Assert.Empty(fake.Keys);
    }

    [Theory]
    [InlineData("retain=3d", "COMPLIANCE")]
    [InlineData("retain=3&retain-mode=governance", "GOVERNANCE")]
    public async Task ObjectsAreLockedWhenAsked(string asked, string mode)
    {
        string address = services.S3.NewAddress(asked, bucket: S3Service.LockedBucket);
        using S3Store store = Open(address);
        Assert.True(store.Capabilities.RetentionLocks);
        DateTime before = DateTime.UtcNow;
        await store.PutIfAbsentAsync("a", new byte[] { 1, 2 }, None);

        string key = $"{address.Split('/', 4)[3].Split('?')[0]}/a";
        AmazonS3Client client = services.S3.Client;
        GetObjectRetentionResponse found =
            await client.GetObjectRetentionAsync(new GetObjectRetentionRequest { BucketName = S3Service.LockedBucket, Key = key }, None);
        Assert.Equal(mode, found.Retention.Mode.Value);
        Assert.InRange(found.Retention.RetainUntilDate!.Value.ToUniversalTime(), before.AddDays(3).AddSeconds(-1), DateTime.UtcNow.AddDays(3));

        // A delete hides it; what was stored stays and cannot be deleted.
        Assert.True(await store.DeleteAsync("a", None));
        Assert.Null(await store.StatAsync("a", None));
        ListVersionsResponse versions = await client.ListVersionsAsync(new ListVersionsRequest { BucketName = S3Service.LockedBucket, Prefix = key }, None);
        S3ObjectVersion stored = Assert.Single(versions.Versions, v => v.IsDeleteMarker != true);
        AmazonS3Exception refused = await Assert.ThrowsAsync<AmazonS3Exception>(
            () => client.DeleteObjectAsync(S3Service.LockedBucket, key, stored.VersionId, None));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task ALockInABucketWithoutLocksIsRefused()
    {
        using S3Store store = Open(services.S3.NewAddress("retain=1d"));

        ObjectStoreException error = await Assert.ThrowsAsync<ObjectStoreException>(() => store.VerifyCapabilitiesAsync(None));

        Assert.Equal(ErrorKind.Refused, error.Kind);
        Assert.Contains("object lock", error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAuthorityOfOnesOwnIsTrustedWhenItIsNamed()
    {
        using var directory = new TemporaryDirectory();
        using var proxy = new TlsProxy(services.S3.Endpoint);
        string file = Path.Combine(directory.Path, "ca.pem");
        await File.WriteAllTextAsync(file, proxy.Authority, None);
        using S3Store trusting = Open(services.S3.NewAddress($"ca={file}", proxy.Endpoint));
        using S3Store other = Open(services.S3.NewAddress(endpoint: proxy.Endpoint));

        Assert.Equal(PutOutcome.Written, await trusting.PutIfAbsentAsync("a", new byte[100_000], None));
        Assert.Equal(new byte[100_000], await trusting.TryGetAsync("a", 100_000, None));
        ObjectStoreException error = await Assert.ThrowsAsync<ObjectStoreException>(() => other.StatAsync("a", None));

        Assert.Equal(ErrorKind.Refused, error.Kind);
        Assert.Contains("ca=", error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsNoObjectIsNotListed()
    {
        string address = services.S3.NewAddress();
        using S3Store store = Open(address);
        await store.PutIfAbsentAsync("a/b", default, None);
        string prefix = address.Split('/', 4)[3].Split('?')[0];
        foreach (string name in (string[])["a/.hidden", "UPPER", "a/", $"a/{new string('n', 199)}"])
        {
            await services.S3.Client.PutObjectAsync(new PutObjectRequest { BucketName = S3Service.Bucket, Key = $"{prefix}/{name}", ContentBody = "x" }, None);
        }

        Assert.Equal(["a/b"], await store.ListAsync("", None).Select(e => e.Name).ToArrayAsync());
    }

    private static S3Store Open(string address) => (S3Store)ObjectStores.Open(address, Host.CreateReal());
}
