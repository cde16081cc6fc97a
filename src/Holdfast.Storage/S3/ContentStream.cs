using Holdfast.Storage.Remote;

namespace Holdfast.Storage.S3;

/// <summary>
/// The content of one put on its way: each piece that is taken is progress, and once the caller cancelled, the last one is never
/// handed out, so that the store gets no whole object.
/// </summary>
internal sealed class ContentStream : Stream
{
    // Between two pieces of this size lies less than a stall on any line worth using.
    private const int PieceBytes = 256 << 10;

    private readonly ReadOnlyMemory<byte> content;
    private readonly StallWatch watch;
    private readonly CancellationToken caller;
    private int position;
    private volatile bool ended;

    public ContentStream(ReadOnlyMemory<byte> content, StallWatch watch, CancellationToken caller)
    {
        this.content = content;
        this.watch = watch;
        this.caller = caller;
    }

    /// <summary>Whether the reader has all of it, so that the object may come into being.</summary>
    public bool IsTaken => Volatile.Read(ref position) == content.Length;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => content.Length;

    public override long Position
    {
        get => position;
        set => Volatile.Write(ref position, checked((int)value));
    }

    public override int Read(Span<byte> buffer)
    {
        int count = Math.Min(Math.Min(buffer.Length, PieceBytes), content.Length - position);
        if (count == 0) return 0;
        caller.ThrowIfCancellationRequested();
        // The caller may use the memory for something else once the attempt ended.
        ObjectDisposedException.ThrowIf(ended, this);
        watch.Progress();
        content.Span.Slice(position, count).CopyTo(buffer);
        Volatile.Write(ref position, position + count);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<int>(Read(buffer.Span));
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => position + offset,
        _ => content.Length + offset,
    };

    protected override void Dispose(bool disposing)
    {
        ended = true;
        base.Dispose(disposing);
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
