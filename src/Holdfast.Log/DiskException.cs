namespace Holdfast.Log;

/// <summary>A call to the disk failed. Carries the errno that the kernel gave.</summary>
public sealed class DiskException : HoldfastException
{
    /// <summary>ENOSPC: no space left.</summary>
    public const int NoSpace = 28;

    /// <summary>EDQUOT: the user's share of the space is used up.</summary>
    public const int QuotaExceeded = 122;

    /// <summary>EIO: the device could not read or write.</summary>
    public const int InputOutput = 5;

    /// <summary>EACCES: permission denied.</summary>
    public const int AccessDenied = 13;

    /// <summary>EXDEV: two paths lie on different file systems.</summary>
    public const int CrossDevice = 18;

    /// <summary>EMLINK: the file has as many names as it can.</summary>
    public const int TooManyLinks = 31;

    /// <summary>EPERM: the file system has no such operation, or not for this user.</summary>
    public const int NotPermitted = 1;

    /// <summary>EOPNOTSUPP: the file system has no such operation.</summary>
    public const int NotSupported = 95;

    /// <summary>Makes the error of one failed call.</summary>
    /// <param name="call">The call, such as <c>fsync</c>.</param>
    /// <param name="path">What it was applied to.</param>
    /// <param name="errno">The kernel's error number.</param>
    public DiskException(string call, string path, int errno)
        : base(ErrorKind.Failed, $"{path}: {call}: {Describe(errno)}", HintFor(errno))
    {
        Errno = errno;
        Path = path;
        Reason = $"{call}: {Describe(errno)}";
    }

    /// <summary>The kernel's error number.</summary>
    public int Errno { get; }

    /// <summary>What the failed call was applied to.</summary>
    public string Path { get; }

    /// <summary>The message without the path: for errors that name the thing in their own words.</summary>
    public string Reason { get; }

    /// <summary>Whether there is no space, or the user's share of it is used up: it may work later.</summary>
    public bool IsNoSpace => Errno is NoSpace or QuotaExceeded;

    /// <summary>Whether a file cannot have another name here, so that it must be copied instead.</summary>
    public bool IsLinkRefused => Errno is CrossDevice or TooManyLinks or NotPermitted or NotSupported;

    private static string Describe(int errno) => errno switch
    {
        NoSpace => "no space left on device",
        AccessDenied or NotPermitted => "permission denied",
        2 => "no such file or directory",
        InputOutput => "input/output error",
        17 => "exists already",
        CrossDevice => "on another file system",
        20 => "not a directory",
        21 => "is a directory",
        30 => "read-only file system",
        TooManyLinks => "too many links",
        39 => "directory not empty",
        NotSupported => "not supported by the file system",
        QuotaExceeded => "disk quota exceeded",
        _ => $"error {errno}",
    };

    private static string? HintFor(int errno) => errno switch
    {
        NoSpace or QuotaExceeded => "free some space and run it again: nothing that was there is lost",
        AccessDenied or NotPermitted => "check the owner and mode of the path, or run as another user",
        InputOutput => "the disk is failing: look at the kernel log (dmesg) before anything else",
        30 => "mount it writable",
        _ => null,
    };
}
