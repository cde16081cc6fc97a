using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Holdfast.Log;
using Holdfast.Storage.Remote;
using Holdfast.Storage.S3;

namespace Holdfast.Storage;

/// <summary>An object store in a bucket of S3 or of what speaks its protocol: each object is an object there.</summary>
/// <remarks>
/// Create-once rests on <c>If-None-Match: *</c>, which <see cref="VerifyCapabilitiesAsync"/> tries. It holds for a put of one request
/// only, never for one in parts, and the largest object is far below what one request may carry (5 GiB). A put whose reply was lost is
/// sent again; that it finds its own object then is told by comparing contents.
/// </remarks>
public sealed partial class S3Store : IObjectStore, IDisposable
{
    private const int CompareBytes = 1 << 20;
    private const int MaxPutAttempts = 16;

    private readonly S3Address address;
    private readonly Host host;
    private readonly AmazonS3Client client;
    private readonly S3Errors errors;
    private readonly Retry retry;

    // Set once the bucket was seen: a HEAD that finds nothing does not say whether the object or the bucket is missing.
    private volatile bool hasBucket;

    internal S3Store(S3Address address, Host host)
    {
        this.address = address;
        this.host = host;
        errors = new S3Errors(address);
        retry = new Retry(host.Clock, host.Entropy, address.Timeout * 2);
        client = S3Clients.Create(address);
        Capabilities = new StoreCapabilities(CreateOnce: true, address.Staleness, RetentionLocks: address.Retain is not null);
    }

    /// <inheritdoc/>
    public string Address => address.Text;

    /// <inheritdoc/>
    public StoreCapabilities Capabilities { get; }

    /// <inheritdoc/>
    public async Task<PutOutcome> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ObjectName.ThrowIfTooLong(name, content);
        string key = address.Prefix + name;
        for (int attempt = 0; attempt < MaxPutAttempts; attempt++)
        {
            if (await TryPutAsync(key, content, cancellationToken).ConfigureAwait(false)) return PutOutcome.Written;

            // Null when the object that was in the way has just been deleted.
            if (await TryCompareAsync(key, content, cancellationToken).ConfigureAwait(false) is { } outcome) return outcome;
        }

