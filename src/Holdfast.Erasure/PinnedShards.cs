using System.Buffers;

namespace Holdfast.Erasure;

/// <summary>
/// Keeps managed buffers where they are, so that they can be given as pointers. Dispose it as soon as they need not be.
/// </summary>
/// <remarks>Takes some 50 ns for each shard. Native memory needs no pinning. For one thread at a time.</remarks>
public sealed unsafe class PinnedShards : IDisposable
{
    private readonly MemoryHandle[] handles;
    private readonly nint[] pointers;
    private bool isDisposed;

    /// <summary>Pins all of them.</summary>
    /// <param name="shards">Buffers of the same length, from 1 byte; written to only by who is given the pointers as
    /// targets.</param>
    /// <exception cref="ArgumentException">The lengths are not the same, or 0.</exception>
    public PinnedShards(params ReadOnlySpan<ReadOnlyMemory<byte>> shards)
    {
        Length = shards.IsEmpty ? 0 : shards[0].Length;
        foreach (ReadOnlyMemory<byte> shard in shards)
        {
            if (shard.Length == Length && Length > 0) continue;
            throw new ArgumentException($"a shard of {shard.Length} bytes beside one of {Length}", nameof(shards));
        }

        handles = new MemoryHandle[shards.Length];
        pointers = new nint[shards.Length];
        for (int i = 0; i < shards.Length; i++)
        {
            handles[i] = shards[i].Pin();
            pointers[i] = (nint)handles[i].Pointer;
        }
    }

    /// <summary>Bytes of each shard.</summary>
    public int Length { get; }

    /// <summary>Where each shard lies, in the order in which they were given; valid until this is disposed.</summary>
    /// <exception cref="ObjectDisposedException">They are no longer pinned.</exception>
    public ReadOnlySpan<nint> Pointers
    {
        get
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            return pointers;
        }
    }

    /// <summary>Lets go of all of them.</summary>
    public void Dispose()
    {
        isDisposed = true;

        // A handle that was disposed does nothing more.
        for (int i = 0; i < handles.Length; i++) handles[i].Dispose();
    }
}
