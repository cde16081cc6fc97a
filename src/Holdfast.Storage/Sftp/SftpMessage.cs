namespace Holdfast.Storage.Sftp;

/// <summary>Kinds of packets (draft-ietf-secsh-filexfer-02 §3).</summary>
internal enum SftpMessage : byte
{
    Init = 1,
    Version = 2,
    Open = 3,
    Close = 4,
    Read = 5,
    Write = 6,
    StatOfHandle = 8,
    OpenDirectory = 11,
    ReadDirectory = 12,
    Remove = 13,
    MakeDirectory = 14,
    Stat = 17,
    Status = 101,
    Handle = 102,
    Data = 103,
    Name = 104,
    Attributes = 105,
    Extended = 200,
    ExtendedReply = 201,
}

/// <summary>What a server says of a request (§7).</summary>
internal enum SftpStatus : uint
{
    Ok = 0,
    EndOfFile = 1,
    NoSuchFile = 2,
    PermissionDenied = 3,

    /// <summary>Anything else: the protocol does not say what.</summary>
    Failure = 4,
    BadMessage = 5,
    NotSupported = 8,
}
