namespace Holdfast.Vault.Exporting;

/// <summary>Goes through the records of an export, one after the other. For one thread at a time.</summary>
internal sealed class RecordCursor : IAsyncDisposable
{
    private readonly IAsyncEnumerator<byte[]> frames;
    private readonly string name;
    private List<ExportRecord> records = [];
    private int next;

    public RecordCursor(FrameReader reader, string name, CancellationToken cancellationToken)
    {
        this.name = name;
        frames = reader.ReadAllAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
    }

    /// <summary>The record at hand; null before the first and behind the last.</summary>
    public ExportRecord? Current { get; private set; }

    /// <summary>Goes to the next record; false behind the last.</summary>
    public async ValueTask<bool> MoveNextAsync()
    {
        while (next == records.Count)
        {
            Current = null;
            if (!await frames.MoveNextAsync().ConfigureAwait(false)) return false;
            records = ExportCodec.Decode(frames.Current, name);
            next = 0;
        }

        Current = records[next++];
        return true;
    }

    public ValueTask DisposeAsync() => frames.DisposeAsync();
}
