namespace Holdfast.Bitcask.Keydirs;

/// <summary>Tells whether the record at a place is that of a key: by reading it. The compact keydir asks.</summary>
internal interface IRecordMatch
{
    /// <summary>Whether the record at <paramref name="location"/> has the key <paramref name="key"/>.</summary>
    /// <remarks>
    /// Called without a lock. The record may just have been moved by a merge: then the answer is false, and the keydir
    /// notices the move and asks again with the new place.
    /// </remarks>
    bool Matches(Location location, ReadOnlySpan<byte> key);
}
