using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Holdfast.Log;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Exporting;

/// <summary>Reads the frames of an export, each verified before anything of it is returned. For one thread at a time.</summary>
internal sealed class FrameReader : IDisposable
{
    /// <summary>No frame is longer: a bound on memory that hostile lengths cannot lift.</summary>
    public const int MaxRawBytes = 32 << 20;

    private readonly Stream input;
    private readonly string name;
    private readonly long start;
    private readonly byte[] header;
    private readonly Aead cipher;
    private readonly Decompressor decompressor = new();

    private FrameReader(Stream input, string name, long start, byte[] header, Aead cipher)
    {
        this.input = input;
        this.name = name;
        this.start = start;
        this.header = header;
        this.cipher = cipher;
    }

    /// <summary>Reads the header and derives the key.</summary>
    public static async Task<FrameReader> OpenAsync(Stream input, VaultSecret secret, string name, CancellationToken cancellationToken)
    {
        long start = input.Position;
        byte[] header = new byte[ExportHeader.Size];
        int read = await input.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        Aead cipher = ExportHeader.Open(header.AsSpan(0, read), secret, name);
        return new FrameReader(input, name, start, header, cipher);
    }

    /// <summary>The damage of a file that no check of a vault could heal.</summary>
    public static HoldfastException Damage(string name, string what) =>
        new(ErrorKind.Damage, $"{name}: {what}", "copy the file again, or export again");

    /// <summary>The opened frames from the first to the one that is marked as the last; behind it nothing may follow.</summary>
    public async IAsyncEnumerable<byte[]> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        input.Position = start + header.Length;
        byte[] head = new byte[FrameWriter.HeadBytes];
        byte[] sealedFrame = [];
        for (uint number = 0; ; number = checked(number + 1))
        {
            if (await input.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < head.Length)
            {
                throw Damage(name, $"ends after {number} frames, without the last one: it was cut off");
            }

            uint first = BinaryPrimitives.ReadUInt32LittleEndian(head), raw = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4));
            bool isLast = (first & FrameWriter.LastFlag) != 0;
            uint stored = first & ~FrameWriter.LastFlag;
            if (raw > MaxRawBytes || stored > raw) throw Damage(name, $"frame {number}: lengths {stored} and {raw} cannot be");
            int length = (int)stored + Aead.TagBytes;
            if (sealedFrame.Length < length) sealedFrame = new byte[length];
            Memory<byte> wanted = sealedFrame.AsMemory(0, length);
            int read = await input.ReadAtLeastAsync(wanted, length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (read < length) throw Damage(name, $"ends within frame {number}: it was cut off");

            yield return Open(number, head, sealedFrame.AsSpan(0, length), (int)raw);
            if (!isLast) continue;
            if (await input.ReadAsync(head, cancellationToken).ConfigureAwait(false) > 0) throw Damage(name, "goes on after its last frame");
            yield break;
        }
    }

    public void Dispose()
    {
        cipher.Dispose();
        decompressor.Dispose();
    }

    private byte[] Open(uint number, ReadOnlySpan<byte> head, ReadOnlySpan<byte> sealedFrame, int rawBytes)
    {
        byte[] stored = new byte[sealedFrame.Length - Aead.TagBytes];
        if (!cipher.TryOpen(number, sealedFrame, stored, [.. header, .. head])) throw Damage(name, $"frame {number}: its seal is broken");
        if (stored.Length == rawBytes) return stored;
        byte[] raw = new byte[rawBytes];
        return decompressor.TryDecompress(stored, raw) ? raw : throw Damage(name, $"frame {number}: does not decompress");
    }
}
