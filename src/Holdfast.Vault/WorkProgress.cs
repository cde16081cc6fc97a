namespace Holdfast.Vault;

/// <summary>How far a long work has come: written by its workers, read by who shows it. Any thread, any time.</summary>
public sealed class WorkProgress
{
    private long itemsDone;
    private long bytesDone;
    private long itemsExpected;
    private long bytesExpected;
    private long errors;
    private byte[] current = [];

    /// <summary>Items finished.</summary>
    public long ItemsDone => Interlocked.Read(ref itemsDone);

    /// <summary>Bytes finished.</summary>
    public long BytesDone => Interlocked.Read(ref bytesDone);

    /// <summary>How many items are expected in all, as far as is known; 0 when nothing is.</summary>
    public long ItemsExpected => Interlocked.Read(ref itemsExpected);

    /// <summary>How many bytes are expected in all, as far as is known; 0 when nothing is.</summary>
    public long BytesExpected => Interlocked.Read(ref bytesExpected);

    /// <summary>Items that failed.</summary>
    public long Errors => Interlocked.Read(ref errors);

    /// <summary>What is being worked on; empty when nothing is.</summary>
    public ReadOnlyMemory<byte> Current => Volatile.Read(ref current);

    /// <summary>Says how much there is in all, as far as is known.</summary>
    public void Expect(long items, long bytes)
    {
        Interlocked.Exchange(ref itemsExpected, items);
        Interlocked.Exchange(ref bytesExpected, bytes);
    }

    /// <summary>Counts what is finished.</summary>
    public void AddDone(long items, long bytes)
    {
        Interlocked.Add(ref itemsDone, items);
        Interlocked.Add(ref bytesDone, bytes);
    }

    /// <summary>Counts an item that failed.</summary>
    public void AddError() => Interlocked.Increment(ref errors);

    /// <summary>Says what is being worked on.</summary>
    public void Show(byte[] path) => Volatile.Write(ref current, path);
}
