namespace Holdfast.Bitcask.Hints;

/// <summary>
/// The hints of a file for as long as it is whole; from the first stripe that is not, those made anew from the segment.
/// </summary>
/// <param name="file">Owned.</param>
/// <param name="rebuild">
/// Reads the segment; called once at most, by the thread that met the damage, while others that meet it wait. What it
/// throws, <see cref="ReadStripe"/> throws.
/// </param>
internal sealed class RepairedHints(HintFile file, Func<HintData> rebuild) : IHintSource, IDisposable
{
    private readonly Lock gate = new();
    private volatile HintData? rebuilt;

    /// <summary>What was made in place of the file, which is damaged then; null while it was found whole.</summary>
    public HintData? Rebuilt => rebuilt;

    /// <inheritdoc/>
    public uint Segment => file.Header.Identity.Segment;

    /// <inheritdoc/>
    public long Entries => file.Header.Entries;

    /// <inheritdoc/>
    public long SegmentBytes => file.Header.Identity.SegmentBytes;

    /// <inheritdoc/>
    public bool IsSorted => true;

    /// <inheritdoc/>
    public HintEntries ReadStripe(int stripe, NativeBuffer buffer)
    {
        if (rebuilt is null)
        {
            if (file.TryReadStripe(stripe, buffer, out HintEntries entries)) return entries;
            Reject();
        }

        return rebuilt!.ReadStripe(stripe, buffer);
    }

    /// <inheritdoc/>
    /// <remarks>Again and again by threads that had read before the first of them rejected it.</remarks>
    public void Reject()
    {
        lock (gate) rebuilt ??= rebuild();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        file.Dispose();
        rebuilt?.Dispose();
    }
}
