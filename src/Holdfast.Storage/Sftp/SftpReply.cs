using System.Text;

namespace Holdfast.Storage.Sftp;

/// <summary>What a server answered to one request.</summary>
/// <param name="Message">Its kind.</param>
/// <param name="Bytes">What stands behind kind and number.</param>
internal readonly record struct SftpReply(SftpMessage Message, byte[] Bytes)
{
    public SftpReader Read() => new(Bytes);

    /// <summary>The status; Ok when the answer is not one.</summary>
    public SftpStatus Status => Message == SftpMessage.Status ? (SftpStatus)Read().UInt32() : SftpStatus.Ok;

    /// <summary>The same when it is good or one that the caller expects.</summary>
    /// <exception cref="SftpException">It is another.</exception>
    public SftpReply Expect(SftpMessage message, params ReadOnlySpan<SftpStatus> expected)
    {
        if (Message == message && message != SftpMessage.Status) return this;
        SftpStatus status = Status;
        if (Message == SftpMessage.Status && (expected.Contains(status) || (status == SftpStatus.Ok && message == SftpMessage.Status))) return this;
        throw new SftpException(status, Message == SftpMessage.Status ? Describe(status) : $"an answer of kind {(int)Message} where {(int)message} was expected");
    }

    private string Describe(SftpStatus status)
    {
        switch (status)
        {
            case SftpStatus.NoSuchFile: return "no such file";
            case SftpStatus.PermissionDenied: return "permission denied";
            case SftpStatus.NotSupported: return "the server does not support it";
        }

        SftpReader reader = Read();
        reader.Skip(sizeof(uint));
        string text = reader.IsAtEnd ? "" : Encoding.UTF8.GetString(reader.Text()).ReplaceLineEndings(" ").Trim();
        return text.Length == 0 ? $"status {(uint)status}" : $"the server says \"{text}\"";
    }
}
