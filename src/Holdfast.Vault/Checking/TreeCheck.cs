using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Checking;

/// <summary>Reads every distinct tree chunk of all points once, and builds the graph of what names what.</summary>
/// <remarks>
/// In waves, from the points' roots on; each wave in the order of packs, so that a group of tree chunks is mostly fetched
/// once for all of its wave. What cannot be read here is asked of <c>spare</c>, another copy of the same chunks: so that all
/// that is lost becomes known, also what only lost chunks lead to.
/// </remarks>
internal sealed class TreeCheck(
    CheckRequest request, ChunkTable table, ChunkReader chunks, Findings findings, Func<ChunkId, CancellationToken, Task<ReadOnlyMemory<byte>?>>? spare = null)
{
    private readonly List<int[]> sequences = [];
    private List<int> frontier = [];
    private long directories;
    private long files;

    public TreeGraph Graph { get; } = new(table);

    public long Directories => directories;

    public long Files => files;

    /// <summary>Where a point begins: to be walked by <see cref="RunAsync"/>, and to begin at afterwards.</summary>
    public int[] AddRoot(Content content, TreeUse use, string pointName)
    {
        try
        {
            return AddContent(content, use, pointName, frontier);
        }
        catch (DamageException damage)
        {
            findings.Add(pointName, damage);
            return [];
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, request.Workers), CancellationToken = cancellationToken };
        while (frontier.Count > 0)
        {
            List<int> wave = frontier;
            frontier = [];
            wave.Sort((a, b) => Graph.Nodes[a].Key.Number.CompareTo(Graph.Nodes[b].Key.Number));
            TreeNode[] nodes = [.. wave.Select(place => Graph.Nodes[place])];
            await Parallel.ForEachAsync(nodes, options, ReadAsync).ConfigureAwait(false);
        }

        foreach (int[] sequence in sequences) CheckOrder(sequence);
    }

    private async ValueTask ReadAsync(TreeNode node, CancellationToken cancellationToken)
    {
        // What no pack holds is told of at the end, when it is known which packs are missing.
        bool isThere = node.Key.Number < table.Count;
        ReadOnlyMemory<byte>? read = isThere ? await chunks.TryReadAsync(node.Key.Number, cancellationToken).ConfigureAwait(false) : null;
        if (read is null && spare is not null) read = await spare(Graph.IdOf(node.Key.Number).Id, cancellationToken).ConfigureAwait(false);
        if (read is not { } content) return;
        var fresh = new List<int>();
        try
        {
            Decode(node, content, fresh);
        }
        catch (DamageException) when (!isThere)
        {
            // Not in this vault yet: the check that comes after it was brought back tells of it.
        }
        catch (DamageException damage)
        {
            (CheckedPack pack, int ordinal) = table.Place(node.Key.Number);
            Finding finding = findings.Add(pack.Id.ObjectName, $"chunk {ordinal}: {damage.What}");
            findings.AddChunks(finding, table.CopiesOf(node.Key.Number));
        }

        lock (frontier) frontier.AddRange(fresh);
    }

    private void Decode(TreeNode node, ReadOnlyMemory<byte> content, List<int> fresh)
    {
        (int _, TreeUse use, int depth, long length) = node.Key;
        string thing = "tree chunk";
        if (depth > 0)
        {
            Content inner = TreeReader.DecodeList(content.Span, thing);
            if (inner.Depth != depth - 1 || inner.TotalBytes != length)
            {
                throw new DamageException(thing, $"chunk list of depth {inner.Depth} for {inner.TotalBytes} bytes, {depth - 1} and {length} expected");
            }

            var data = new List<int>();
            node.Children = AddContent(inner, use, thing, fresh, data);
            node.Data = [.. data];
            return;
        }

        if (use == TreeUse.Changes)
        {
            _ = TreeChange.DecodeList(content.Span, thing);
            return;
        }

        DecodeDirectory(node, DirectoryCodec.Decode(content.Span, thing, use == TreeUse.Root), fresh);
    }

    private void DecodeDirectory(TreeNode node, List<TreeEntry> entries, List<int> fresh)
    {
        if (entries.Count == 0) throw new DamageException("tree chunk", "a piece of a directory without entries");
        var data = new List<int>();
        var children = new List<int>();
        foreach (TreeEntry entry in entries)
        {
            if (entry.IsDirectory) Interlocked.Increment(ref directories);
            else Interlocked.Increment(ref files);
            if (entry.Content is not { } content) continue;
            children.AddRange(AddContent(content, entry.IsDirectory ? TreeUse.Directory : TreeUse.Data, "tree chunk", fresh, data));
        }

        node.Data = [.. data];
        node.Children = [.. children];
        node.Own = (entries.Count, entries.Aggregate(0L, static (sum, entry) => TreeAllowance.Sum(sum, TreeAllowance.SizeOf(entry))));
        node.Names = (entries[0].Name, entries[^1].Name);
    }

    /// <summary>Adds what a content names: data chunks to <paramref name="data"/>, tree chunks to the result.</summary>
    private int[] AddContent(Content content, TreeUse use, string thing, List<int> fresh, List<int>? data = null)
    {
        var nodes = new List<int>();
        foreach (ContentItem item in content.Items)
        {
            bool isData = use == TreeUse.Data && content.Depth == 0;
            if (!isData && item.Kind != ContentItemKind.Chunk) throw new DamageException(thing, "a hole or a run where a tree chunk is expected");
            if (item.Kind == ContentItemKind.Hole) continue;
            int number = Graph.NumberOf(item.Id, isData ? ObjectKind.DataPack : ObjectKind.TreePack);
            if (content.Depth == 0 && number < table.Count && table.LengthOf(number) != item.Length)
            {
                throw new DamageException(thing, $"names chunk {item.Id} with {item.Length} bytes, it has {table.LengthOf(number)}");
            }

            if (content.Depth == 0 && number >= table.Count) Graph.SetLength(number, item.Length);
            if (isData) data!.Add(number);
            else nodes.Add(Graph.PlaceOf(new TreeKey(number, use, content.Depth, content.Depth == 0 ? 0 : item.Length), fresh));
        }

        int[] places = [.. nodes];
        if (places.Length > 1 && use is TreeUse.Root or TreeUse.Directory)
        {
            lock (sequences) sequences.Add(places);
        }

        return places;
    }

    /// <summary>Names ascend from each piece of a directory to the next.</summary>
    private void CheckOrder(int[] pieces)
    {
        for (int i = 1; i < pieces.Length; i++)
        {
            if (LastName(pieces[i - 1]) is not { } last || FirstName(pieces[i]) is not { } first) continue;
            TreeNode node = Graph.Nodes[pieces[i]];
            if (last.AsSpan().SequenceCompareTo(first) < 0 || node.Key.Number >= table.Count) continue;
            (CheckedPack pack, int ordinal) = table.Place(node.Key.Number);
            Finding finding = findings.Add(pack.Id.ObjectName, $"chunk {ordinal}: its names are not behind those of the piece before");
            findings.AddChunks(finding, table.CopiesOf(node.Key.Number));
        }
    }

    private byte[]? FirstName(int place)
    {
        TreeNode node = Graph.Nodes[place];
        return node.Key.Depth == 0 ? node.Names?.First : node.Children.Length == 0 ? null : FirstName(node.Children[0]);
    }

    private byte[]? LastName(int place)
    {
        TreeNode node = Graph.Nodes[place];
        return node.Key.Depth == 0 ? node.Names?.Last : node.Children.Length == 0 ? null : LastName(node.Children[^1]);
    }
}
