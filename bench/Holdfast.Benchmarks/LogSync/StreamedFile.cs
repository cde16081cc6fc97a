using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Benchmarks.LogSync;

/// Copies records into a buffer and writes it to a growing file when it is full: as little as a log could do.
internal sealed unsafe class StreamedFile : IStreamedLog
{
    private readonly SafeFileHandle file;
    private readonly int bufferBytes;
    private readonly byte* buffer;
    private long offset;
    private int used;

    public StreamedFile(string directory, int bufferBytes)
    {
        file = RawFile.Open(Path.Combine(directory, "streamed"), 0);
        this.bufferBytes = bufferBytes;
        buffer = (byte*)NativeMemory.AlignedAlloc((nuint)bufferBytes, 4096);
    }

    public void Append(ReadOnlySpan<byte> record)
    {
        if (used + record.Length > bufferBytes) Flush();
        record.CopyTo(new Span<byte>(buffer + used, bufferBytes - used));
        used += record.Length;
    }

    public void Flush()
    {
        RawFile.Write(file, buffer, used, offset);
        offset += used;
        used = 0;
    }

    public void Dispose()
    {
        file.Dispose();
        NativeMemory.AlignedFree(buffer);
    }
}
