using System.Runtime.CompilerServices;
using Holdfast.Log;

namespace Holdfast.Storage;

/// <summary>Opens object stores by their addresses.</summary>
public static class ObjectStores
{
    /// <summary>
    /// Opens the store at an address (see <see cref="StoreAddress"/>). Nothing is read, made or checked yet.
    /// </summary>
    /// <param name="address">As the user wrote it; a relative path starts at the working directory.</param>
    /// <param name="host">The world that the store lies in.</param>
    /// <exception cref="HoldfastException">It is no address, or of a kind that this version cannot open
    /// (<see cref="ErrorKind.Usage"/>).</exception>
    public static IObjectStore Open(string address, Host host)
    {
        ArgumentNullException.ThrowIfNull(host);
        StoreAddress parsed = StoreAddress.Parse(address);
        return parsed.Scheme switch
        {
            StoreAddress.FileScheme => OpenDirectory(Path.GetFullPath(parsed.Path), address, host),
            StoreAddress.S3Scheme => OpenS3(parsed, host),
            StoreAddress.SftpScheme => new SftpStore(Sftp.SftpAddress.Parse(parsed), host),
            _ => throw new HoldfastException(
                ErrorKind.Usage,
                $"store address '{parsed.Scheme}:…': this version opens /path, file:/path, s3://bucket/prefix "
                    + "and sftp://user@host/path",
                $"use one of these; for a directory whose name begins with '{parsed.Scheme}:' write ./{parsed.Scheme}:…"),
        };
    }

    // A method of its own: the client of S3 is loaded with it, which takes longer than most commands on a directory.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static S3Store OpenS3(StoreAddress address, Host host) => new(S3.S3Address.Parse(address), host);

    private static DirectoryStore OpenDirectory(string path, string address, Host host) =>
        path == "/"
            ? throw new HoldfastException(
                ErrorKind.Usage,
                $"store address '{address}': the root of the file system is no store",
                "name a directory in it")
            : new DirectoryStore(host.Disk, host.Clock, path, address);
}
