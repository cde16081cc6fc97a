namespace Holdfast.Bitcask;

/// <summary>A change of a key.</summary>
/// <param name="Sequence">Its number; later changes have higher ones.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">Its new value; null when it was deleted.</param>
public sealed record Change(ulong Sequence, byte[] Key, byte[]? Value);
