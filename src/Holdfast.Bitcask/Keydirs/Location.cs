namespace Holdfast.Bitcask.Keydirs;

/// <summary>Where the frame of a record lies. 12 bytes; the default value is none.</summary>
/// <remarks>
/// Frames begin at multiples of 8, so the low bits of the offset are free: bit 0 says that the record was read through
/// its CRC since the store was opened.
/// </remarks>
internal readonly struct Location
{
    private const uint VerifiedBit = 1;
    private const uint OffsetMask = ~7u;

    private readonly uint offsetAndFlags;

    /// <summary>A record that was not read yet.</summary>
    /// <param name="segment">Number of its segment; 1 or more.</param>
    /// <param name="offset">Of the frame, in the segment's file, bytes; a multiple of 8.</param>
    /// <param name="length">Of the frame, header and payload without padding, bytes.</param>
    public Location(uint segment, uint offset, uint length)
    {
        Segment = segment;
        offsetAndFlags = offset;
        Length = length;
    }

    private Location(Location from, bool verified)
    {
        Segment = from.Segment;
        offsetAndFlags = (from.offsetAndFlags & OffsetMask) | (verified ? VerifiedBit : 0);
        Length = from.Length;
    }

    /// <summary>Number of the segment; 0 = none.</summary>
    public uint Segment { get; }

    /// <summary>Of the frame in the segment's file, bytes.</summary>
    public uint Offset => offsetAndFlags & OffsetMask;

    /// <summary>Of the frame, header and payload without padding, bytes.</summary>
    public uint Length { get; }

    /// <summary>Whether the record was read through its CRC since the store was opened.</summary>
    public bool IsVerified => (offsetAndFlags & VerifiedBit) != 0;

    /// <summary>The same place, read through its CRC.</summary>
    public Location Verified => new(this, verified: true);

    /// <summary>The same place, not read yet.</summary>
    public Location Unread => new(this, verified: false);

    /// <summary>Whether two locations are of the same record, read or not.</summary>
    public bool IsSameAs(Location other) => Segment == other.Segment && Offset == other.Offset;
}
