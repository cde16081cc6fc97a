namespace Holdfast.Storage.Sftp;

/// <summary>The server refused a request.</summary>
internal sealed class SftpException(SftpStatus status, string text) : Exception(text)
{
    /// <summary>The reason, as far as the protocol has a word for it.</summary>
    public SftpStatus Status { get; } = status;
}
