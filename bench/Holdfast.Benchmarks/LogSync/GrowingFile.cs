using Microsoft.Win32.SafeHandles;

namespace Holdfast.Benchmarks.LogSync;

/// A file that grows with each record and is synced after it.
internal sealed unsafe class GrowingFile(string directory) : ISyncedLog
{
    private readonly Lock writing = new();
    private readonly SafeFileHandle file = RawFile.Open(Path.Combine(directory, "growing"), 0);
    private long offset;

    public void Append(ReadOnlySpan<byte> record)
    {
        lock (writing)
        {
            fixed (byte* start = record) RawFile.Write(file, start, record.Length, offset);
            RawFile.Sync(file);
            offset += record.Length;
        }
    }

    public ValueTask AppendAsync(ReadOnlyMemory<byte> record) => new(Task.Run(() => Append(record.Span)));

    public void Dispose() => file.Dispose();
}
