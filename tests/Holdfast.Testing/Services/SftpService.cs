using System.Globalization;
using System.Net;

namespace Holdfast.Testing.Services;

/// <summary>OpenSSH's server, for SFTP only, with a key of its own.</summary>
public sealed class SftpService : IDisposable
{
    private readonly LocalService service;
    private readonly string knownHosts;

    /// <summary>On this machine.</summary>
    public SftpService()
        : this(LocalService.Start("sftp"))
    {
    }

    /// <summary>Wherever it was started.</summary>
    public SftpService(LocalService service)
    {
        this.service = service;
        // By any address: proxies stand before it.
        knownHosts = Path.Combine(service.Directory, "known_hosts_anywhere");
        string[] words = File.ReadAllText(service.Values["SFTP_KNOWN_HOSTS"]).Trim().Split(' ');
        File.WriteAllText(knownHosts, $"* {words[1]} {words[2]}\n");
    }

    /// <summary>Where it answers.</summary>
    public IPEndPoint EndPoint => new(IPAddress.Parse(service.Values["SFTP_HOST"]), int.Parse(service.Values["SFTP_PORT"], CultureInfo.InvariantCulture));

    /// <summary>The server's directory for clients, as it is on this machine.</summary>
    public string Root => service.Values["SFTP_ROOT"];

    /// <summary>File of the private key that it lets in.</summary>
    public string Key => service.Values["SFTP_KEY"];

    /// <summary>What must stand behind '?' in an address.</summary>
    public string Parameters => $"key={Key}&known-hosts={knownHosts}&config=none";

    /// <summary>An address of an empty place, and where that is on this machine.</summary>
    /// <param name="more">Further parameters, such as "timeout=1".</param>
    /// <param name="endpoint">Where it answers; null for itself.</param>
    public (string Address, string Directory) NewPlace(string more = "", IPEndPoint? endpoint = null)
    {
        string directory = Path.Combine(Root, Guid.NewGuid().ToString("n"), "vault");
        return ($"sftp://{service.Values["SFTP_USER"]}@{endpoint ?? EndPoint}{directory}?{Parameters}&{more}".TrimEnd('&'), directory);
    }

    public void Dispose() => service.Dispose();
}
