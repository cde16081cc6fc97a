using System.Runtime.InteropServices;

namespace Holdfast.Testing;

/// An open file of a test's tree.
public sealed unsafe class PosixFile : IDisposable
{
    // fallocate(2): FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE.
    private const int PunchHole = 3;

    private readonly int file;

    internal PosixFile(int file) => this.file = file;

    public void Dispose() => _ = PosixCalls.Close(file);

    public void Write(ReadOnlySpan<byte> data, long offset)
    {
        fixed (byte* start = data)
        {
            for (int done = 0; done < data.Length;)
            {
                nint written = PosixCalls.WriteAt(file, start + done, data.Length - done, offset + done);
                done += (int)PosixCalls.Check(written, "pwrite");
            }
        }
    }

    /// Returns how many bytes there were, less than asked only at the end of the file.
    public int Read(Span<byte> buffer, long offset)
    {
        int done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                nint read = PosixCalls.ReadAt(file, start + done, buffer.Length - done, offset + done);
                if (PosixCalls.Check(read, "pread") == 0) break;
                done += (int)read;
            }
        }

        return done;
    }

    public void SetLength(long length) => PosixCalls.Check(PosixCalls.SetLength(file, length), "ftruncate");

    public void Punch(long offset, long length) =>
        PosixCalls.Check(PosixCalls.Allocate(file, PunchHole, offset, length), "fallocate");

    /// Where data is stored, in order: offset and length.
    public IReadOnlyList<(long Offset, long Length)> FindData()
    {
        var extents = new List<(long, long)>();
        long position = 0;
        while (true)
        {
            long start = PosixCalls.Seek(file, position, PosixCalls.SeekData);
            if (start < 0 && Marshal.GetLastPInvokeError() == PosixCalls.NoDevice) return extents;
            PosixCalls.Check(start, "lseek");
            position = PosixCalls.Check(PosixCalls.Seek(file, start, PosixCalls.SeekHole), "lseek");
            extents.Add((start, position - start));
        }
    }
}
