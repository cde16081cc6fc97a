using Holdfast.Files;

namespace Holdfast.Testing;

/// A system call of a test failed.
public sealed class PosixException(int errno, string call, ReadOnlySpan<byte> name)
    : IOException($"{call} {BytePath.Display(name)}: {((Errno)errno).Describe()} ({errno})")
{
    /// Linux's number of the error.
    public int Errno { get; } = errno;

    /// Whether the file system or our rights do not allow it, rather than the test being wrong.
    public bool IsUnsupported => Errno is 1 or 13 or 19 or 22 or 28 or 34 or 36 or 38 or 95;
}
