using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

/// <summary>Records for tests of the compact keydir: a record is a number and has a number for a key.</summary>
/// <remarks>For many threads. A record that is gone matches no key.</remarks>
internal sealed class CompactRecords(int capacity) : IRecordMatch
{
    private const int RecordBytes = 64;
    private const int RecordsPerSegment = 1 << 20;

    private readonly int[] keys = new int[capacity];
    private readonly bool[] isGone = new bool[capacity];
    private int count;

    /// <summary>Done when next a match is asked for, before it is answered.</summary>
    public Action<Location>? BeforeNextMatch { get; set; }

    /// <summary>How many times a match was asked for. Of one thread only.</summary>
    public int Asked { get; private set; }

    /// <summary>Whether no more can be added.</summary>
    public bool IsNearlyFull => Volatile.Read(ref count) > capacity - 1_000;

    /// <summary>A hash with its parts as they are wanted.</summary>
    public static ulong Hash(int partition, uint fingerprint, uint rest = 0) =>
        ((ulong)partition << 54) | ((ulong)fingerprint << 22) | rest;

    /// <summary>The bytes of a key.</summary>
    public static byte[] KeyBytes(int key) => BitConverter.GetBytes(key);

    /// <summary>The key of a record, be it gone or not.</summary>
    public int KeyOf(Location location) => keys[NumberOf(location)];

    /// <summary>Adds a record of a key.</summary>
    public Location Add(int key)
    {
        int number = Interlocked.Increment(ref count) - 1;
        Volatile.Write(ref keys[number], key);
        return new Location(
            1 + ((uint)number / RecordsPerSegment), (uint)number % RecordsPerSegment * RecordBytes, RecordBytes);
    }

    /// <summary>A record is gone, as one is that a merge has moved.</summary>
    public void Drop(Location location) => Volatile.Write(ref isGone[NumberOf(location)], true);

    /// <inheritdoc/>
    public bool Matches(Location location, ReadOnlySpan<byte> key)
    {
        Asked++;
        if (BeforeNextMatch is { } action)
        {
            BeforeNextMatch = null;
            action(location);
        }

        int number = NumberOf(location);
        return BitConverter.ToInt32(key) == Volatile.Read(ref keys[number]) && !Volatile.Read(ref isGone[number]);
    }

    private static int NumberOf(Location location) =>
        (int)(((location.Segment - 1) * RecordsPerSegment) + (location.Offset / RecordBytes));
}
