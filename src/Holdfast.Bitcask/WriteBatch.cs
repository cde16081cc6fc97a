using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Changes that are made together or not at all, whatever happens. To be used again after <see cref="Clear"/>.</summary>
/// <remarks>Of several changes of one key the last one counts. Not for several threads at once.</remarks>
public sealed class WriteBatch
{
    /// <summary>What a batch may take on disk, bytes: 1 GiB.</summary>
    public const long MaxBytes = 1L << 30;

    /// <summary>How many changes there are.</summary>
    public int Count => Group.Count;

    /// <summary>What the batch will take on disk, bytes.</summary>
    public long Bytes => Group.FrameBytes;

    internal LogGroup Group { get; } = new();

    /// <summary>Gives a key a value.</summary>
    /// <param name="key">1 to 65,535 bytes; copied.</param>
    /// <param name="value">0 to <see cref="BitcaskStore.MaxValueBytes"/> bytes; copied.</param>
    /// <param name="expires">When the key is absent again; null = never.</param>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, DateTimeOffset? expires = null)
    {
        BitcaskStore.ThrowIfInvalid(key, value);
        Add(RecordKind.Put, key, value, expires);
    }

    /// <summary>Removes a key, if it is there.</summary>
    /// <param name="key">1 to 65,535 bytes; copied.</param>
    public void Delete(ReadOnlySpan<byte> key)
    {
        BitcaskStore.ThrowIfInvalid(key, default);
        Add(RecordKind.Delete, key, default, null);
    }

    /// <summary>Empties it; keeps its memory.</summary>
    public void Clear() => Group.Clear();

    private void Add(RecordKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, DateTimeOffset? expires)
    {
        if (Group.FrameBytes + key.Length + value.Length > MaxBytes)
        {
            throw new ArgumentException($"a batch of more than {MaxBytes} bytes: write it in several");
        }

        // The sequence number is set when the batch is written.
        var header = new RecordHeader(1, kind, key.Length, UnixTime.ToNanoseconds(expires));
        Span<byte> payload = Group.Add(header.ValueOffset + value.Length);
        header.Encode(payload);
        key.CopyTo(payload[header.Size..]);
        value.CopyTo(payload[header.ValueOffset..]);
    }
}
