using System.Runtime.InteropServices;

namespace Holdfast.Vault.Packing;

/// <summary>Parameters of compression (ZSTD_cParameter).</summary>
internal enum CompressionParameter
{
    Level = 100,
    HashLog = 102,
    ChainLog = 103,
}

/// <summary>What we use of the system's libzstd.</summary>
internal static unsafe partial class LibZstd
{
    [LibraryImport("libzstd.so.1")]
    public static partial nint ZSTD_createCCtx();

    [LibraryImport("libzstd.so.1")]
    public static partial nuint ZSTD_freeCCtx(nint context);

    [LibraryImport("libzstd.so.1")]
    public static partial nint ZSTD_createDCtx();

    [LibraryImport("libzstd.so.1")]
    public static partial nuint ZSTD_freeDCtx(nint context);

    /// <param name="context">The compression context.</param>
    /// <param name="parameter">One of <see cref="CompressionParameter"/>.</param>
    /// <param name="value">Kept for all frames that follow.</param>
    [LibraryImport("libzstd.so.1")]
    public static partial nuint ZSTD_CCtx_setParameter(nint context, CompressionParameter parameter, int value);

    [LibraryImport("libzstd.so.1")]
    public static partial nuint ZSTD_compress2(nint context, byte* target, nuint capacity, byte* source, nuint length);

    [LibraryImport("libzstd.so.1")]
    public static partial nuint ZSTD_decompressDCtx(nint context, byte* target, nuint capacity, byte* source, nuint length);

    [LibraryImport("libzstd.so.1")]
    public static partial ulong ZSTD_getFrameContentSize(byte* source, nuint length);

    [LibraryImport("libzstd.so.1")]
    [SuppressGCTransition]
    public static partial uint ZSTD_isError(nuint code);
}
