using System.Globalization;
using System.Text;
using Holdfast.Files;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Tests.Checking;

/// <summary>What each point of a whole vault is made of, read before anything is damaged: it tells what a loss must cost.</summary>
internal sealed class VaultOracle
{
    private readonly List<PointParts> points = [];
    private readonly List<PackFooter> packs = [];

    public IReadOnlyList<PackFooter> Packs => packs;

    /// <summary>Points, oldest first.</summary>
    public IReadOnlyList<RestorePoint> Points => [.. points.Select(parts => parts.Point)];

    public static async Task<VaultOracle> ReadAsync(OpenVault vault, CancellationToken stop)
    {
        var oracle = new VaultOracle();
        foreach (PackId pack in vault.Index.Readers.SelectMany(reader => reader.Packs).Select(pack => pack.Id).Distinct())
        {
            oracle.packs.Add((await vault.Index.TryGetFooterAsync(pack, stop))!);
        }

        foreach (RestorePoint point in await RestorePoints.ListAsync(vault, stop))
        {
            var changes = new List<ChunkId>();
            await AddAllAsync(vault, point.Changes, changes, stop);
            oracle.points.Add(new PointParts(point, await DirectoryAsync(vault, [], point.Tree, true, stop), changes));
        }

        return oracle;
    }

    /// <summary>What a check must name for the loss of chunks: <c>0:Data:/src/a[5+3]</c> is point, kind, path and range.</summary>
    public SortedSet<string> Affected(IReadOnlySet<ChunkId> lost)
    {
        var affected = new SortedSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < points.Count; i++)
        {
            if (points[i].Changes.Any(lost.Contains)) affected.Add(Line(i, AffectedKind.Changes, []));
            AddDirectory(affected, i, points[i].Root, lost);
        }

