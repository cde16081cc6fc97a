using Holdfast.Vault.Backup;

namespace Holdfast.Vault.Exporting;

/// <summary>Content between two holes of a file of an export, as the records give it. For one file, and one thread at a time.</summary>
/// <param name="records">Stands at a record of content; behind the extent when it was read to its end.</param>
/// <param name="before">What the file had before; null for nothing.</param>
/// <param name="digest">Learns all of it.</param>
/// <param name="survey">Names what is wrong.</param>
/// <param name="maxBytes">The file has no more: what claims more is no content of it.</param>
/// <param name="cancellationToken">Stops waits.</param>
internal sealed class ImportedExtent(
    RecordCursor records, KnownBytes? before, ContentDigest digest, ExportSurvey survey, long maxBytes, CancellationToken cancellationToken) : ContentSource
{
    // Of the record at hand: bytes that were given out.
    private long taken;
    private long left = maxBytes;

    /// <summary>Gives out what comes next; offsets are not heeded.</summary>
    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> target)
    {
        int filled = 0;
        while (filled < target.Length && records.Current is DataRecord or CopyRecord)
        {
            ExportRecord record = records.Current;
            long total = record is DataRecord data ? data.Data.Length * data.Repeats : ((CopyRecord)record).Length * ((CopyRecord)record).Repeats;
            if (taken == total)
            {
                taken = 0;
                await records.MoveNextAsync().ConfigureAwait(false);
                continue;
            }

            int read = await ReadAsync(record, target[filled..]).ConfigureAwait(false);
            digest.Append(target.Span.Slice(filled, read));
            filled += read;
            taken += read;
            left -= read;
            if (left < 0) throw survey.Malformed("a file with more content than it has bytes");
        }

        return filled;
    }

    private async ValueTask<int> ReadAsync(ExportRecord record, Memory<byte> target)
    {
        if (record is DataRecord data)
        {
            ReadOnlyMemory<byte> rest = data.Data[(int)(taken % data.Data.Length)..];
            int copied = Math.Min(rest.Length, target.Length);
            rest[..copied].CopyTo(target);
            return copied;
        }

        var copy = (CopyRecord)record;
        long within = taken % copy.Length;
        int wanted = (int)Math.Min(target.Length, copy.Length - within);
        int read = before is null ? 0 : await before.ReadAsync(copy.Offset + within, target[..wanted], cancellationToken).ConfigureAwait(false);
        return read > 0 ? read : throw survey.Malformed($"copies byte {copy.Offset + within} of a file that ends before it");
    }
}
