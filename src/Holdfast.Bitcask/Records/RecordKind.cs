namespace Holdfast.Bitcask.Records;

/// <summary>What a record says of its key. 0 is none, so zeros are no record.</summary>
internal enum RecordKind : byte
{
    /// <summary>The key has this value.</summary>
    Put = 1,

    /// <summary>The key is absent: a tombstone.</summary>
    Delete = 2,
}
