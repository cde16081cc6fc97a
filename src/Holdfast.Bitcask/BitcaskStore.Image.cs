using Holdfast.Bitcask.Hints;
using Holdfast.Bitcask.Images;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>The image of the keydir: written when the store is closed, read when it is opened.</summary>
public sealed partial class BitcaskStore
{
    // Writing an image takes about as long as it saves: not before so large a share of the records is missing in it.
    private const int MissingShare = 8;

    // Each key that came later is compared with the record that the image has for it, which is read at random for that:
    // for more keys than this the hints are read faster, at least from a disk.
    private const int ReplayedShare = 1024;
    private const int MinReplayed = 1024;

    // What the image there is names; nothing when there is none.
    private IReadOnlyList<ImageSegment> imaged = [];

    /// <summary>Whether the keydir was read from an image.</summary>
    internal bool IsFromImage { get; private set; }

    // Null when the keydir has to be made from hints.
    private CompactKeydir? TryLoadImage(IReadOnlyList<LogSegment> segments, IHintSource?[] sources, int degree)
    {
        if (options.Keydir != KeydirKind.Compact) return null;
        CompactKeydir? loaded = null;
        bool isThere = false;
        long replayed = 0;
        try
        {
            using KeydirImage? image = KeydirImage.TryOpen(host.Disk, Directory, Id, out isThere);
            if (image is not null && IsImageOf(image.Header.Segments, segments))
            {
                imaged = image.Header.Segments;
                for (int i = imaged.Count; i < sources.Length; i++) replayed += sources[i]!.Entries;
                // It may do again when it is closed.
                if (replayed > Math.Max(MinReplayed, image.Header.Keys / ReplayedShare)) return null;
                loaded = Load(image, degree);
            }
        }
        catch (DiskException)
        {
            // The hints say the same.
        }

        if (loaded is not null)
        {
            foreach (ImageSegment named in imaged)
            {
                SegmentTally.Of(log.Find(named.Number)!).Set(named.LiveBytes, named.LiveRecords, named.TombstoneBytes);
            }

            if (replayed > 0) Replay(loaded, sources[imaged.Count..]!);
            IsFromImage = true;
            return loaded;
        }

        imaged = [];
        if (isThere && !options.ReadOnly) KeydirImage.Delete(host.Disk, Directory);
        return null;
    }

    private CompactKeydir? Load(KeydirImage image, int degree)
    {
        var loading = new CompactKeydir(epochs);
        bool isLoaded = false;
        try
        {
            isLoaded = image.TryLoad(loading, degree);
            return isLoaded ? loading : null;
        }
        finally
        {
            if (!isLoaded)
            {
                loading.Dispose();
                epochs.Drain();
            }
        }
    }

    // Whether the segments that are named are the first there are, sealed, each with its hint.
    private static bool IsImageOf(IReadOnlyList<ImageSegment> named, IReadOnlyList<LogSegment> segments)
    {
        if (named.Count > segments.Count) return false;
        for (int i = 0; i < named.Count; i++)
        {
            if (!IsSame(named[i], segments[i])) return false;
        }

        return true;
    }

    private static bool IsSame(ImageSegment named, LogSegment segment) =>
        named.Number == segment.Number && named.Incarnation == segment.Incarnation && segment.IsSealed
        && named.Bytes == segment.Length && segment.Tag is SegmentTally { HasHint: true, IsDamaged: false, IsReplaced: false }
        && segment.FileHash is { } hash && named.Hash.Span.SequenceEqual(hash);

    // Enters the records of later segments into a keydir that was loaded.
    private void Replay(CompactKeydir loaded, IHintSource[] later)
    {
        using var merge = new HintMerge(later);
        var sink = new ReplaySink(this, loaded);
        for (int stripe = 0; stripe < HintStripe.Count; stripe++)
        {
            _ = merge.Read(stripe);
            merge.WriteTo(ref sink);
        }

        foreach (SegmentUsage usage in merge.Usage)
        {
            SegmentTally.Of(log.Find(usage.Segment)!).Set(usage.LiveBytes, usage.LiveRecords, usage.TombstoneBytes);
        }
    }

    private void RemoveReplaced(Location replaced)
    {
        if (log.Find(replaced.Segment) is { } segment) SegmentTally.Of(segment).RemoveLive(replaced.Length);
    }

    // Whether an image should be written, of all that the store has. Nothing changes any more.
    private bool IsImageDue()
    {
        if (options.Keydir != KeydirKind.Compact || !BitConverter.IsLittleEndian) return false;
        if (keydir.Count < options.MinImageKeys || failure is not null) return false;
        if (log.Damages.Count > 0 || hints.Damages.Count > 0) return false;
        long missing = 0;
        int next = 0;
        foreach (LogSegment segment in log.Segments)
        {
            if (segment.Tag is not SegmentTally tally) continue;
            while (next < imaged.Count && imaged[next].Number < segment.Number) next++;
            if (next == imaged.Count || !IsSame(imaged[next], segment)) missing += tally.LiveRecords;
        }

        return imaged.Count == 0 || missing >= keydir.Count / MissingShare;
    }

    // All is sealed. Without an image, or with one of a part of the segments, the next open takes the hints.
    private void WriteImage()
    {
        var named = new List<ImageSegment>();
        foreach (LogSegment segment in log.Segments)
        {
            if (!segment.IsSealed && segment.End == segment.FirstOffset) continue;
            if (segment.Tag is not SegmentTally { HasHint: true, IsReplaced: false } tally || !segment.IsSealed) return;
            if (segment.FileHash is not { } hash) return;
            named.Add(new ImageSegment(
                segment.Number, segment.Incarnation, segment.Length, hash, tally.LiveBytes, tally.LiveRecords, tally.TombstoneBytes));
        }

        if (KeydirImage.TryWrite(host.Disk, Directory, Id, (CompactKeydir)keydir, named)) imaged = named;
    }

    /// <summary>Enters what later segments say into a keydir, and takes from the tallies what they replace.</summary>
    private readonly struct ReplaySink(BitcaskStore store, CompactKeydir loaded) : IHintSink
    {
        /// <inheritdoc/>
        public void Add(ulong hash, HintEntry entry, uint segment)
        {
            if (loaded.Set(hash, entry.Key, entry.LocationIn(segment), store.match, out Location replaced)) store.RemoveReplaced(replaced);
        }

        /// <inheritdoc/>
        public void AddTombstone(ulong hash, HintEntry entry)
        {
            if (loaded.Remove(hash, entry.Key, store.match, out Location removed)) store.RemoveReplaced(removed);
        }
    }
}
