namespace Holdfast.Files;

/// <summary>Outcome of a file-tree operation: Linux's error numbers, which FUSE and NFS pass on.</summary>
public enum Errno
{
    /// <summary>It worked.</summary>
    None = 0,

    /// <summary>EPERM: not permitted, whoever asks.</summary>
    NotPermitted = 1,

    /// <summary>ENOENT: no such name.</summary>
    NoEntry = 2,

    /// <summary>EINTR: interrupted or cancelled.</summary>
    Interrupted = 4,

    /// <summary>EIO: the device failed, or what it returned is damaged.</summary>
    InputOutput = 5,

    /// <summary>ENXIO: no such device or address; past the last data of a file.</summary>
    NoDevice = 6,

    /// <summary>E2BIG: the answer does not fit the space given for it.</summary>
    TooBig = 7,

    /// <summary>EBADF: not an open file, or not open for this.</summary>
    BadFile = 9,

    /// <summary>EAGAIN: busy, try again.</summary>
    Again = 11,

    /// <summary>ENOMEM: out of memory.</summary>
    NoMemory = 12,

    /// <summary>EACCES: permission denied.</summary>
    AccessDenied = 13,

    /// <summary>EBUSY: in use.</summary>
    Busy = 16,

    /// <summary>EEXIST: the name is taken.</summary>
    Exists = 17,

    /// <summary>EXDEV: on another file system.</summary>
    CrossDevice = 18,

    /// <summary>ENOTDIR: not a directory.</summary>
    NotDirectory = 20,

    /// <summary>EISDIR: a directory.</summary>
    IsDirectory = 21,

    /// <summary>EINVAL: an argument makes no sense.</summary>
    Invalid = 22,

    /// <summary>ENFILE: the system has too many files open.</summary>
    SystemFilesExhausted = 23,

    /// <summary>EMFILE: this process has too many files open.</summary>
    FilesExhausted = 24,

    /// <summary>ETXTBSY: a running program.</summary>
    TextBusy = 26,

    /// <summary>EFBIG: the file would become too large.</summary>
    FileTooLarge = 27,

    /// <summary>ENOSPC: no space left.</summary>
    NoSpace = 28,

    /// <summary>EROFS: mounted read-only.</summary>
    ReadOnly = 30,

    /// <summary>EMLINK: too many links.</summary>
    TooManyLinks = 31,

    /// <summary>ERANGE: the answer does not fit the space given for it.</summary>
    Range = 34,

    /// <summary>ENAMETOOLONG: the name is longer than the tree allows.</summary>
    NameTooLong = 36,

    /// <summary>ENOSYS: the tree has no such operation.</summary>
    NotImplemented = 38,

    /// <summary>ENOTEMPTY: the directory is not empty.</summary>
    NotEmpty = 39,

    /// <summary>ELOOP: a symbolic link where none is followed, or too many.</summary>
    Loop = 40,

    /// <summary>ENODATA: no such extended attribute.</summary>
    NoAttribute = 61,

    /// <summary>EOVERFLOW: a value does not fit its type.</summary>
    Overflow = 75,

    /// <summary>EOPNOTSUPP: the file system does not support it.</summary>
    NotSupported = 95,

    /// <summary>ESTALE: the node is gone.</summary>
    Stale = 116,

    /// <summary>EDQUOT: the owner's quota is used up.</summary>
    QuotaExceeded = 122,
}
