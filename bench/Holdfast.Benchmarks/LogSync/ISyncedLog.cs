namespace Holdfast.Benchmarks.LogSync;

/// <summary>Something that takes records and makes each durable.</summary>
/// <remarks>May be called from several threads at once.</remarks>
internal interface ISyncedLog : IDisposable
{
    /// Durable when it returns.
    void Append(ReadOnlySpan<byte> record);

    /// Durable when the task is done.
    ValueTask AppendAsync(ReadOnlyMemory<byte> record);
}
