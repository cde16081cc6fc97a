using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>Compares files that are in the target with what they are to be: several, and ranges of a big one, at once.</summary>
internal sealed class TargetComparison(RestoreContext context, FileFinisher files)
{
    private const int MaxItems = 16 << 10;
    private const int MaxFiles = 1 << 10;

    private readonly List<ComparedRange> ranges = [];
    private readonly List<ComparedFile> added = [];
    private int pendingItems;

    /// <summary>Whether it is time to run.</summary>
    public bool IsFull => pendingItems >= MaxItems || added.Count >= MaxFiles;

    /// <summary>Takes a file on. A big one may be compared in part at once.</summary>
    public async ValueTask AddAsync(RestoreFile file)
    {
        var compared = new ComparedFile(file);
        try
        {
            long offset = 0;
            ComparedRange? range = null;
            await foreach (ContentItem item in context.Vault.Trees.FlattenAsync(file.Entry.Content!, context.Cancellation).ConfigureAwait(false))
            {
                if (range is null || range.IsFull)
                {
                    if (pendingItems >= MaxItems) await RunAsync().ConfigureAwait(false);
                    range = compared.AddRange(offset);
                    ranges.Add(range);
                }

                range.Add(item);
                compared.HasHoles |= item.Kind == ContentItemKind.Hole;
                offset += item.TotalBytes;
                pendingItems++;
            }
        }
        catch (DamageException damage)
        {
            files.FailDamaged(file, damage.Message);
        }

        added.Add(compared);
    }

    /// <summary>Compares all that was added.</summary>
    public async ValueTask RunAsync()
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = context.Workers, CancellationToken = context.Cancellation };
        await Parallel.ForEachAsync(ranges, options, (range, _) => CompareAsync(range)).ConfigureAwait(false);
        ranges.Clear();
        pendingItems = 0;
    }

    /// <summary>Files that were compared, in the order in which they were added.</summary>
    public ComparedFile[] TakeCompared()
    {
        ComparedFile[] taken = [.. added];
        added.Clear();
        return taken;
    }

    private async ValueTask CompareAsync(ComparedRange range)
    {
        RestoreFile file = range.File;
        Result<OpenedNode> opened = await context.Target.OpenAtAsync(
            context.Caller, file.Folder.Node, file.Name, new OpenRequest(OpenAccess.Read)).ConfigureAwait(false);
        if (!opened.Ok)
        {
            files.Fail(file, opened.Error);
            return;
        }

        try
        {
            await range.CompareAsync(context, opened.Value.File).ConfigureAwait(false);
        }
        finally
        {
            context.Target.Forget(opened.Value.Node.Id, 1);
            context.Target.Close(opened.Value.File);
        }
    }
}

/// <summary>A file that is in the target, and how it differs from what it is to be: a bit for each item of its content.</summary>
internal sealed class ComparedFile(RestoreFile file)
{
    private readonly List<ComparedRange> ranges = [];

    public RestoreFile File => file;

    public bool HasHoles { get; set; }

    public bool Differs => ranges.Exists(static range => range.Differs);

    public bool HasDifference(long index) => ranges[(int)(index / ComparedRange.MaxItems)].HasDifference((int)(index % ComparedRange.MaxItems));

    public ComparedRange AddRange(long offset)
    {
        var range = new ComparedRange(file, offset);
        ranges.Add(range);
        return range;
    }
}

/// <summary>Consecutive items of a file: what is compared in one go. They are let go when that is done.</summary>
internal sealed class ComparedRange(RestoreFile file, long offset)
{
    public const int MaxItems = 256;

    private readonly ulong[] different = new ulong[MaxItems / 64];
    private List<ContentItem> items = [];

    public RestoreFile File => file;

    public bool IsFull => items.Count == MaxItems;

    public bool Differs => different.AsSpan().ContainsAnyExcept(0UL);

    public void Add(in ContentItem item) => items.Add(item);

    public bool HasDifference(int index) => (different[index / 64] & (1UL << (index % 64))) != 0;

    public async ValueTask CompareAsync(RestoreContext context, OpenId opened)
    {
        long position = offset;
        for (int i = 0; i < items.Count; i++)
        {
            bool isSame = await RangeReader.HasItemAsync(context, opened, position, items[i]).ConfigureAwait(false);
            if (!isSame) different[i / 64] |= 1UL << (i % 64);
            position += items[i].TotalBytes;
        }

        items = [];
    }
}
