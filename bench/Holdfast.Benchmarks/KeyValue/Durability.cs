namespace Holdfast.Benchmarks.KeyValue;

/// What a work asks of its writes, so that an engine can be set for it when it is opened.
internal enum Durability
{
    /// Single puts or batches, none synced.
    None = 1,

    /// Every put or commit is synced.
    Synced,

    /// Single puts that must not be gathered, none synced: the time of each is taken.
    Immediate,
}
