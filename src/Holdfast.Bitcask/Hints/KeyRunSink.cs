namespace Holdfast.Bitcask.Hints;

/// <summary>Collects the records of a stripe for the ordered keydir.</summary>
/// <param name="run">Where they go; it has room.</param>
internal readonly struct KeyRunSink(KeyRun run) : IHintSink
{
    /// <inheritdoc/>
    public void Add(ulong hash, HintEntry entry, uint segment) => run.Add(entry, segment);

    /// <inheritdoc/>
    public void AddTombstone(ulong hash, HintEntry entry)
    {
    }
}
