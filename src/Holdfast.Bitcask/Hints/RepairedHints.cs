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
    public HintEntries ReadStripe(int stripe, NativeBuffer buffer)
    {
        if (rebuilt is null)
        {
            if (file.TryReadStripe(stripe, buffer, out HintEntries entries)) return entries;
            lock (gate) rebuilt ??= rebuild();
        }

        return rebuilt.ReadStripe(stripe, buffer);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        file.Dispose();
        rebuilt?.Dispose();
    }
}
