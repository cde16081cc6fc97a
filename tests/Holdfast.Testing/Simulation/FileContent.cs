using System.Text;

namespace Holdfast.Testing.Simulation;

/// <summary>
/// The bytes of a simulated file: as programs see them, as the medium surely holds them, and what is between.
/// </summary>
/// <remarks>
/// After a crash the length is the durable one or that after any operation since. Each 512-byte sector holds its
/// durable content or that after any of the operations since that touched it, independently of the other sectors; a
/// sector is written whole or not at all. Where the length grew and the data did not arrive there are zeros.
/// </remarks>
internal sealed class FileContent
{
    private const int SectorBytes = 512;

    private List<Change> pending = [];
    private ByteImage current = new();
    private ByteImage durable = new();

    public long Length => current.Length;

    public bool IsDurable => pending.Count == 0;

    public byte[] Read(long offset, int count) => current.Read(offset, count);

    public void Write(long offset, byte[] data)
    {
        if (data.Length == 0) return;
        pending.Add(new Change(offset, data));
        current.Write(offset, data);
    }

    public void SetLength(long length)
    {
        pending.Add(new Change(length, null));
        current.SetLength(length);
    }

    public void Sync()
    {
        foreach (Change change in pending)
        {
            if (change.Data is null) durable.SetLength(change.Offset);
            else durable.Write(change.Offset, change.Data);
        }

        pending.Clear();
    }

    /// <summary>Makes the sectors that some bytes lie in durable as they are now.</summary>
    /// <remarks>
    /// The length is left to chance as before, where all the lengths that the file may have reach beyond these sectors;
    /// else it becomes durable too. Metadata being written in order, so do all the changes of it before.
    /// </remarks>
    public void Settle(long offset, int count)
    {
        if (count == 0) return;
        long start = offset / SectorBytes * SectorBytes;
        long end = (offset + count + SectorBytes - 1) / SectorBytes * SectorBytes;
        if (end > LeastLength()) SettleLength();
        var kept = new List<Change>();
        foreach (Change change in pending)
        {
            if (change.Data is null) kept.Add(change);
            else kept.AddRange(((Change?[])[change.Before(start), change.From(end)]).OfType<Change>());
        }

        pending = kept;
        durable.Write(start, current.Read(start, (int)(end - start)));
    }

    /// <summary>Makes the file a text, durable at once: a lock's, which only those read who find it held.</summary>
    public void SetText(string text)
    {
        SetLength(0);
        Write(0, Encoding.UTF8.GetBytes(text));
        Sync();
    }

    /// <summary>The beginning of the file as text.</summary>
    public string Text(int maxBytes) => Encoding.UTF8.GetString(current.Read(0, maxBytes));

    /// <summary>
    /// What fsync leaves that failed: some of the data is on the medium, the rest is nowhere, and all is "clean".
    /// </summary>
    public void LoseUnsynced(Random random)
    {
        durable = Survive(new RandomChoices(random));
        current = durable.Copy();
        pending.Clear();
    }

    /// <summary>The file as a crash may leave it: all of it durable.</summary>
    public FileContent AfterCrash(CrashChoices choices)
    {
        ByteImage survived = Survive(choices);
        return new FileContent { durable = survived, current = survived.Copy() };
    }

    /// <summary>The file without what was not synced.</summary>
    public FileContent Synced() => new() { durable = durable.Copy(), current = durable.Copy() };

    /// <summary>Equal for equal content.</summary>
    public string Fingerprint() => current.Fingerprint();

    /// <summary>The shortest that a crash may leave.</summary>
    private long LeastLength()
    {
        long least = durable.Length;
        long lengthNow = durable.Length;
        foreach (Change change in pending)
        {
            lengthNow = change.LengthAfter(lengthNow);
            least = Math.Min(least, lengthNow);
        }

        return least;
    }

    /// <summary>Makes all changes of the length durable; the data that was written stays pending.</summary>
    private void SettleLength()
    {
        var kept = new List<Change>();
        foreach (Change change in pending)
        {
            if (change.Data is not null)
            {
                kept.Add(change);
                continue;
            }

            durable.SetLength(Math.Min(durable.Length, change.Offset));
            // What is cut off is nowhere any more.
            kept = [.. kept.Select(write => write.Before(change.Offset)).OfType<Change>()];
        }

        durable.SetLength(current.Length);
        pending = kept;
    }

    private ByteImage Survive(CrashChoices choices)
    {
        ByteImage image = durable.Copy();
        if (pending.Count == 0) return image;
        choices.BeginGroup();
        // Metadata is written in order, so truncations survive up to some moment; data is not bound to it.
        int lengthAsAfter = choices.LengthAfter(pending.Count);
        long length = durable.Length;
        long lengthNow = durable.Length;
        var lost = new HashSet<long>();
        for (int i = 0; i < pending.Count; i++)
        {
            (long offset, byte[]? data) = pending[i];
            bool metadataSurvived = i < lengthAsAfter;
            lengthNow = pending[i].LengthAfter(lengthNow);
            if (metadataSurvived) length = lengthNow;
            if (data is not null) WriteSectors(image, offset, data, lost, choices);
            else if (metadataSurvived)
            {
                image.SetLength(Math.Min(image.Length, offset));
                lost.RemoveWhere(sector => sector * SectorBytes >= offset);
            }
        }

        image.SetLength(length);
        return image;
    }

    private static void WriteSectors(
        ByteImage image, long offset, byte[] data, HashSet<long> lost, CrashChoices choices)
    {
        int done = 0;
        while (done < data.Length)
        {
            long sector = (offset + done) / SectorBytes;
            int count = (int)Math.Min(((sector + 1) * SectorBytes) - (offset + done), data.Length - done);
            // Once a sector has missed a write it misses the later ones too: what the medium got of it is a state
            // that it had in memory.
            if (!lost.Contains(sector))
            {
                if (choices.Survives()) image.Write(offset + done, data.AsSpan(done, count));
                else lost.Add(sector);
            }

            done += count;
        }
    }

    /// <summary>A write of data at an offset; without data, a SetLength to the offset.</summary>
    private readonly record struct Change(long Offset, byte[]? Data)
    {
        public long LengthAfter(long before) => Data is null ? Offset : Math.Max(before, Offset + Data.Length);

        /// <summary>The part of a write that lies before an offset; null when none does.</summary>
        public Change? Before(long end) =>
            Offset >= end ? null : this with { Data = Data![..(int)Math.Min(Data.Length, end - Offset)] };

        /// <summary>The part of a write that lies at an offset and behind; null when none does.</summary>
        public Change? From(long start) =>
            Offset + Data!.Length <= start ? null
            : Offset >= start ? this
            : new Change(start, Data[(int)(start - Offset)..]);
    }
}
