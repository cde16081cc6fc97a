namespace Holdfast.Testing;

/// <summary>One call to a <see cref="SimulatedDisk"/> or one of its files.</summary>
/// <param name="Number">Position among all calls; the first is 1.</param>
/// <param name="Kind">Which call.</param>
/// <param name="Path">What it is applied to; of a rename the old name, of a publish or link the new one.</param>
/// <param name="Offset">Of a read or write; of a SetLength or Allocate the length.</param>
/// <param name="Length">Bytes of a read or write.</param>
public readonly record struct DiskCall(int Number, DiskCallKind Kind, string Path, long Offset, int Length);

/// <summary>The methods of <c>IDisk</c> and <c>IDiskFile</c>, but for hints and mappings.</summary>
public enum DiskCallKind
{
    Open,
    CreateUnnamed,
    Publish,
    Link,
    Clone,
    Rename,
    Exchange,
    Delete,
    CreateDirectory,
    DeleteDirectory,
    SyncDirectory,
    List,
    Stat,
    FreeBytes,
    Lock,
    Length,
    Read,
    Write,
    WriteDurably,
    SetLength,
    Allocate,
    Sync,
}
