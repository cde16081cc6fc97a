using System.Buffers.Binary;
using Holdfast.Bitcask;

namespace Holdfast.Databases.Tests.Bitcask;

/// Writes to a store at full speed, on a thread of its own: change n sets key n % Keys to n, and counts.
internal sealed class StoreWriter : IDisposable
{
    public const int Keys = 500;

    private readonly BitcaskStore store;
    private readonly Thread thread;
    private volatile bool isStopping;
    private long written;

    public StoreWriter(BitcaskStore store)
    {
        this.store = store;
        thread = new Thread(Run);
        thread.Start();
    }

    /// How many changes were acknowledged.
    public long Written => Volatile.Read(ref written);

    /// The number of changes that a copy holds; fails unless it holds the first n of them, all and in order.
    public static long CountIn(string directory)
    {
        using BitcaskStore copy = BitcaskStore.Open(directory, new BitcaskOptions { ReadOnly = true, Create = false });
        Assert.Empty(copy.Damages);
        long newest = -1;
        var found = new long[Keys];
        for (int key = 0; key < Keys; key++)
        {
            byte[]? value = copy.Get(Key(key));
            found[key] = value is null ? -1 : BinaryPrimitives.ReadInt64LittleEndian(value);
            newest = Math.Max(newest, found[key]);
        }

        for (int key = 0; key < Keys; key++)
        {
            long expected = newest - ((newest - key) % Keys + Keys) % Keys;
            Assert.Equal(expected < 0 ? -1 : expected, found[key]);
        }

        return newest + 1;
    }

    public void Dispose()
    {
        isStopping = true;
        thread.Join();
    }

    private static byte[] Key(int number)
    {
        byte[] key = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(key, number);
        return key;
    }

    private void Run()
    {
        byte[] value = new byte[200];
        for (long n = 0; !isStopping; n++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(value, n);
            store.Put(Key((int)(n % Keys)), value);
            Volatile.Write(ref written, n + 1);
        }
    }
}
