using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.S3;
using Holdfast.Log;

namespace Holdfast.Storage.S3;

/// <summary>Makes clients of S3 from addresses.</summary>
internal static class S3Clients
{
    private const string DefaultRegion = "us-east-1";

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    // So that a name that moves to another address is noticed.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Makes a client; nothing is sent yet. The caller disposes it.</summary>
    /// <exception cref="HoldfastException">Kind Usage: the profile or the file of authorities cannot be used, or no region is known.</exception>
    public static AmazonS3Client Create(S3Address address)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = address.PathStyle,
            // With the SDK's defaults each put ends in a checksum behind the content, which many stores do not know. The content is
            // covered by the signature, and holders of a vault verify what they read.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            // Retry does it, as for every store.
            MaxErrorRetry = 0,
            HttpClientFactory = new Connections(ReadAuthorities(address)),
        };
        if (address.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.AbsoluteUri;
            config.AuthenticationRegion = address.Region ?? RegionOfEnvironment() ?? DefaultRegion;
        }
        else if (address.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        try
        {
            return address.Profile is { } profile ? new AmazonS3Client(ReadProfile(address, profile), config) : new AmazonS3Client(config);
        }
        catch (AmazonClientException failure) when (address.Endpoint is null && config.RegionEndpoint is null)
        {
            // Neither address nor environment, profile or machine names a region.
            throw new HoldfastException(ErrorKind.Usage, $"{address.Text}: {failure.Message}", "add region=… or endpoint=… to the address, or set AWS_REGION", failure);
        }
    }

    private static string? RegionOfEnvironment() => NotEmpty("AWS_REGION") ?? NotEmpty("AWS_DEFAULT_REGION");

    private static string? NotEmpty(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;

    private static AWSCredentials ReadProfile(S3Address address, string profile) =>
        new CredentialProfileStoreChain().TryGetAWSCredentials(profile, out AWSCredentials credentials)
            ? credentials
            : throw new HoldfastException(
                ErrorKind.Usage, $"{address.Text}: there is no usable profile '{profile}' in the shared credentials file",
                "add it to ~/.aws/credentials, or to the file that AWS_SHARED_CREDENTIALS_FILE names");

    private static X509Certificate2Collection? ReadAuthorities(S3Address address)
    {
        if ((address.AuthoritiesFile ?? NotEmpty("AWS_CA_BUNDLE")) is not { } file) return null;
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw Unusable(failure.Message, failure);
        }

        return authorities.Count > 0 ? authorities : throw Unusable("no certificate in it", null);

        HoldfastException Unusable(string what, Exception? inner) =>
            new(ErrorKind.Usage, $"{address.Text}: {file}: {what}", "name a PEM file with the certificates of the authorities to trust", inner);
    }

    private sealed class Connections(X509Certificate2Collection? authorities) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig)
        {
            var handler = new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                ConnectTimeout = ConnectTimeout,
                PooledConnectionLifetime = ConnectionLifetime,
            };
            if (authorities is not null)
            {
                var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
                policy.CustomTrustStore.AddRange(authorities);
                handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
            }

            // A slow request is no hanging one: StallWatch tells them apart.
            return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        }

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => true;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

        public override string? GetConfigUniqueString(IClientConfig clientConfig) => null;
    }
}
