using System.Buffers;
using System.Runtime.InteropServices;

namespace Holdfast.Vault.Bytes;

/// <summary>
/// A large buffer outside the collected heap: it brings on no collection, never moves, and takes room only as it is
/// written to.
/// </summary>
internal sealed unsafe class NativeBytes : MemoryManager<byte>
{
    private byte* start;

    /// <summary>Allocates; the content is undefined.</summary>
    public NativeBytes(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(1, length), CacheLine);
    }

    /// <summary>Enough that no vector load of an aligned piece crosses a cache line.</summary>
    public static nuint CacheLine => 64;

    public int Length { get; }

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(start is null, this);
        return new Span<byte>(start, Length);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(start is null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)Length);
        return new MemoryHandle(start + elementIndex, default, this);
    }

    public override void Unpin()
    {
    }

    public void Dispose() => Dispose(disposing: true);

    protected override void Dispose(bool disposing)
    {
        NativeMemory.AlignedFree(start);
        start = null;
    }
}
