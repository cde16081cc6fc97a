using System.Runtime.InteropServices;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.KeyValue;

/// LMDB through its C library.
internal sealed unsafe class LmdbEngine : IKeyValueEngine
{
    public const string EngineName = "lmdb";

    public const string Settings =
        "map of 64 GiB; unsynced: MDB_NOSYNC, MDB_WRITEMAP and 1,000 puts a transaction (one where each is timed); " +
        "synced: no flags, a transaction for each batch; gets renew their read transaction";

    private static readonly ulong MapBytes = 64UL << 30;
    private const int PutsPerTransaction = 1000;

    private readonly nint environment;
    private readonly uint table;
    private readonly int putsPerTransaction;
    private readonly nint reader;
    private nint writer;
    private bool syncsCommits;
    private int puts;

    public LmdbEngine(string directory, Durability durability)
    {
        syncsCommits = durability == Durability.Synced;
        putsPerTransaction = durability == Durability.None ? PutsPerTransaction : 1;
        Require(Lmdb.CreateEnvironment(out environment));
        Require(Lmdb.SetMapBytes(environment, checked((nuint)MapBytes)));
        uint flags = Lmdb.NoThreadLocalReaders | (syncsCommits ? 0 : Lmdb.NoSync | Lmdb.WriteMap);
        Require(Lmdb.Open(environment, directory, flags, 0x1A4));
        Require(Lmdb.Begin(environment, 0, 0, out nint transaction));
        Require(Lmdb.OpenTable(transaction, 0, 0, out table));
        Require(Lmdb.Commit(transaction));
        Require(Lmdb.Begin(environment, 0, Lmdb.ReadOnly, out reader));
        Lmdb.Reset(reader);
    }

    public long? IndexBytes => null;

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Add(key, value);
        if (++puts == putsPerTransaction) Commit(isSynced: false);
    }

    public void PutSynced(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Add(key, value);
        Commit(isSynced: true);
    }

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (writer == 0) Require(Lmdb.Begin(environment, 0, 0, out writer));
        fixed (byte* keyStart = key, valueStart = value)
        {
            var wanted = new Lmdb.Value { Bytes = (nuint)key.Length, Start = keyStart };
            var stored = new Lmdb.Value { Bytes = (nuint)value.Length, Start = valueStart };
            Require(Lmdb.Put(writer, table, &wanted, &stored, 0));
        }
    }

    public void Commit(bool isSynced)
    {
        if (writer == 0) return;
        if (isSynced != syncsCommits)
        {
            // What was not synced before is, with the next commit that is: it syncs the whole file.
            Require(Lmdb.SetFlags(environment, Lmdb.NoSync, isSynced ? 0 : 1));
            syncsCommits = isSynced;
        }

        Require(Lmdb.Commit(writer));
        writer = 0;
        puts = 0;
    }

    public int Get(ReadOnlySpan<byte> key, Span<byte> target)
    {
        Require(Lmdb.Renew(reader));
        int length = -1;
        if (TryFind(key, out Lmdb.Value value))
        {
            length = (int)value.Bytes;
            new ReadOnlySpan<byte>(value.Start, length).CopyTo(target);
        }

        Lmdb.Reset(reader);
        return length;
    }

    public int Touch(ReadOnlySpan<byte> key, out int sumOfBytes)
    {
        Require(Lmdb.Renew(reader));
        int length = -1;
        sumOfBytes = 0;
        if (TryFind(key, out Lmdb.Value value))
        {
            length = (int)value.Bytes;
            sumOfBytes = value.Start[0] + value.Start[length - 1];
        }

        Lmdb.Reset(reader);
        return length;
    }

    public void Settle() => Commit(syncsCommits);

    public void Compact()
    {
        // Free pages are used again in place.
    }

    public void Checkpoint(string directory)
    {
        Directory.CreateDirectory(directory);
        Require(Lmdb.Copy(environment, directory, 0));
    }

    public void Dispose()
    {
        if (writer != 0) Lmdb.Abort(writer);
        Lmdb.Abort(reader);
        Lmdb.Close(environment);
    }

    private bool TryFind(ReadOnlySpan<byte> key, out Lmdb.Value value)
    {
        Lmdb.Value found = default;
        int error;
        fixed (byte* keyStart = key)
        {
            var wanted = new Lmdb.Value { Bytes = (nuint)key.Length, Start = keyStart };
            error = Lmdb.Get(reader, table, &wanted, &found);
        }

        value = found;
        if (error == Lmdb.NotFound) return false;
        Require(error);
        return true;
    }

    private static void Require(int error)
    {
        if (error != 0) Throw(error);
    }

    private static void Throw(int error) =>
        throw new BenchmarkException($"LMDB: {Marshal.PtrToStringUTF8((nint)Lmdb.Describe(error))}");
}
