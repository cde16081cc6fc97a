namespace Holdfast.Storage;

/// <summary>What Linux's error numbers mean to a store.</summary>
internal static class DiskErrno
{
    /// <summary>ENOENT.</summary>
    public const int NoEntry = 2;

    /// <summary>Whether the same call may succeed later.</summary>
    /// <remarks>EINTR, EAGAIN, ENFILE, EMFILE; of network file systems ETIMEDOUT and ESTALE.</remarks>
    public static bool IsPassing(int errno) => errno is 4 or 11 or 23 or 24 or 110 or 116;
}
