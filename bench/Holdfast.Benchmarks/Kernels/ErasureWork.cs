using System.Runtime.InteropServices;
using Holdfast.Erasure;
using Holdfast.Erasure.Tests;

namespace Holdfast.Benchmarks.Kernels;

/// <summary>Shards in memory, each on pages of its own, and what can be done with them.</summary>
internal sealed unsafe class ErasureWork : IDisposable
{
    // Units that lie a power of two apart would all use the same sets of the caches, which the
    // buffers of a program seldom do.
    private const int ApartBytes = 4096 + 192;

    private readonly byte* memory;
    private readonly byte* encodeTables;
    private readonly byte* recoverTables;
    private readonly nint[] shards;
    private readonly nint[] copies;
    private readonly nint[] survivors;

    public ErasureWork(int dataShards, int parityShards, int unitBytes, int seed)
    {
        DataShards = dataShards;
        ParityShards = parityShards;
        UnitBytes = unitBytes;
        int total = dataShards + parityShards;
        nuint stride = (nuint)unitBytes + ApartBytes;
        memory = (byte*)NativeMemory.AlignedAlloc(stride * (nuint)(total + dataShards), 4096);
        shards = [.. Enumerable.Range(0, total).Select(i => (nint)memory + (i * (nint)stride))];
        copies = [.. Enumerable.Range(total, dataShards).Select(i => (nint)memory + (i * (nint)stride))];
        survivors = shards[parityShards..];
        var random = new Random(seed);
        foreach (nint unit in (nint[])[.. shards, .. copies]) random.NextBytes(new Span<byte>((byte*)unit, unitBytes));

        encodeTables = (byte*)NativeMemory.AlignedAlloc((nuint)(IsaL.TableBytes * dataShards * parityShards), 64);
        recoverTables = (byte*)NativeMemory.AlignedAlloc((nuint)(IsaL.TableBytes * dataShards * parityShards), 64);
        PrepareIsaL();
        EncodeByIsaL();
    }

    public int DataShards { get; }

    public int ParityShards { get; }

    public int UnitBytes { get; }

    public long DataBytes => (long)DataShards * UnitBytes;

    private ReadOnlySpan<nint> Data => shards.AsSpan(0, DataShards);

    private ReadOnlySpan<nint> Parity => shards.AsSpan(DataShards);

    public void Encode(ReedSolomon code) => code.Encode(Data, Parity, UnitBytes);

    public void Verify(ReedSolomon code)
    {
        if (!code.IsConsistent(Data, Parity, UnitBytes)) throw new InvalidOperationException("parity is wrong");
    }

    /// <summary>Makes the first m data shards out of all others, beside themselves.</summary>
    public void Recover(ReedSolomon code)
    {
        Span<int> present = stackalloc int[DataShards], lost = stackalloc int[ParityShards];
        for (int i = 0; i < present.Length; i++) present[i] = ParityShards + i;
        for (int i = 0; i < lost.Length; i++) lost[i] = i;
        code.PlanRecovery(present, lost).Recover(survivors, copies.AsSpan(0, ParityShards), UnitBytes);
    }

    /// <summary>Changes the parity as if the first data shard became the first copy, which it does not.</summary>
    public void Update(ReedSolomon code) => code.UpdateParity(0, shards[0], copies[0], Parity, UnitBytes);

    public void EncodeByIsaL()
    {
        fixed (nint* all = shards)
        {
            byte** data = (byte**)all;
            IsaL.Encode(UnitBytes, DataShards, ParityShards, encodeTables, data, data + DataShards);
        }
    }

    public void RecoverByIsaL()
    {
        fixed (nint* from = survivors, to = copies)
        {
            IsaL.Encode(UnitBytes, DataShards, ParityShards, recoverTables, (byte**)from, (byte**)to);
        }
    }

    public void CopyData()
    {
        for (int i = 0; i < DataShards; i++)
        {
            Buffer.MemoryCopy((byte*)shards[i], (byte*)copies[i], UnitBytes, UnitBytes);
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        NativeMemory.AlignedFree(encodeTables);
        NativeMemory.AlignedFree(recoverTables);
    }

    private void PrepareIsaL()
    {
        int k = DataShards, m = ParityShards;
        byte[] matrix = new byte[(k + m) * k], inverse = new byte[k * k];
        fixed (byte* all = matrix, inverted = inverse)
        {
            IsaL.WriteCauchyMatrix(all, k + m, k);
            IsaL.WriteTables(k, m, all + (k * k), encodeTables);

            // The rows of the survivors, inverted: its first m rows make the lost shards.
            if (IsaL.InvertMatrix(all + (m * k), inverted, k) != 0) throw new InvalidOperationException("singular");
            IsaL.WriteTables(k, m, inverted, recoverTables);
        }
    }
}
