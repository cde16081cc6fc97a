using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>A key in a table of the compact keydir: 32 bits of its hash and where its record lies. 16 bytes.</summary>
/// <param name="Fingerprint">The 32 bits of the hash below those of the partition. Empty slots have the highest one, so
/// that a search for the first slot that is not less ends at them without another comparison.</param>
/// <param name="Location">None in an empty slot.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct CompactSlot(uint Fingerprint, Location Location)
{
    /// <summary>No key.</summary>
    public static CompactSlot Empty => new(uint.MaxValue, default);

    /// <summary>Whether there is no key.</summary>
    public bool IsEmpty => Location.Segment == 0;

    /// <summary>Whether there is a key, of a fingerprint.</summary>
    public bool Has(uint fingerprint) => Fingerprint == fingerprint && !IsEmpty;
}
