namespace Holdfast.Benchmarks.Corpora;

/// What is measured with a corpus, in this order.
internal enum Step
{
    Init = 1,
    First,

    /// Nothing changed since.
    Unchanged,

    /// Only the modification time changed.
    Touched,

    /// A large file with many small edits.
    Edited,

    /// A tree in which 1 % of the files changed.
    Changed,

    Restore,

    /// All stored data is read and verified.
    Check,
}
