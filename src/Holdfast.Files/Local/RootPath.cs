namespace Holdfast.Files.Local;

/// <summary>Opens the top of a tree by its path.</summary>
internal static unsafe class RootPath
{
    /// <summary>PATH_MAX: the longest path that the kernel takes at once, with its NUL.</summary>
    private const int KernelPathBytes = 4096;

    /// <summary>Opens a directory, in pieces where the path is longer than the kernel takes.</summary>
    public static Result<Descriptor> Open(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty) return Errno.NoEntry;
        if (path.Contains((byte)0)) return Errno.Invalid;
        Descriptor? at = null;
        do
        {
            int length = PieceLength(path);
            if (length == 0)
            {
                at?.Dispose();
                return Errno.NameTooLong;
            }

            Result<Descriptor> next = OpenPiece(at, path[..length]);
            at?.Dispose();
            if (!next.TryGetValue(out at)) return next.Error;
            path = path[length..].TrimStart((byte)'/');
        }
        while (!path.IsEmpty);

        return at;
    }

    /// <summary>Everything, or up to and with the last slash that fits.</summary>
    private static int PieceLength(ReadOnlySpan<byte> path) =>
        path.Length < KernelPathBytes ? path.Length : path[..(KernelPathBytes - 1)].LastIndexOf((byte)'/') + 1;

    private static Result<Descriptor> OpenPiece(Descriptor? at, ReadOnlySpan<byte> piece)
    {
        byte* buffer = stackalloc byte[KernelPathBytes];
        piece.CopyTo(new Span<byte>(buffer, KernelPathBytes));
        buffer[piece.Length] = 0;
        const int mode = 0;
        int flags = OpenFlags.Path | OpenFlags.Directory | OpenFlags.CloseOnExec;
        int number = LibC.OpenAt(at?.Number ?? At.CurrentDirectory, buffer, flags, mode);
        return number < 0 ? LibC.LastError : new Descriptor(number, isPath: true);
    }
}
