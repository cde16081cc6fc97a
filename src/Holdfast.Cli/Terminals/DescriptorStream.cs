using System.Runtime.InteropServices;

namespace Holdfast.Cli.Terminals;

/// <summary>The reader of our standard output is gone (EPIPE): there is nobody left to work for.</summary>
internal sealed class OutputClosedException() : IOException("the reader of the output is gone");

/// <summary>Writes to an open descriptor, unbuffered, and reports a reader that went away. Does not close it.</summary>
/// <remarks>The console stream of .NET swallows EPIPE, so <c>holdfast find … | head</c> would work to the end for nobody.</remarks>
internal sealed class DescriptorStream(int descriptor, string name) : Stream
{
    public const int OutputDescriptor = 1;
    public const int ErrorDescriptor = 2;

    /// <summary>Standard output of this process.</summary>
    public static DescriptorStream Output() => new(OutputDescriptor, "standard output");

    /// <summary>Standard error of this process.</summary>
    public static DescriptorStream Error() => new(ErrorDescriptor, "standard error");

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            int written = 0;
            while (written < buffer.Length)
            {
                nint count = LibC.Write(descriptor, start + written, buffer.Length - written);
                if (count >= 0) written += (int)count;
                else WaitOrThrow(Marshal.GetLastPInvokeError());
            }
        }
    }

    // Whoever reads may be slow (a pager): a signal is heeded while a write waits for it.
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        await Task.Run(() => Write(buffer.Span), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private unsafe void WaitOrThrow(int errno)
    {
        switch (errno)
        {
            case LibC.Interrupted:
                return;
            case LibC.TryAgain:
                var entry = new LibC.PollEntry { Descriptor = descriptor, Wanted = LibC.PollOut };
                _ = LibC.Poll(&entry, 1, -1);
                return;
            case LibC.BrokenPipe:
                throw new OutputClosedException();
            default:
                throw new IOException($"{name}: {Marshal.GetPInvokeErrorMessage(errno)}");
        }
    }
}
