using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>
/// What a compact keydir counts. Apart from it, and off its cache lines, since readers need those all the time.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 192)]
internal sealed class CompactTotals
{
    [FieldOffset(64)]
    private long keys;

    [FieldOffset(72)]
    private long bytes;

    /// <summary>How many keys there are.</summary>
    public long Keys => Volatile.Read(ref keys);

    /// <summary>Memory held, bytes.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    /// <summary>So many keys more.</summary>
    public void AddKeys(long count) => Interlocked.Add(ref keys, count);

    /// <summary>So many bytes more.</summary>
    public void AddBytes(long count) => Interlocked.Add(ref bytes, count);
}
