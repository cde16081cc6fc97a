namespace Holdfast.Vault;

/// <summary>Something about one item that its user should know.</summary>
/// <param name="IsError">Whether the item is not, or not as it should be, in the result: the run then ends incomplete.</param>
/// <param name="Path">Which item.</param>
/// <param name="Message">What about it.</param>
public sealed record ItemNotice(bool IsError, ReadOnlyMemory<byte> Path, string Message);
