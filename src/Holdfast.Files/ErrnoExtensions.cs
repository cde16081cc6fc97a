namespace Holdfast.Files;

/// <summary>Errors in words.</summary>
public static class ErrnoExtensions
{
    /// <summary>The error as a person reads it, such as "permission denied".</summary>
    public static string Describe(this Errno errno) => errno switch
    {
        Errno.None => "no error",
        Errno.NotPermitted => "operation not permitted",
        Errno.NoEntry => "no such file or directory",
        Errno.Interrupted => "interrupted",
        Errno.InputOutput => "input/output error",
        Errno.NoDevice => "no such device or address",
        Errno.TooBig => "too big",
        Errno.BadFile => "not open for this",
        Errno.Again => "busy, try again",
        Errno.NoMemory => "out of memory",
        Errno.AccessDenied => "permission denied",
        Errno.Busy => "in use",
        Errno.Exists => "exists already",
        Errno.CrossDevice => "on another file system",
        Errno.NotDirectory => "not a directory",
        Errno.IsDirectory => "is a directory",
        Errno.Invalid => "invalid argument",
        Errno.SystemFilesExhausted or Errno.FilesExhausted => "too many open files",
        Errno.TextBusy => "program is running",
        Errno.FileTooLarge => "file too large",
        Errno.NoSpace => "no space left on device",
        Errno.ReadOnly => "read-only file system",
        Errno.TooManyLinks => "too many links",
        Errno.Range => "out of range",
        Errno.NameTooLong => "name too long",
        Errno.NotImplemented or Errno.NotSupported => "not supported by the file system",
        Errno.NotEmpty => "directory not empty",
        Errno.Loop => "a symbolic link is in the way",
        Errno.NoAttribute => "no such attribute",
        Errno.Overflow => "value too large",
        Errno.Stale => "is gone",
        Errno.QuotaExceeded => "disk quota exceeded",
        _ => $"error {(int)errno}",
    };
}
