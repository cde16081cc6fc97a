namespace Holdfast.Benchmarks.KeyValue;

/// <summary>An open store of some engine, as the works of the benchmark use it.</summary>
/// <remarks>
/// One thread calls it, but for <see cref="Compact"/> and <see cref="Checkpoint"/>, which run beside puts. Every
/// method throws when the engine reports an error. What is put is found by a get that follows.
/// </remarks>
internal interface IKeyValueEngine : IDisposable
{
    /// What the engine says that its index takes in memory for all its keys; null where it has no such index.
    long? IndexBytes { get; }

    /// Not durable when it returns.
    void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// Durable when it returns.
    void PutSynced(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// Adds to the batch that the next commit writes.
    void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// Writes the batch, all or nothing; empties it.
    void Commit(bool isSynced);

    /// Copies a value; returns its length, or -1 when the key is absent.
    int Get(ReadOnlySpan<byte> key, Span<byte> target);

    /// Reads the first and the last byte of a value where the engine keeps it, uncopied; returns its length, or -1.
    int Touch(ReadOnlySpan<byte> key, out int sumOfBytes);

    /// Hands what is buffered to the kernel and returns when no work that became due runs in the background.
    void Settle();

    /// Rewrites all data that is sealed; returns when it is done. Nothing to do is no error.
    void Compact();

    /// Makes a copy that opens as a store, in a directory that does not exist, while puts go on.
    void Checkpoint(string directory);
}
