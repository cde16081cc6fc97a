using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Benchmarks.LogSync;

/// <summary>A file that was written before and is overwritten from its start on: a sync then has no metadata to write.</summary>
/// <remarks>Each append writes the record several times over, as a group of so many would be written.</remarks>
internal sealed unsafe class OverwrittenFile : ISyncedLog
{
    private const int FileBytes = 64 << 20;
    private const int Alignment = 4096;
    private readonly Lock writing = new();
    private readonly SafeFileHandle file;
    private readonly bool isSyncedApart;
    private readonly int copies;
    private readonly int bytes;
    private readonly byte* buffer;
    private long offset;

    public OverwrittenFile(string directory, int flags, int copies)
    {
        string path = Path.Combine(directory, "overwritten");
        this.copies = copies;
        bytes = LogBenchmark.RecordBytes * copies;
        buffer = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        new Random(1).NextBytes(new Span<byte>(buffer, bytes));
        using (SafeFileHandle plain = RawFile.Open(path, 0))
        {
            for (long at = 0; at < FileBytes; at += bytes) RawFile.Write(plain, buffer, bytes, at);
            RawFile.Sync(plain);
        }

        file = RawFile.Open(path, flags);
        isSyncedApart = (flags & RawFile.WriteThrough) == 0;
    }

    public void Append(ReadOnlySpan<byte> record)
    {
        lock (writing)
        {
            for (int i = 0; i < copies; i++) record.CopyTo(new Span<byte>(buffer + (i * record.Length), record.Length));
            RawFile.Write(file, buffer, bytes, offset);
            if (isSyncedApart) RawFile.Sync(file);
            offset = (offset + bytes) % FileBytes;
        }
    }

    public ValueTask AppendAsync(ReadOnlyMemory<byte> record) => new(Task.Run(() => Append(record.Span)));

    public void Dispose()
    {
        file.Dispose();
        NativeMemory.AlignedFree(buffer);
    }
}