        throw new ObjectStoreException($"{Address}: {name}: others keep writing and deleting it", isRetriable: true);
    }

    /// <inheritdoc/>
    public async ValueTask<int?> ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        // A range cannot be empty, and servers answer one far behind the end in several ways.
        if (target.Length == 0 || offset >= IObjectStore.MaxObjectBytes)
        {
            ObjectEntry? entry = await StatAsync(name, cancellationToken).ConfigureAwait(false);
            if (entry is null) return null;
            if (target.Length == 0 || entry.Value.Length <= offset) return 0;
        }

        return await ReadKeyAsync(address.Prefix + name, offset, target, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<ObjectEntry?> StatAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        string key = address.Prefix + name;
        ObjectEntry? found = await SendAsync<ObjectEntry?>("look at", key, async token =>
        {
            try
            {
                var request = new GetObjectMetadataRequest { BucketName = address.Bucket, Key = key };
                GetObjectMetadataResponse answer = await client.GetObjectMetadataAsync(request, token).ConfigureAwait(false);
                hasBucket = true;
                return new ObjectEntry(name, answer.ContentLength, WholeSeconds(answer.LastModified));
            }
            catch (AmazonServiceException answer) when (answer.StatusCode == HttpStatusCode.NotFound && answer.ErrorCode != "NoSuchBucket")
            {
                return null;
            }
        }, cancellationToken).ConfigureAwait(false);
        if (found is null && !hasBucket) await ListAsync("", null, 1, cancellationToken).ConfigureAwait(false);
        return found;
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        // S3 gives the same answer whether there was one or not.
        if (await StatAsync(name, cancellationToken).ConfigureAwait(false) is null) return false;
        await DeleteKeyAsync(address.Prefix + name, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>False when there is an object of that key.</summary>
    private Task<bool> TryPutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        retry.RunAsync(
            async () =>
            {
                using var watch = new StallWatch(host.Clock, address.Timeout);
                var stream = new ContentStream(content, watch, cancellationToken);
                await using ConfiguredAsyncDisposable _ = stream.ConfigureAwait(false);
                using var attempt = CancellationTokenSource.CreateLinkedTokenSource(watch.Token);
                // Once the store has everything its answer is waited for: given up now, the object might be there or not.
                using CancellationTokenRegistration stop = cancellationToken.Register(() =>
                {
                    if (!stream.IsTaken) attempt.Cancel();
                });
                try
                {
                    await client.PutObjectAsync(PutRequest(key, content, stream), attempt.Token).ConfigureAwait(false);
                    hasBucket = true;
                    return true;
                }
                catch (AmazonServiceException answer) when (answer.StatusCode == HttpStatusCode.PreconditionFailed)
                {
                    return false;
                }
                catch (Exception failure) when (failure is not ObjectStoreException && !IsOurEnd(failure, watch, cancellationToken))
                {
                    throw errors.Of("write", key, failure);
                }
            },
            cancellationToken);

    private PutObjectRequest PutRequest(string key, ReadOnlyMemory<byte> content, Stream stream)
    {
        var request = new PutObjectRequest
        {
            BucketName = address.Bucket,
            Key = key,
            InputStream = stream,
            AutoCloseStream = false,
            ContentType = "application/octet-stream",
            IfNoneMatch = "*",
            // Signed as a whole: what arrives is what was in memory, or it is refused.
            UseChunkEncoding = false,
        };
        if (address.Retain is { } retain)
        {
            request.ObjectLockMode = address.RetainIsGovernance ? ObjectLockMode.Governance : ObjectLockMode.Compliance;
            request.ObjectLockRetainUntilDate = (host.Clock.GetUtcNow() + retain).UtcDateTime;
            // S3 demands a checksum with a lock, and all stores know this one. It guards nothing that the signature does not.
#pragma warning disable CA5351
            request.MD5Digest = Convert.ToBase64String(MD5.HashData(content.Span));
#pragma warning restore CA5351
        }

        return request;
    }

    /// <summary>Compares an object, if there is one, with content that is to be put under its key.</summary>
    private async Task<PutOutcome?> TryCompareAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        // One byte more than there should be tells of a longer one.
        byte[] piece = new byte[Math.Min(CompareBytes, content.Length + 1)];
        for (int done = 0; ; done += piece.Length)
        {
            int? read = await ReadKeyAsync(key, done, piece, cancellationToken).ConfigureAwait(false);
            if (read is null) return null;
            int expected = Math.Min(piece.Length, content.Length - done);
            if (read != expected || !piece.AsSpan(0, expected).SequenceEqual(content.Span.Slice(done, expected))) return PutOutcome.Taken;
            if (expected < piece.Length) return PutOutcome.SameContent;
        }
    }

    /// <summary>Fills the target from the offset on, as far as there is something; null when there is no object.</summary>
    private async Task<int?> ReadKeyAsync(string key, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        // What came before a connection broke is kept: objects never change.
        int done = 0;
        return await retry.RunAsync<int?>(
            async () =>
            {
                using var watch = new StallWatch(host.Clock, address.Timeout);
                using var attempt = CancellationTokenSource.CreateLinkedTokenSource(watch.Token, cancellationToken);
                try
                {
                    var range = new ByteRange(offset + done, offset + target.Length - 1);
                    var request = new GetObjectRequest { BucketName = address.Bucket, Key = key, ByteRange = range };
                    using GetObjectResponse answer = await client.GetObjectAsync(request, attempt.Token).ConfigureAwait(false);
                    hasBucket = true;
                    if (offset + done > 0 && answer.HttpStatusCode != HttpStatusCode.PartialContent) throw IgnoresRanges(key);
                    int read;
                    while (done < target.Length
                        && (read = await answer.ResponseStream.ReadAsync(target[done..], attempt.Token).ConfigureAwait(false)) > 0)
                    {
                        done += read;
                        watch.Progress();
                    }

                    return done;
                }
                catch (AmazonServiceException answer) when (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                {
                    return done;
                }
                catch (AmazonServiceException answer) when (answer.ErrorCode == "NoSuchKey")
                {
                    hasBucket = true;
                    return null;
                }
                catch (Exception failure) when (failure is not ObjectStoreException && !IsOurEnd(failure, watch, cancellationToken))
                {
                    throw errors.Of("read", key, failure);
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    private Task<bool> DeleteKeyAsync(string key, CancellationToken cancellationToken) =>
        SendAsync("delete", key, async token =>
        {
            await client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = address.Bucket, Key = key }, token).ConfigureAwait(false);
            return true;
        }, cancellationToken);

    /// <summary>Sends a request without content, again and again while it may succeed.</summary>
    private Task<T> SendAsync<T>(string action, string key, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken) =>
        retry.RunAsync(
            async () =>
            {
                using var watch = new StallWatch(host.Clock, address.Timeout);
                using var attempt = CancellationTokenSource.CreateLinkedTokenSource(watch.Token, cancellationToken);
                try
                {
                    return await request(attempt.Token).ConfigureAwait(false);
                }
                catch (Exception failure) when (failure is not ObjectStoreException && !IsOurEnd(failure, watch, cancellationToken))
                {
                    throw errors.Of(action, key, failure);
                }
            },
            cancellationToken);

    private static bool IsOurEnd(Exception failure, StallWatch watch, CancellationToken caller) =>
        failure is OperationCanceledException && caller.IsCancellationRequested && !watch.Token.IsCancellationRequested;

    private ObjectStoreException IgnoresRanges(string key) =>
        new(ErrorKind.Refused, $"{Address}: cannot read {key}: the store sends whole objects where a part was asked for", false, "use a store that knows ranges");

    // The head of an object tells whole seconds, a listing more.
    private static DateTimeOffset WholeSeconds(DateTime? time)
    {
        var stored = new DateTimeOffset(time.GetValueOrDefault().ToUniversalTime());
        return new DateTimeOffset(stored.Ticks - (stored.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
    }
}
