using System.Runtime.InteropServices;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Backup;

/// <summary>Where a range of content is read from.</summary>
internal abstract class ContentSource
{
    /// <summary>Reads at an offset; fewer bytes than wanted only where the content ends.</summary>
    public abstract ValueTask<int> ReadAsync(long offset, Memory<byte> target);
}

/// <summary>
/// A worker's window: what is read is cut there, and named and stored many chunks at once, those of small files together. For
/// one thread at a time.
/// </summary>
internal sealed class ContentCutter(BackupContext context, WriteSession session, ChunkSink data, ContentWriter contents) : IDisposable
{
    private const int WindowBytes = 1 << 20;
    private const int MaxChunks = 512;

    /// <summary>Files of this length get checks, 16 bytes a chunk: shorter ones are read again in no time.</summary>
    private const int LargeBytes = 1 << 20;

    private readonly Chunker chunker = context.Vault.Chunker;
    private readonly ChunkIdentity identity = context.Vault.DataIdentity;
    private readonly ChunkChecker checker = context.Vault.NewChecker();
    private readonly NativeBytes window = new(WindowBytes);

    // The window: named and stored up to here, cut up to there, read up to end.
    private int stored;
    private int cut;
    private int end;

    // The chunks that are cut and not yet stored, and the items that wait for their ids.
    private readonly int[] lengths = new int[MaxChunks];
    private readonly int[] places = new int[MaxChunks];
    private readonly ChunkId[] ids = new ChunkId[MaxChunks];
    private int chunks;

    private readonly List<ContentItem> items = [];
    private readonly List<ContentItem> merged = [];
    private readonly List<(TreeEntry Entry, int First, int End)> finished = [];
    private int first;
    private bool isChecked;
    private ExpectedContent? expected;

    private CancellationToken Cancellation => context.Caller.Cancellation;

    /// <summary>Bytes of the content at hand, so far.</summary>
    public long Length { get; private set; }

    /// <summary>Bytes of it that were read: all but holes.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Begins with the content of another file, also where the one before could not be read to its end.</summary>
    /// <param name="size">About how long it is: chunks of large files get a check.</param>
    /// <param name="known">Its content in the base, if any.</param>
    public async ValueTask BeginAsync(long size, Content? known)
    {
        first = items.Count;
        Length = 0;
        BytesRead = 0;
        isChecked = size >= LargeBytes && ChunkChecker.IsFast;
        if (!isChecked || known is null) return;
        // What waits of smaller files goes first: from here on the window holds nothing but this one.
        await StoreAsync().ConfigureAwait(false);
        expected = new ExpectedContent(context.BaseTrees, known, Cancellation);
        // Written without checks, it tells nothing.
        if (await expected.PeekAsync().ConfigureAwait(false) is null) await EndAsync().ConfigureAwait(false);
    }

    /// <summary>Adds a hole.</summary>
    public void AddHole(long length)
    {
        items.Add(ContentItem.Hole(length));
        Length += length;
    }

    /// <summary>Reads a range, cuts it into chunks and adds them; returns how much there was.</summary>
    public async ValueTask<long> AddAsync(ContentSource source, long offset, long length)
    {
        long total = 0;
        bool atEnd = false;
        while (true)
        {
            if (!atEnd && end - cut < Chunker.MaxBytes)
            {
                if (WindowBytes - end < Math.Min(length, Chunker.MaxBytes)) await MakeRoomAsync().ConfigureAwait(false);
                int wanted = (int)Math.Min(WindowBytes - end, length);
                int read = wanted == 0 ? 0 : await source.ReadAsync(offset, window.Memory.Slice(end, wanted)).ConfigureAwait(false);
                Cancellation.ThrowIfCancellationRequested();
                context.AddRead(read);
                context.Progress.AddDone(0, read);
                offset += read;
                total += read;
                length -= read;
                end += read;
                BytesRead += read;
                atEnd = read < wanted || length == 0;
            }

            if (cut == end) break;
            if (expected is { IsOver: true }) await EndAsync().ConfigureAwait(false);
            if (expected is not null)
            {
                if (!await TryTakeExpectedAsync(expected).ConfigureAwait(false)) await CutAndMeetAsync(expected, atEnd).ConfigureAwait(false);
                continue;
            }

            if (chunks == MaxChunks) await StoreAsync().ConfigureAwait(false);
            Cut(atEnd, MaxChunks);
        }

        Length += total;
        return total;
    }

