namespace Holdfast.Log;

/// <summary>The exclusive lock of a file, from <see cref="IDisk.TryLock"/>.</summary>
/// <remarks>Disposing of it empties the file's text and frees the lock; the file stays.</remarks>
public interface IDiskLock : IDisposable
{
}
