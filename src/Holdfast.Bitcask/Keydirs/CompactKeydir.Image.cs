namespace Holdfast.Bitcask.Keydirs;

/// <content>What an image of the keydir is written from and read into.</content>
internal sealed unsafe partial class CompactKeydir
{
    /// <summary>The table of a partition. For one who knows that nothing is changed.</summary>
    public CompactTable TableOf(int partition) => Partition(partition)->Table;

    /// <summary>Prepares <see cref="CreateTable"/>. For one thread; <see cref="EndFill"/> ends it.</summary>
    /// <param name="slots">How many there will be in all tables.</param>
    public void BeginLoad(long slots)
    {
        long bytes = CompactTable.BytesToLoad(slots, PartitionCount);
        if (bytes >= TableArena.MinBytes) arena = TableArena.Create(bytes);
    }

    /// <summary>A table for the caller to write, and then to <see cref="Load"/> or to release. For any thread.</summary>
    public CompactTable CreateTable(uint homes, uint slots, uint keys) => CompactTable.CreateBlank(homes, slots, keys, arena);

    /// <summary>Puts a table into a partition that has no keys. By one thread a partition.</summary>
    /// <param name="partition">0 up to <see cref="PartitionCount"/>.</param>
    /// <param name="table">Owned from now on; its slots are written.</param>
    public void Load(int partition, CompactTable table)
    {
        totals.AddBytes(table.Bytes);
        totals.AddKeys(table.Count);
        CompactPartition* loaded = Partition(partition);
        loaded->Take();
        loaded->Publish(table);
        loaded->Release();
    }
}
