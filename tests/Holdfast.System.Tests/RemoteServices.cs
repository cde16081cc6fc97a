using Holdfast.Testing.Services;

[assembly: AssemblyFixture(typeof(Holdfast.System.Tests.RemoteServices))]

namespace Holdfast.System.Tests;

/// The servers of one test run, each started when the first test asks for it.
public sealed class RemoteServices : IDisposable
{
    private readonly Lazy<S3Service> s3 = new(static () => new S3Service());
    private readonly Lazy<SftpService> sftp = new(static () => new SftpService());

    public S3Service S3 => s3.Value;

    public SftpService Sftp => sftp.Value;

    public void Dispose()
    {
        if (s3.IsValueCreated) s3.Value.Dispose();
        if (sftp.IsValueCreated) sftp.Value.Dispose();
    }
}
