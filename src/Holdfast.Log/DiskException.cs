namespace Holdfast.Log;

/// <summary>A call to the disk failed. Carries the errno that the kernel gave.</summary>
public sealed class DiskException : HoldfastException
{
    /// <summary>ENOSPC: no space left.</summary>
    public const int NoSpace = 28;

    /// <summary>EIO: the device could not read or write.</summary>
    public const int InputOutput = 5;

    /// <summary>EACCES: permission denied.</summary>
    public const int AccessDenied = 13;

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

    private static string Describe(int errno) => errno switch
    {
        NoSpace => "no space left on device",
        AccessDenied or 1 => "permission denied",
        2 => "no such file or directory",
        InputOutput => "input/output error",
        17 => "exists already",
        20 => "not a directory",
        21 => "is a directory",
        30 => "read-only file system",
        122 => "disk quota exceeded",
        _ => $"error {errno}",
    };

    private static string? HintFor(int errno) => errno switch
    {
        NoSpace or 122 => "free some space and run it again: what was written so far is reused",
        AccessDenied or 1 => "check the owner and mode of the path, or run as another user",
        InputOutput => "the disk is failing: look at the kernel log (dmesg) before anything else",
        30 => "mount it writable",
        _ => null,
    };
}
