using System.Runtime.InteropServices;

namespace Holdfast.Vault.Packing;

/// <summary>What we use of the system's libzstd.</summary>
internal static unsafe partial class LibZstd
{
    public const ulong UnknownSize = ulong.MaxValue;
    public const ulong NoSize = ulong.MaxValue - 1;

    [LibraryImport("libzstd.so.1")]
    public static partial nint ZSTD_createCCtx();

    [LibraryImport("libzstd.so.1")]
    public static partial nuint ZSTD_freeCCtx(nint context);

    [LibraryImport("libzstd.so.1")]
    public static partial nint ZSTD_createDCtx();

    [LibraryImport("libzstd.so.1")]
    public static partial nuint ZSTD_freeDCtx(nint context);

    [LibraryImport("libzstd.so.1")]
    public static partial nuint ZSTD_compressCCtx(nint context, byte* target, nuint capacity, byte* source, nuint length, int level);

    [LibraryImport("libzstd.so.1")]
    public static partial nuint ZSTD_decompressDCtx(nint context, byte* target, nuint capacity, byte* source, nuint length);

    [LibraryImport("libzstd.so.1")]
    public static partial ulong ZSTD_getFrameContentSize(byte* source, nuint length);

    [LibraryImport("libzstd.so.1")]
    [SuppressGCTransition]
    public static partial uint ZSTD_isError(nuint code);
}
