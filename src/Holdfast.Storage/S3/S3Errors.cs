using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Amazon.Runtime;
using Holdfast.Log;

namespace Holdfast.Storage.S3;

/// <summary>What failures of S3 and of the way to it mean to whoever uses the store.</summary>
/// <remarks>Kind Failed without a retry says that bytes are lost (<see cref="ObjectStoreException"/>): nothing here says that.</remarks>
internal sealed class S3Errors(S3Address address)
{
    private const string CredentialsHint =
        "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile (profile=, AWS_PROFILE) in ~/.aws/credentials";

    /// <summary>The error of a request.</summary>
    /// <param name="action">What was tried, such as "write".</param>
    /// <param name="key">The object's key, or a prefix.</param>
    /// <param name="failure">What came of it.</param>
    public ObjectStoreException Of(string action, string key, Exception failure)
    {
        string what = $"{address.Text}: cannot {action} {(key.Length == 0 ? "objects" : key)}: ";
        return failure switch
        {
            AmazonServiceException { StatusCode: not 0 } answer => OfAnswer(what, answer),
            OperationCanceledException => new ObjectStoreException(
                $"{what}no answer from {Server} within {address.Timeout.TotalSeconds:0} seconds", isRetriable: true,
                "is the server running? a slow line needs timeout=SECONDS in the address", failure),
            _ => OfConnection(what, failure),
        };
    }

    /// <summary>The store takes no conditions: a put would replace what is there.</summary>
    public ObjectStoreException IgnoresConditions(string found) => new(
        ErrorKind.Refused, $"{address.Text}: the store does not keep an object from being replaced (If-None-Match on a put: {found})", isRetriable: false,
        "two clients could destroy each other's data there: use a store with conditional writes (Amazon S3, Ceph 16 or MinIO of 2024 and later), or a directory");

    private string Server => address.Endpoint?.Authority ?? "Amazon S3";

    private ObjectStoreException OfAnswer(string what, AmazonServiceException answer)
    {
        int status = (int)answer.StatusCode;
        string said = $"{what}{Server} answered {status} {answer.ErrorCode}".TrimEnd();
        return answer.ErrorCode switch
        {
            "NoSuchBucket" => new(
                ErrorKind.NotThere, $"{what}there is no bucket {address.Bucket} on {Server}", false, "make the bucket, or check its name and the endpoint", answer),
            "InvalidAccessKeyId" => new(ErrorKind.WrongKey, $"{what}{Server} does not know the access key", false, CredentialsHint, answer),
            "SignatureDoesNotMatch" => new(
                ErrorKind.WrongKey, $"{what}the secret key does not fit the access key", false, $"{CredentialsHint}; is region= that of the store?", answer),
            "ExpiredToken" or "InvalidToken" or "TokenRefreshRequired" => new(
                ErrorKind.WrongKey, $"{what}the session token is no longer valid", false, "get new temporary credentials", answer),
            "RequestTimeTooSkewed" or "RequestExpired" => new(
                ErrorKind.Refused, $"{what}this machine's clock and that of {Server} are too far apart", false, "set the clock (NTP)", answer),
            "AccessDenied" or "AllAccessDisabled" or "Forbidden" or "AccountProblem" => new(
                ErrorKind.Refused, $"{what}{Server} does not allow it", false,
                $"the policy of the user or the bucket {address.Bucket} forbids it, or an object lock does; docs/operations/stores.md says what is needed", answer),
            "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" or "TemporaryRedirect" => new(
                ErrorKind.Refused, $"{what}the bucket {address.Bucket} lies in another region or at another endpoint", false,
                "add region=REGION to the address, and check the endpoint", answer),
            "InvalidObjectState" => new(
                ErrorKind.Refused, $"{what}it lies in an archive of the store", false, "bring it back from the archive first", answer),
            "NotImplemented" => new(ErrorKind.Refused, $"{said}: {answer.Message}", false, "the store lacks what holdfast needs", answer),
            "InvalidRequest" when address.Retain is not null => new(
                ErrorKind.Refused, $"{said}: {answer.Message}", false, $"retain= needs a bucket that was made with object lock: make {address.Bucket} anew with it, or leave retain= out", answer),
            _ when MayPass(answer.StatusCode) => new(
                $"{said}: {answer.Message}", true, "the store is overloaded or being restarted; try again later", answer),
            _ when answer.StatusCode == HttpStatusCode.Forbidden => new(
                ErrorKind.Refused, $"{what}{Server} does not allow it", false, $"{CredentialsHint}, and the policy of the bucket {address.Bucket}", answer),
            _ => new(ErrorKind.Refused, $"{said}: {answer.Message}", false, "check the endpoint and the bucket", answer),
        };
    }

    // 409: another conditional put of the same key is under way.
    private static bool MayPass(HttpStatusCode status) => (int)status >= 500
        || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.Conflict or HttpStatusCode.BadRequest;

    private ObjectStoreException OfConnection(string what, Exception failure)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case AuthenticationException:
                    return new(
                        ErrorKind.Refused, $"{what}the certificate of {Server} is not trusted: {cause.Message}", false,
                        "of an authority of your own, name its certificate: ca=FILE in the address, or AWS_CA_BUNDLE", failure);
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return new($"{what}the name of {address.Endpoint?.Host ?? Server} is not known", true, "check the endpoint and this machine's name service", failure);
                case SocketException socket:
                    return new($"{what}no connection to {Server}: {Reason(socket)}", true, "check the endpoint, the network and that the server runs", failure);
            }
        }

        if (failure is AmazonClientException && failure.InnerException is not (HttpRequestException or IOException))
        {
            // Before anything was sent: no credentials, no region.
            return failure.Message.Contains("region", StringComparison.OrdinalIgnoreCase)
                ? new(ErrorKind.Refused, $"{what}no region is named", false, "add region=REGION to the address, or set AWS_REGION", failure)
                : new(ErrorKind.WrongKey, $"{what}there are no usable credentials", false, CredentialsHint, failure);
        }

        return new($"{what}the connection to {Server} broke: {OneLine(Innermost(failure).Message)}", true, "check the network and that the server runs", failure);
    }

    private static string Reason(SocketException failure) => failure.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "refused",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "no route",
        SocketError.TimedOut => "timed out",
        SocketError.ConnectionReset => "reset",
        _ => failure.Message,
    };

    private static Exception Innermost(Exception failure)
    {
        while (failure.InnerException is { } inner) failure = inner;
        return failure;
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").TrimEnd('.', ' ');
}
