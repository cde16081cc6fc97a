namespace Holdfast.Storage.Sftp;

/// <summary>How much content a packet may carry.</summary>
/// <param name="ReadBytes">From the server.</param>
/// <param name="WriteBytes">To the server.</param>
internal readonly record struct SftpLimits(int ReadBytes, int WriteBytes)
{
    // draft-ietf-secsh-filexfer-02 §3: what all servers take.
    private const int LeastBytes = 32 << 10;
    private const int MostBytes = 256 << 10;

    /// <summary>What the server says, or what all take.</summary>
    public static async Task<SftpLimits> AskAsync(SftpConnection connection)
    {
        if (connection.Extensions.Contains(SftpFiles.LimitsExtension))
        {
            SftpReply reply = await connection.SendAsync(new SftpRequest(SftpMessage.Extended).Add(SftpFiles.LimitsExtension)).ConfigureAwait(false);
            if (reply.Message == SftpMessage.ExtendedReply)
            {
                SftpReader reader = reply.Read();
                reader.Skip(sizeof(ulong));
                return new SftpLimits(Within(reader.UInt64()), Within(reader.UInt64()));
            }
        }

        return new SftpLimits(LeastBytes, LeastBytes);
    }

    // Zero is "not known".
    private static int Within(ulong bytes) => bytes == 0 ? LeastBytes : (int)Math.Clamp(bytes, 1024, MostBytes);
}
