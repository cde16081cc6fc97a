using System.Buffers.Binary;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Exporting;

/// <summary>Packs whole records into compressed, sealed frames. Layout: docs/formats/export.md, "Frames". For one thread at a time.</summary>
internal sealed class FrameWriter : IDisposable
{
    /// <summary>Encoded size of what stands in front of each frame.</summary>
    public const int HeadBytes = 8;

    /// <summary>Marks the last frame.</summary>
    public const uint LastFlag = 1u << 31;

    /// <summary>A frame is written out when it has so many bytes; one record more may make it longer.</summary>
    private const int FullBytes = 1 << 20;

    private readonly Stream output;
    private readonly byte[] header;
    private readonly Aead cipher;
    private readonly Compressor compressor = new(Compressor.DefaultLevel);
    private byte[] compressed = new byte[FullBytes];
    private byte[] sealedFrame = [];
    private uint frames;

    /// <summary>Takes the header and its cipher, which it disposes of.</summary>
    public FrameWriter(Stream output, byte[] header, Aead cipher)
    {
        this.output = output;
        this.header = header;
        this.cipher = cipher;
    }

    /// <summary>The frame that is being filled: append whole records, then call <see cref="EndRecordAsync"/>.</summary>
    public ByteWriter Frame { get; } = new(FullBytes + (FullBytes >> 2));

    public long BytesWritten { get; private set; }

    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        await output.WriteAsync(header, cancellationToken).ConfigureAwait(false);
        BytesWritten = header.Length;
    }

    public ValueTask EndRecordAsync(CancellationToken cancellationToken) =>
        Frame.Length >= FullBytes ? WriteAsync(isLast: false, cancellationToken) : ValueTask.CompletedTask;

    /// <summary>Writes the last frame. The caller makes the output durable.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await WriteAsync(isLast: true, cancellationToken).ConfigureAwait(false);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        cipher.Dispose();
        compressor.Dispose();
    }

    private async ValueTask WriteAsync(bool isLast, CancellationToken cancellationToken)
    {
        int length = Seal(isLast);
        await output.WriteAsync(sealedFrame.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        BytesWritten += length;
        Frame.Clear();
    }

    private int Seal(bool isLast)
    {
        ReadOnlySpan<byte> raw = Frame.Written;
        if (raw.Length > FrameReader.MaxRawBytes) throw new InvalidOperationException($"a frame of {raw.Length} bytes");
        if (compressed.Length < raw.Length) compressed = new byte[raw.Length];
        int shorter = raw.IsEmpty ? 0 : compressor.TryCompress(raw, compressed.AsSpan(0, raw.Length - 1));
        ReadOnlySpan<byte> stored = shorter > 0 ? compressed.AsSpan(0, shorter) : raw;
        int length = HeadBytes + stored.Length + Aead.TagBytes;
        if (sealedFrame.Length < length) sealedFrame = new byte[length];
        Span<byte> head = sealedFrame.AsSpan(0, HeadBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)stored.Length | (isLast ? LastFlag : 0));
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], (uint)raw.Length);
        // The counter is the nonce: frames cannot change places, and no more than its range are written under one key.
        cipher.Seal(checked(frames++), stored, sealedFrame.AsSpan(HeadBytes, stored.Length + Aead.TagBytes), [.. header, .. head]);
        return length;
    }
}
