using System.Security.Cryptography;

namespace Holdfast.Testing.Simulation;

/// <summary>A growing array of bytes with the semantics of a file: what was never written reads as zero.</summary>
internal sealed class ByteImage
{
    // Invariant: zero from Length on.
    private byte[] bytes = [];

    // A copy shares the bytes until one of the two is changed.
    private bool isShared;
    private string? fingerprint;

    public long Length { get; private set; }

    public byte[] Read(long offset, int count)
    {
        if (offset >= Length) return [];
        return bytes.AsSpan((int)offset, (int)Math.Min(count, Length - offset)).ToArray();
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        long end = offset + data.Length;
        Reserve(end);
        data.CopyTo(bytes.AsSpan((int)offset));
        Length = Math.Max(Length, end);
    }

    public void SetLength(long length)
    {
        if (length == Length) return;
        Reserve(length);
        if (length < Length) bytes.AsSpan((int)length, (int)(Length - length)).Clear();
        Length = length;
    }

    public ByteImage Copy()
    {
        isShared = true;
        return new ByteImage { bytes = bytes, Length = Length, isShared = true, fingerprint = fingerprint };
    }

    /// <summary>Equal for equal content.</summary>
    public string Fingerprint() =>
        fingerprint ??= $"{Length}:{Convert.ToHexString(SHA256.HashData(bytes.AsSpan(0, (int)Length)))}";

    /// <summary>Makes the bytes this image's own, and long enough.</summary>
    private void Reserve(long length)
    {
        fingerprint = null;
        if (length > bytes.Length)
        {
            Array.Resize(ref bytes, (int)Math.Min(Math.Max(length, bytes.Length * 2L), Array.MaxLength));
        }
        else if (isShared)
        {
            bytes = bytes.AsSpan().ToArray();
        }

        isShared = false;
    }
}
