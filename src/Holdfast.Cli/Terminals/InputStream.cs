using System.Runtime.InteropServices;
using Holdfast.Files;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Cli.Terminals;

/// <summary>Reads a descriptor, unbuffered. A wait for a pipe that nobody writes to ends when it is cancelled.</summary>
/// <remarks>A read of .NET's own streams cannot be cancelled once it waits: a signal would go unheeded until data came.</remarks>
internal sealed class InputStream(SafeFileHandle handle) : Stream
{
    // How long a signal may go unnoticed while nobody writes.
    private const int PollMilliseconds = 100;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count), CancellationToken.None);

    public override int Read(Span<byte> buffer) => Read(buffer, CancellationToken.None);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Task.Run(() => Read(buffer.Span, cancellationToken), cancellationToken));

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) handle.Dispose();
        base.Dispose(disposing);
    }

    private unsafe int Read(Span<byte> target, CancellationToken cancellationToken)
    {
        if (target.IsEmpty) return 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var entry = new LibC.PollEntry { Descriptor = (int)handle.DangerousGetHandle(), Wanted = LibC.PollIn };
            if (LibC.Poll(&entry, 1, PollMilliseconds) <= 0) continue;
            nint count;
            fixed (byte* start = target) count = LibC.Read(handle, start, target.Length);
            if (count >= 0) return (int)count;
            int errno = Marshal.GetLastPInvokeError();
            if (errno is LibC.Interrupted or LibC.TryAgain) continue;
            throw new IOException(((Errno)errno).Describe());
        }
    }
}