    /// <summary>The content at hand is complete: the entry gets it when it is stored.</summary>
    public void Finish(TreeEntry entry) => finished.Add((entry, first, items.Count));

    /// <summary>Ends with the content at hand, complete or not.</summary>
    public async ValueTask EndAsync()
    {
        if (expected is null) return;
        await expected.DisposeAsync().ConfigureAwait(false);
        expected = null;
    }

    /// <summary>Names and stores what was cut, and gives finished entries their content.</summary>
    public async ValueTask FlushAsync()
    {
        await StoreAsync().ConfigureAwait(false);
        foreach ((TreeEntry entry, int from, int to) in finished)
        {
            Merge(from, to);
            entry.Content = await contents.WriteAsync(merged, Cancellation).ConfigureAwait(false);
        }

        finished.Clear();
        items.Clear();
        first = 0;
    }

    public void Dispose()
    {
        window.Dispose();
        checker.Dispose();
    }

    private void Cut(bool atEnd, int mostChunks)
    {
        int count = chunker.Cut(window.GetSpan()[cut..end], atEnd, lengths.AsSpan(chunks, Math.Min(mostChunks, MaxChunks - chunks)));
        for (int i = chunks; i < chunks + count; i++)
        {
            places[i] = items.Count;
            ContentItem item = ContentItem.Chunk(default, lengths[i]);
            if (isChecked) item = item with { Check = checker.Of(window.GetSpan().Slice(cut, lengths[i])) };
            items.Add(item);
            cut += lengths[i];
        }

        chunks += count;
    }

    /// <summary>Takes over the chunk that is expected next, if it is what lies in the window, and the vault has it.</summary>
    private async ValueTask<bool> TryTakeExpectedAsync(ExpectedContent chunksOfBase)
    {
        if (await chunksOfBase.PeekAsync().ConfigureAwait(false) is not { } next || next.Length > end - cut) return false;
        int length = (int)next.Length;
        if (checker.Of(window.GetSpan().Slice(cut, length)) != next.Check) return false;
        if (!await session.TryReferenceAsync(next.Id, ObjectKind.DataPack, Cancellation).ConfigureAwait(false)) return false;
        items.Add(next with { Kind = ContentItemKind.Chunk, Repeats = 1 });
        cut += length;
        stored = cut;
        chunksOfBase.Take();
        return true;
    }

    /// <summary>Cuts and names a few chunks, to see where what is expected goes on.</summary>
    private async ValueTask CutAndMeetAsync(ExpectedContent chunksOfBase, bool atEnd)
    {
        const int fewChunks = 4;
        Cut(atEnd, fewChunks);
        int met = chunks;
        await StoreAsync().ConfigureAwait(false);
        for (int i = 0; i < met; i++) await chunksOfBase.MeetAsync(ids[i]).ConfigureAwait(false);
    }

    private async ValueTask StoreAsync()
    {
        identity.OfEach(window.GetSpan()[stored..cut], lengths.AsSpan(0, chunks), ids);
        for (int i = 0; i < chunks; i++)
        {
            await data.AddAsync(ids[i], window.Memory.Slice(stored, lengths[i]), Cancellation).ConfigureAwait(false);
            items[places[i]] = items[places[i]] with { Id = ids[i] };
            stored += lengths[i];
        }

        chunks = 0;
    }

    /// <summary>Stores what was cut, and moves what was not to the front of the window.</summary>
    private async ValueTask MakeRoomAsync()
    {
        await StoreAsync().ConfigureAwait(false);
        window.GetSpan()[cut..end].CopyTo(window.GetSpan());
        end -= cut;
        stored = cut = 0;
    }

    /// <summary>Makes a run of equal neighbours, such as blocks of zeros.</summary>
    private void Merge(int from, int to)
    {
        merged.Clear();
        foreach (ContentItem item in CollectionsMarshal.AsSpan(items)[from..to])
        {
            if (merged.Count > 0 && item.Kind != ContentItemKind.Hole && merged[^1] is { Kind: not ContentItemKind.Hole } last
                && last.Id == item.Id && last.Length == item.Length)
            {
                merged[^1] = last with { Kind = ContentItemKind.Run, Repeats = last.Repeats + 1 };
                continue;
            }

            merged.Add(item);
        }
    }
}
