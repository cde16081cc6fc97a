using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Checking;

/// <summary>What a tree chunk is read as.</summary>
internal enum TreeUse : byte
{
    /// <summary>The root directory of a point, whose names are paths.</summary>
    Root = 1,

    /// <summary>Any other directory.</summary>
    Directory = 2,

    /// <summary>The content of a file; only its lists are tree chunks.</summary>
    Data = 3,

    /// <summary>A list of changes.</summary>
    Changes = 4,
}

/// <summary>A tree chunk in one use.</summary>
/// <param name="Number">The chunk; numbers from <see cref="ChunkTable.Count"/> on are chunks that no pack holds.</param>
/// <param name="Use">What its end points are.</param>
/// <param name="Depth">0 for an end point, k for a chunk list that holds content of depth k − 1.</param>
/// <param name="Length">Of a chunk list, the bytes that it stands for; else 0.</param>
internal readonly record struct TreeKey(int Number, TreeUse Use, int Depth, long Length);

/// <summary>A tree chunk that was read, or could not be.</summary>
internal sealed class TreeNode(TreeKey key)
{
    public TreeKey Key { get; } = key;

    /// <summary>Numbers of the data chunks that it names.</summary>
    public int[] Data { get; set; } = [];

    /// <summary>The tree chunks that it names, by their places in <see cref="TreeGraph.Nodes"/>, in order.</summary>
    public int[] Children { get; set; } = [];

    /// <summary>Of a directory's piece: how many entries it has, and how many bytes its files.</summary>
    public (long Entries, long Bytes) Own { get; set; }

    /// <summary>The same with all that lies below, each time it is named; null until it is counted.</summary>
    public (long Entries, long Bytes)? Whole { get; set; }

    /// <summary>Of a directory's piece: the first and last name; null where it has none or could not be read.</summary>
    public (byte[] First, byte[] Last)? Names { get; set; }
}

/// <summary>
/// Which chunk names which, over all points: every distinct tree chunk once. With it, what a point needs and what a
/// chunk affects is found without reading again. May be used from any thread.
/// </summary>
internal sealed class TreeGraph(ChunkTable table)
{
    private readonly Lock gate = new();
    private readonly Dictionary<TreeKey, int> places = [];
    private readonly Dictionary<ChunkId, int> missing = [];
    private readonly List<(ChunkId Id, ObjectKind Kind)> missingIds = [];
    private readonly Dictionary<int, int> missingLengths = [];

    public List<TreeNode> Nodes { get; } = [];

    /// <summary>Chunks that trees name and no pack holds, from number <see cref="ChunkTable.Count"/> on.</summary>
    public IReadOnlyList<(ChunkId Id, ObjectKind Kind)> Missing => missingIds;

    /// <summary>The number of a chunk; one that no pack holds gets a number too.</summary>
    public int NumberOf(in ChunkId id, ObjectKind kind)
    {
        int number = table.Find(id, kind);
        if (number >= 0) return number;
        lock (gate)
        {
            if (missing.TryGetValue(id, out number)) return number;
            number = checked(table.Count + missingIds.Count);
            missing.Add(id, number);
            missingIds.Add((id, kind));
            return number;
        }
    }

    /// <summary>A chunk that no pack holds has so many bytes, as the tree says that names it.</summary>
    public void SetLength(int number, long length)
    {
        if (length > PackFooter.MaxChunkBytes) return;
        lock (gate) missingLengths[number] = (int)length;
    }

    /// <summary>How many bytes a chunk has that no pack holds; null where nobody says.</summary>
    public int? MissingLength(int number) => missingLengths.TryGetValue(number, out int length) ? length : null;

    /// <summary>The id and kind of a chunk, whether or not a pack holds it.</summary>
    public (ChunkId Id, ObjectKind Kind) IdOf(int number)
    {
        if (number < table.Count)
        {
            (CheckedPack pack, int ordinal) = table.Place(number);
            return (pack.IdOf(ordinal), pack.Id.Kind);
        }

        lock (gate) return missingIds[number - table.Count];
    }

    public TreeKey KeyOf(in ContentItem item, TreeUse use, int depth) =>
        new(NumberOf(item.Id, ObjectKind.TreePack), use, depth, depth == 0 ? 0 : item.Length);

    /// <summary>The place of a node; made, and added to <paramref name="fresh"/>, where it was not known.</summary>
    public int PlaceOf(TreeKey key, List<int> fresh)
    {
        lock (gate)
        {
            if (places.TryGetValue(key, out int place)) return place;
            place = Nodes.Count;
            places.Add(key, place);
            Nodes.Add(new TreeNode(key));
            fresh.Add(place);
            return place;
        }
    }

    /// <summary>
    /// Entries and bytes of the trees that begin at some nodes. A directory may be named any number of times, by others that
    /// are: so each is counted once, and its sum added wherever it is named.
    /// </summary>
    public (long Entries, long Bytes) CountBelow(int[] roots)
    {
        var pending = new Stack<int>(roots);
        while (pending.TryPeek(out int place))
        {
            TreeNode node = Nodes[place];
            int before = pending.Count;
            if (node.Whole is null)
            {
                foreach (int child in node.Children)
                {
                    if (Nodes[child].Whole is null) pending.Push(child);
                }
            }

            // Names are hashes of content, so no node leads to itself, and this comes to an end.
            if (pending.Count > before) continue;
            pending.Pop();
            node.Whole ??= Sum(node.Own, node.Children);
        }

        return Sum(default, roots);
    }

    private (long Entries, long Bytes) Sum((long Entries, long Bytes) own, int[] children)
    {
        (long entries, long bytes) = own;
        foreach (int child in children)
        {
            (long Entries, long Bytes) below = Nodes[child].Whole!.Value;
            entries = TreeAllowance.Sum(entries, below.Entries);
            bytes = TreeAllowance.Sum(bytes, below.Bytes);
        }

        return (entries, bytes);
    }

    /// <summary>The place of a node that was walked; −1 when there is none.</summary>
    public int PlaceOf(TreeKey key) => places.GetValueOrDefault(key, -1);
}
