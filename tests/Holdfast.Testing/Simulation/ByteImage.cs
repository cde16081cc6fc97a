namespace Holdfast.Testing.Simulation;

/// <summary>A growing array of bytes with the semantics of a file: what was never written reads as zero.</summary>
internal sealed class ByteImage
{
    // Invariant: zero from Length on.
    private byte[] bytes = [];

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
        Reserve(length);
        if (length < Length) bytes.AsSpan((int)length, (int)(Length - length)).Clear();
        Length = length;
    }

    public ByteImage Copy() => new() { bytes = bytes.AsSpan(0, (int)Length).ToArray(), Length = Length };

    private void Reserve(long length)
    {
        if (length > bytes.Length)
        {
            Array.Resize(ref bytes, (int)Math.Min(Math.Max(length, bytes.Length * 2L), Array.MaxLength));
        }
    }
}
