using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>A key of a keydir that is filled at once.</summary>
/// <param name="Hash">Of the key.</param>
/// <param name="Location">Where its current record lies.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct KeydirEntry(ulong Hash, Location Location);
