using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Hints;

/// <summary>Memory outside the collected heap that is used again and again. For one thread at a time.</summary>
/// <remarks>Pages that were never written take no room, and those that were are not made ready a second time.</remarks>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const nuint CacheLine = 64;

    /// <summary>The first byte; null before the first <see cref="Require"/>.</summary>
    public byte* Start { get; private set; }

    /// <summary>Bytes there are.</summary>
    public long Capacity { get; private set; }

    /// <summary>Makes room for some bytes. What was in the buffer is lost if it has to grow.</summary>
    /// <returns>The first byte; valid until the next call.</returns>
    public byte* Require(long bytes)
    {
        if (bytes <= Capacity) return Start;
        // A quarter more, so that stripes of about the same size do not grow it each time.
        long capacity = bytes + (bytes / 4);
        Dispose();
        Start = (byte*)NativeMemory.AlignedAlloc((nuint)capacity, CacheLine);
        Capacity = capacity;
        return Start;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(Start);
        Start = null;
        Capacity = 0;
    }
}