        return affected;
    }

    /// <summary>The files of a point that are whole and can be reached without lost chunks, by their paths below the root.</summary>
    public SortedSet<string> Whole(int point, IReadOnlySet<ChunkId> lost)
    {
        var whole = new SortedSet<string>(StringComparer.Ordinal);
        var pending = new Stack<DirectoryParts>([points[point].Root]);
        while (pending.TryPop(out DirectoryParts? directory))
        {
            foreach (PieceParts piece in directory.Pieces.Where(piece => !piece.Chunks.Any(lost.Contains)))
            {
                foreach (FileParts file in piece.Files.Where(file => !file.Ranges.Any(range => range.Chunks.Any(lost.Contains)))) whole.Add(Below(file.Path));
                foreach (DirectoryParts child in piece.Directories) pending.Push(child);
            }
        }

        return whole;
    }

    /// <summary>Whether a point's first directory is lost, without which nothing of it is known.</summary>
    public bool IsRootLost(int point, IReadOnlySet<ChunkId> lost) => points[point].Root.Pieces.Any(piece => piece.Chunks.Any(lost.Contains));

    /// <summary>What a check named, as <see cref="Affected"/> says it.</summary>
    public SortedSet<string> Named(CheckReport report)
    {
        var named = new SortedSet<string>(StringComparer.Ordinal);
        foreach (AffectedPath affected in report.Damages.SelectMany(damage => damage.Affected))
        {
            int point = points.FindIndex(parts => parts.Point.Id == affected.Point);
            // Ranges that follow each other are told as one.
            if (affected.Ranges.Count == 0) named.Add(Line(point, affected.Kind, affected.Path.Span));
            foreach (ByteRange range in affected.Ranges)
            {
                foreach (ByteRange part in Split(point, affected.Path, range)) named.Add(Line(point, affected.Kind, affected.Path.Span, part));
            }
        }

        return named;
    }

    public string Line(RestorePoint point, AffectedKind kind) => Line(points.FindIndex(parts => parts.Point.Id == point.Id), kind, []);

    private ByteRange[] Split(int point, ReadOnlyMemory<byte> path, ByteRange range)
    {
        FileParts file = Files(points[point].Root).Single(file => file.Path.AsSpan().SequenceEqual(path.Span));
        long end = range.Offset + range.Length;
        ByteRange[] parts = [.. file.Ranges.Select(part => part.Range).Where(part => part.Offset >= range.Offset && part.Offset + part.Length <= end)];
        Assert.Equal(range.Offset, parts[0].Offset);
        Assert.Equal(end, parts[^1].Offset + parts[^1].Length);
        return parts;
    }

    private static IEnumerable<FileParts> Files(DirectoryParts directory) =>
        directory.Pieces.SelectMany(piece => piece.Files.Concat(piece.Directories.SelectMany(Files)));

    private static void AddDirectory(SortedSet<string> affected, int point, DirectoryParts directory, IReadOnlySet<ChunkId> lost)
    {
        foreach (PieceParts piece in directory.Pieces)
        {
            if (piece.Chunks.Any(lost.Contains))
            {
                affected.Add(Line(point, AffectedKind.Tree, directory.Path));
                continue;
            }

            foreach (DirectoryParts child in piece.Directories) AddDirectory(affected, point, child, lost);
            foreach (FileParts file in piece.Files)
            {
                foreach (RangeParts range in file.Ranges.Where(range => range.Chunks.Any(lost.Contains)))
                {
                    // The last is the data itself, those before are lists that lead to it.
                    AffectedKind kind = range.Chunks[..^1].Any(lost.Contains) ? AffectedKind.Tree : AffectedKind.Data;
                    affected.Add(Line(point, kind, file.Path, range.Range));
                }
            }
        }
    }

    private static async Task<DirectoryParts> DirectoryAsync(OpenVault vault, byte[] path, Content content, bool isRoot, CancellationToken stop)
    {
        var directory = new DirectoryParts(path, []);
        await foreach ((ContentItem item, ChunkId[] lists) in LeavesAsync(vault, content, [], stop))
        {
            var piece = new PieceParts([.. lists, item.Id], [], []);
            directory.Pieces.Add(piece);
            ReadOnlyMemory<byte> chunk = await vault.TreeChunks.FetchAsync(item.Id, stop);
            foreach (TreeEntry entry in DirectoryCodec.Decode(chunk.Span, "directory", isRoot))
            {
                byte[] entryPath = BytePath.Join(path, entry.Name);
                if (entry.IsDirectory) piece.Directories.Add(await DirectoryAsync(vault, entryPath, entry.Content!, false, stop));
                else if (entry.Content is { } file) piece.Files.Add(await FileAsync(vault, entryPath, file, stop));
            }
        }

        return directory;
    }

    private static async Task<FileParts> FileAsync(OpenVault vault, byte[] path, Content content, CancellationToken stop)
    {
        var file = new FileParts(path, []);
        long offset = 0;
        await foreach ((ContentItem item, ChunkId[] lists) in LeavesAsync(vault, content, [], stop))
        {
            var range = new ByteRange(offset, item.TotalBytes);
            offset += item.TotalBytes;
            // A hole is lost with the list that tells of it, and with nothing else.
            if (item.Kind != ContentItemKind.Hole) file.Ranges.Add(new RangeParts(range, [.. lists, item.Id]));
            else file.Ranges.Add(new RangeParts(range, [.. lists, default]));
        }

        return file;
    }

    private static async IAsyncEnumerable<(ContentItem Item, ChunkId[] Lists)> LeavesAsync(
        OpenVault vault, Content content, ChunkId[] lists, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        foreach (ContentItem item in content.Items)
        {
            if (content.Depth == 0)
            {
                yield return (item, lists);
                continue;
            }

            Content inner = await vault.Trees.ReadListAsync(item, content.Depth, stop);
            await foreach ((ContentItem Item, ChunkId[] Lists) leaf in LeavesAsync(vault, inner, [.. lists, item.Id], stop)) yield return leaf;
        }
    }

    private static async Task AddAllAsync(OpenVault vault, Content content, List<ChunkId> ids, CancellationToken stop)
    {
        await foreach ((ContentItem item, ChunkId[] lists) in LeavesAsync(vault, content, [], stop)) ids.AddRange([.. lists, item.Id]);
    }

    private static string Below(byte[] path) => Encoding.UTF8.GetString(path.AsSpan("/src/".Length));

    private static string Line(int point, AffectedKind kind, ReadOnlySpan<byte> path, ByteRange? range = null) => string.Create(
        CultureInfo.InvariantCulture, $"{point}:{kind}:{Encoding.UTF8.GetString(path)}{(range is { } r ? $"[{r.Offset}+{r.Length}]" : "")}");

    private sealed record PointParts(RestorePoint Point, DirectoryParts Root, List<ChunkId> Changes);

    private sealed record DirectoryParts(byte[] Path, List<PieceParts> Pieces);

    private sealed record PieceParts(ChunkId[] Chunks, List<DirectoryParts> Directories, List<FileParts> Files);

    private sealed record FileParts(byte[] Path, List<RangeParts> Ranges);

    private sealed record RangeParts(ByteRange Range, ChunkId[] Chunks);
}
