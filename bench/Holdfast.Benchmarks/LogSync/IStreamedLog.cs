namespace Holdfast.Benchmarks.LogSync;

/// Something that takes records of one thread and syncs nothing.
internal interface IStreamedLog : IDisposable
{
    void Append(ReadOnlySpan<byte> record);

    /// Hands all that was appended to the kernel.
    void Flush();
}
