using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Holdfast.Testing.Services;

/// <summary>Encrypts the way to a server, with a certificate of an authority of its own.</summary>
public sealed class TlsProxy : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Uri server;
    private readonly X509Certificate2 certificate;

    public TlsProxy(Uri server)
    {
        this.server = server;
        (certificate, Authority) = MakeCertificates();
        listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Where it answers.</summary>
    public Uri Endpoint => new($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>PEM of the authority.</summary>
    public string Authority { get; }

    public void Dispose()
    {
        stop.Cancel();
        listener.Stop();
        certificate.Dispose();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = PassAsync(await listener.AcceptTcpClientAsync(stop.Token));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        try
        {
            using TcpClient closing = client;
            using var upstream = new TcpClient();
            await upstream.ConnectAsync(server.Host, server.Port, stop.Token);
            await using var outer = new SslStream(client.GetStream());
            await outer.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop.Token);
            NetworkStream inner = upstream.GetStream();
            await Task.WhenAny(outer.CopyToAsync(inner, stop.Token), inner.CopyToAsync(outer, stop.Token));
        }
        catch (Exception end) when (end is OperationCanceledException or IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            // Either end went away, or does not trust us.
        }
    }

    private static (X509Certificate2 Certificate, string AuthorityPem) MakeCertificates()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=Test authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(authority, now.AddHours(-1), now.AddDays(1), [1, 2, 3, 4]);
        using X509Certificate2 whole = signed.CopyWithPrivateKey(key);
        return (X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null), authority.ExportCertificatePem());
    }
}
