using Holdfast.Log;

namespace Holdfast.Storage.Sftp;

/// <summary>One connection and what is known of the server through it.</summary>
internal sealed record SftpSession(SftpConnection Connection, SftpFiles Files, SftpDirectories Directories)
{
    private static readonly string[] Needed = [SftpFiles.LinkExtension, SftpFiles.SyncExtension];

    /// <summary>Connects; refuses a server that lacks what objects need to be durable and created once.</summary>
    public static async Task<SftpSession> OpenAsync(SftpAddress address, TimeProvider clock, CancellationToken cancellationToken)
    {
        SftpConnection connection = await SftpConnection.OpenAsync(address, clock, cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (string extension in Needed)
            {
                if (connection.Extensions.Contains(extension)) continue;
                throw new ObjectStoreException(
                    ErrorKind.Refused, $"{address.Text}: the server of {address.Host} does not offer {extension}, which holdfast needs", false,
                    "use OpenSSH's server (6.5 or later), or what offers the same");
            }

            var files = new SftpFiles(connection, await SftpLimits.AskAsync(connection).WaitAsync(cancellationToken).ConfigureAwait(false));
            return new SftpSession(connection, files, new SftpDirectories(files));
        }
        catch
        {
            // Whatever it was: the process must not stay behind.
            connection.Dispose();
            throw;
        }
    }
}
