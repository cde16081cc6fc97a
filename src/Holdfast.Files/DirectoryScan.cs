using System.Runtime.InteropServices;

namespace Holdfast.Files;

/// <summary>
/// All entries of one directory with their attributes: a buffer that <see cref="IFileTree.ScanAsync"/> fills and its
/// owner uses again for the next directory, so that a walk allocates nothing for an entry.
/// </summary>
/// <remarks>About 170 bytes an entry and its name. Not for use by two threads at once.</remarks>
public sealed class DirectoryScan
{
    private byte[] names;
    private int namesLength;
    private Entry[] entries;
    private int[] order = [];
    private bool isSorted;
    private Comparison<int>? byName;

    /// <summary>An empty buffer, which grows as it needs.</summary>
    public DirectoryScan()
        : this(new byte[4096], new Entry[64])
    {
    }

    private DirectoryScan(byte[] names, Entry[] entries)
    {
        this.names = names;
        this.entries = entries;
    }

    /// <summary>How many entries there are.</summary>
    public int Count { get; private set; }

    /// <summary>The name of an entry; valid until the buffer is cleared.</summary>
    public ReadOnlyMemory<byte> NameOf(int index)
    {
        ref readonly Entry entry = ref At(index);
        return names.AsMemory(entry.NameOffset, entry.NameLength);
    }

    /// <summary>The attributes of an entry; only its kind where <see cref="ErrorOf"/> says that the rest could not be had.</summary>
    public ref readonly NodeAttributes AttributesOf(int index) => ref At(index).Attributes;

    /// <summary>Why an entry's attributes could not be read; <see cref="Errno.None"/> when they were.</summary>
    public Errno ErrorOf(int index) => At(index).Error;

    /// <summary>Empties the buffer for another directory.</summary>
    public void Clear()
    {
        Count = 0;
        namesLength = 0;
        isSorted = false;
    }

    /// <summary>Adds an entry. For the tree that fills the buffer.</summary>
    public void Add(ReadOnlySpan<byte> name, in NodeAttributes attributes, Errno error = Errno.None)
    {
        if (namesLength + name.Length > names.Length)
        {
            Array.Resize(ref names, Math.Max(names.Length * 2, namesLength + name.Length));
        }

        if (Count == entries.Length) Array.Resize(ref entries, Math.Max(64, entries.Length * 2));
        name.CopyTo(names.AsSpan(namesLength));
        entries[Count++] = new Entry(namesLength, name.Length, attributes, error);
        namesLength += name.Length;
        isSorted = false;
    }

    /// <summary>Puts the entries in the order of their names' bytes.</summary>
    public void SortByName()
    {
        if (order.Length < Count) order = new int[entries.Length];
        for (int i = 0; i < Count; i++) order[i] = i;
        order.AsSpan(0, Count).Sort(byName ??= CompareNames);
        isSorted = true;
    }

    /// <summary>The same entries in the same order, in just the room that they need.</summary>
    public DirectoryScan Copy()
    {
        var copy = new DirectoryScan(names.AsSpan(0, namesLength).ToArray(), new Entry[Count]) { Count = Count, namesLength = namesLength };
        for (int i = 0; i < Count; i++) copy.entries[i] = At(i);
        return copy;
    }

    private int CompareNames(int left, int right)
    {
        ref readonly Entry a = ref entries[left];
        ref readonly Entry b = ref entries[right];
        return names.AsSpan(a.NameOffset, a.NameLength).SequenceCompareTo(names.AsSpan(b.NameOffset, b.NameLength));
    }

    private ref readonly Entry At(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return ref entries[isSorted ? order[index] : index];
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly struct Entry(int nameOffset, int nameLength, in NodeAttributes attributes, Errno error)
    {
        public readonly int NameOffset = nameOffset;
        public readonly int NameLength = nameLength;
        public readonly Errno Error = error;
        public readonly NodeAttributes Attributes = attributes;
    }
}
