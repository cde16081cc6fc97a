using Amazon.S3;
using Amazon.S3.Model;

namespace Holdfast.Testing.Services;

/// <summary>A gateway that speaks S3, with an empty bucket. Its credentials are those of this process while it runs, which also has profiles
/// "right", "wrong-secret" and "unknown-key".</summary>
public sealed class S3Service : IDisposable
{
    private static readonly string[] CredentialNames = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

    private readonly LocalService service = LocalService.Start("s3", ("S3_STORE", "memstore"), ("S3_SIZE_GB", "4"));

    public S3Service()
    {
        foreach ((string name, string value) in Credentials) Environment.SetEnvironmentVariable(name, value);
        string profiles = Path.Combine(service.Directory, "profiles");
        File.WriteAllText(
            profiles,
            $"""
            [right]
            aws_access_key_id = {service.Values["S3_ACCESS_KEY"]}
            aws_secret_access_key = {service.Values["S3_SECRET_KEY"]}
            [wrong-secret]
            aws_access_key_id = {service.Values["S3_ACCESS_KEY"]}
            aws_secret_access_key = wrong
            [unknown-key]
            aws_access_key_id = UNKNOWN
            aws_secret_access_key = wrong

            """);
        Environment.SetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE", profiles);
        // After that: the SDK looks where the file is only once.
        Client = new AmazonS3Client(
            service.Values["S3_ACCESS_KEY"],
            service.Values["S3_SECRET_KEY"],
            new AmazonS3Config
            {
                ServiceURL = Endpoint.AbsoluteUri,
                ForcePathStyle = true,
                AuthenticationRegion = service.Values["S3_REGION"],
                RequestChecksumCalculation = Amazon.Runtime.RequestChecksumCalculation.WHEN_REQUIRED,
                ResponseChecksumValidation = Amazon.Runtime.ResponseChecksumValidation.WHEN_REQUIRED,
            });
        Client.PutBucketAsync(Bucket).GetAwaiter().GetResult();
        Client.PutBucketAsync(new PutBucketRequest { BucketName = LockedBucket, ObjectLockEnabledForBucket = true }).GetAwaiter().GetResult();
    }

    /// <summary>A bucket.</summary>
    public static string Bucket => "holdfast";

    /// <summary>A bucket with object lock.</summary>
    public static string LockedBucket => "holdfast-locked";

    /// <summary>Where it answers.</summary>
    public Uri Endpoint => new(service.Values["S3_ENDPOINT"]);

    /// <summary>Environment variables that a client of its own needs.</summary>
    public IEnumerable<KeyValuePair<string, string>> Credentials =>
        CredentialNames.Zip([service.Values["S3_ACCESS_KEY"], service.Values["S3_SECRET_KEY"]], KeyValuePair.Create);

    /// <summary>Looks and acts past the store under test.</summary>
    public AmazonS3Client Client { get; }

    /// <summary>An address of an empty place.</summary>
    /// <param name="more">Further parameters, such as "timeout=1".</param>
    /// <param name="endpoint">Where it answers; null for itself.</param>
    /// <param name="bucket">Null for the one without locks.</param>
    public string NewAddress(string more = "", Uri? endpoint = null, string? bucket = null) =>
        $"s3://{bucket ?? Bucket}/{Guid.NewGuid():n}/vault?endpoint={(endpoint ?? Endpoint).GetLeftPart(UriPartial.Authority)}&{more}".TrimEnd('&');

    /// <summary>Stops the gateway where it stands: connections stay, and nothing is answered.</summary>
    public void Freeze() => Signal("STOP");

    /// <summary>Lets it go on.</summary>
    public void Thaw() => Signal("CONT");

    public void Dispose()
    {
        Client.Dispose();
        service.Dispose();
    }

    private void Signal(string name)
    {
        string id = File.ReadAllText(Path.Combine(service.Directory, "run", "client.rgw.pid")).Trim();
        using var kill = System.Diagnostics.Process.Start("kill", ["-s", name, id]);
        kill.WaitForExit();
    }
}
