using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>
/// What a compact keydir counts. Apart from it, and off its cache lines, since readers need those all the time.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 192)]
internal sealed class CompactTotals
{
    [FieldOffset(64)]
    private long keysByWriter;

    [FieldOffset(72)]
    private long keysByOthers;

    [FieldOffset(80)]
    private long bytes;

    /// <summary>How many keys there are.</summary>
    public long Keys => Volatile.Read(ref keysByWriter) + Volatile.Read(ref keysByOthers);

    /// <summary>Memory held, bytes.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    /// <summary>So many keys more, by the one thread at a time that is the writer: without a locked instruction.</summary>
    public void AddKeysByWriter(long count) => Volatile.Write(ref keysByWriter, keysByWriter + count);

    /// <summary>So many keys more, by any thread.</summary>
    public void AddKeys(long count) => Interlocked.Add(ref keysByOthers, count);

    /// <summary>So many bytes more.</summary>
    public void AddBytes(long count) => Interlocked.Add(ref bytes, count);
}
