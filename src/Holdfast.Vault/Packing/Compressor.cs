namespace Holdfast.Vault.Packing;

/// <summary>Compresses groups with one reused context. For one thread at a time.</summary>
internal sealed unsafe class Compressor(int level) : IDisposable
{
    public const int MinLevel = -5;
    public const int MaxLevel = 19;
    public const int DefaultLevel = 3;
    private nint context = LibZstd.ZSTD_createCCtx();

    /// <summary>Compresses into <paramref name="target"/>; 0 when the result does not fit it.</summary>
    public int TryCompress(ReadOnlySpan<byte> source, Span<byte> target)
    {
        fixed (byte* from = source, to = target)
        {
            nuint length = LibZstd.ZSTD_compressCCtx(context, to, (nuint)target.Length, from, (nuint)source.Length, level);
            return LibZstd.ZSTD_isError(length) != 0 ? 0 : (int)length;
        }
    }

    public void Dispose()
    {
        if (context != 0) _ = LibZstd.ZSTD_freeCCtx(context);
        context = 0;
    }
}

/// <summary>Decompresses groups with one reused context. For one thread at a time.</summary>
internal sealed unsafe class Decompressor : IDisposable
{
    private nint context = LibZstd.ZSTD_createDCtx();

    /// <summary>Decompresses a frame that says it holds exactly <paramref name="target"/>'s length; false otherwise.</summary>
    public bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> target)
    {
        fixed (byte* from = source, to = target)
        {
            if (LibZstd.ZSTD_getFrameContentSize(from, (nuint)source.Length) != (ulong)target.Length) return false;
            nuint length = LibZstd.ZSTD_decompressDCtx(context, to, (nuint)target.Length, from, (nuint)source.Length);
            return LibZstd.ZSTD_isError(length) == 0 && length == (nuint)target.Length;
        }
    }

    public void Dispose()
    {
        if (context != 0) _ = LibZstd.ZSTD_freeDCtx(context);
        context = 0;
    }
}
