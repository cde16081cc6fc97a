using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Hints;

/// <summary>Takes a key and where its current record lies; keys come in ascending order, each once.</summary>
/// <param name="key">Valid during the call.</param>
/// <param name="location">Where its record lies.</param>
internal delegate void AppendKey(ReadOnlySpan<byte> key, Location location);
