using Holdfast.Erasure.Coding;
using Holdfast.Erasure.Kernels;

namespace Holdfast.Erasure;

/// <summary>
/// The code of k data shards and m parity shards of which any k give back all others. Shards are numbered: 0 to k − 1
/// hold data, k to k + m − 1 parity.
/// </summary>
/// <remarks>
/// <para>
/// Immutable, for any number of threads. Nothing is allocated while coding, and nothing of the caller's is kept.
/// </para>
/// <para>
/// Each byte position is coded by itself: byte i of parity depends on bytes i of the data and on nothing else. So units
/// of any length, a piece of each unit, or many units behind each other are coded alike.
/// </para>
/// <para>
/// Each operation exists for shards that lie anywhere, given as pointers to native or pinned memory
/// (<see cref="PinnedShards"/> pins), and for shards that lie one behind the other. Only the second form is safe: a
/// pointer that is wrong is read and written through. What is written must overlap neither what is read nor itself.
/// There is no alignment and no least length; fastest are multiples of 128 bytes. All shards are read in step, so that
/// of units of any size only some hundred bytes each are in use at a time.
/// </para>
/// <para>
/// The code is that of ISA-L's Cauchy matrix over 0x11d; docs/formats/erasure.md says how to decode it without this
/// library.
/// </para>
/// </remarks>
public sealed unsafe partial class ReedSolomon
{
    /// <summary>The most shards of a code, data and parity together.</summary>
    public const int MaxShards = 255;

    /// <summary>The most parity shards of a code.</summary>
    public const int MaxParityShards = 6;

    private readonly PreparedMatrix parityMatrix;
    private readonly RecoveryCache recoveries = new();

    private ReedSolomon(int dataShards, int parityShards, Kernel kernel)
    {
        DataShards = dataShards;
        ParityShards = parityShards;
        Kernel = kernel;
        parityMatrix = new PreparedMatrix(kernel, CauchyMatrix.Rows(dataShards, parityShards), parityShards);
    }

    /// <summary>k: shards of data, and how many of all give back the others.</summary>
    public int DataShards { get; }

    /// <summary>m: shards of parity, and how many of all may be lost.</summary>
    public int ParityShards { get; }

    /// <summary>k + m.</summary>
    public int TotalShards => DataShards + ParityShards;

    /// <summary>What it is computed with.</summary>
    internal Kernel Kernel { get; }

    /// <summary>
    /// The code of so many shards. Takes some microseconds, and up to 49 KiB for the largest: keep it.
    /// </summary>
    /// <param name="dataShards">k, at least 1.</param>
    /// <param name="parityShards">m, 1 to <see cref="MaxParityShards"/>; k + m is at most
    /// <see cref="MaxShards"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such code.</exception>
    public static ReedSolomon Create(int dataShards, int parityShards) => Create(dataShards, parityShards, Kernel.Best);

    /// <summary>The same by a kernel of one's choice.</summary>
    internal static ReedSolomon Create(int dataShards, int parityShards, Kernel kernel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dataShards, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(parityShards, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parityShards, MaxParityShards);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dataShards, MaxShards - parityShards);
        return new(dataShards, parityShards, kernel);
    }

    /// <summary>Computes all parity.</summary>
    /// <param name="data">k pointers to data shards, in their order.</param>
    /// <param name="parity">m pointers to where the parity goes, in its order.</param>
    /// <param name="length">Bytes of each shard, from 0.</param>
    /// <exception cref="ArgumentException">Not k and m pointers, a null pointer, or a negative length.</exception>
    public void Encode(ReadOnlySpan<nint> data, ReadOnlySpan<nint> parity, int length)
    {
        CheckShards(data, parity, length);
        fixed (nint* sources = data, targets = parity) parityMatrix.Multiply((byte**)sources, (byte**)targets, length);
    }

    /// <summary>Computes all parity of shards that lie one behind the other.</summary>
    /// <param name="data">k shards of the same length.</param>
    /// <param name="parity">m shards of that length.</param>
    /// <exception cref="ArgumentException">The lengths are not those of k and m equal shards.</exception>
    public void Encode(ReadOnlySpan<byte> data, Span<byte> parity)
    {
        int length = ShardBytes(data, parity);
        if (length == 0) return;
        Span<nint> sources = stackalloc nint[DataShards], targets = stackalloc nint[ParityShards];
        fixed (byte* first = data, firstParity = parity)
        {
            Encode(Place(sources, first, length), Place(targets, firstParity, length), length);
        }
    }

    /// <summary>Changes parity as one data shard changes, without the other data.</summary>
    /// <param name="dataShard">Which, 0 to k − 1.</param>
    /// <param name="before">What the parity was computed with: bytes of the shard, or of a piece of it.</param>
    /// <param name="after">What it holds now, at the same place.</param>
    /// <param name="parity">m pointers to that place of the parity shards, in their order; null for those that are
    /// lost.</param>
    /// <param name="length">Bytes that changed, from 0.</param>
    /// <exception cref="ArgumentException">No such shard, not m pointers, no data, or a negative length.</exception>
    /// <remarks>Not idempotent: a second call with the same bytes takes the change out again.</remarks>
    public void UpdateParity(int dataShard, nint before, nint after, ReadOnlySpan<nint> parity, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(dataShard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(dataShard, DataShards);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        CheckCount(parity, ParityShards, nameof(parity));
        ArgumentOutOfRangeException.ThrowIfZero(before);
        ArgumentOutOfRangeException.ThrowIfZero(after);

        // parity += c·after − c·before, and minus is plus in this field: two sources with the same coefficient.
        byte** sources = stackalloc byte*[2] { (byte*)before, (byte*)after }, targets = stackalloc byte*[MaxParityShards];
        Span<byte> coefficients = stackalloc byte[2 * MaxParityShards];
        int rows = 0;
        for (int row = 0; row < ParityShards; row++)
        {
            if (parity[row] == 0) continue;
            targets[rows] = (byte*)parity[row];
            byte coefficient = CauchyMatrix.Coefficient(DataShards, row, dataShard);
            coefficients[2 * rows] = coefficients[(2 * rows) + 1] = coefficient;
            rows++;
        }

        if (rows == 0) return;
        byte* tables = stackalloc byte[2 * MaxParityShards * Kernel.MaxTableBytes];
        PreparedMatrix.WriteTables(Kernel, coefficients[..(2 * rows)], rows, tables);
        PreparedMatrix.Multiply(Kernel, tables, sources, 2, targets, rows, length, isAdding: true);
    }

    /// <summary>Changes the parity of shards that lie one behind the other.</summary>
    /// <param name="dataShard">Which changed, 0 to k − 1.</param>
    /// <param name="before">The whole shard as the parity was computed with it.</param>
    /// <param name="after">The whole shard as it is now.</param>
    /// <param name="parity">m shards of that length.</param>
    /// <exception cref="ArgumentException">No such shard, or lengths that do not fit each other.</exception>
    public void UpdateParity(int dataShard, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, Span<byte> parity)
    {
        int length = before.Length;
        if (after.Length != length)
        {
            throw new ArgumentException($"{after.Length} bytes take the place of {length}", nameof(after));
        }

        CheckParityBytes(parity, length);
        if (length == 0) return;
        Span<nint> targets = stackalloc nint[ParityShards];
        fixed (byte* from = before, to = after, firstParity = parity)
        {
            UpdateParity(dataShard, (nint)from, (nint)to, Place(targets, firstParity, length), length);
        }
    }

    /// <summary>How shards that are lost are made of those that are there.</summary>
    /// <param name="present">Numbers of the shards that are there, ascending; at least k, of which the first k are
    /// read.</param>
    /// <param name="wanted">Numbers of the shards to make, data or parity, ascending; none of them present. 1 to
    /// m.</param>
    /// <returns>The same object for the same shards, as long as there are not too many different ones.</returns>
    /// <exception cref="ArgumentException">Too few are present, or the numbers are not as said.</exception>
    /// <remarks>
    /// Making a new one takes some microseconds, as long as recovering 4 KiB of each shard; up to 256 are remembered, and
    /// finding one again takes a tenth of a microsecond and allocates nothing.
    /// </remarks>
    public Recovery PlanRecovery(ReadOnlySpan<int> present, ReadOnlySpan<int> wanted)
    {
        var presentSet = ShardSet.Of(present, TotalShards, nameof(present));
        var wantedSet = ShardSet.Of(wanted, TotalShards, nameof(wanted));
        if (present.Length < DataShards)
        {
            throw new ArgumentException($"{present.Length} shards are there, {DataShards} are needed", nameof(present));
        }

        if (wanted.IsEmpty) throw new ArgumentException("no shard is wanted", nameof(wanted));
        if (presentSet.Overlaps(wantedSet)) throw new ArgumentException("what is present is wanted", nameof(wanted));
        ReadOnlySpan<int> sources = present[..DataShards];
        if (present.Length > DataShards) presentSet = ShardSet.Of(sources, TotalShards, nameof(present));
        return recoveries.Find(presentSet, wantedSet) ?? recoveries.Add(
            presentSet, wantedSet, new Recovery(DataShards, TotalShards, sources.ToArray(), wanted.ToArray(), Kernel));
    }

    /// <summary>Refuses what is no shard of the caller's.</summary>
    internal static void CheckPointers(ReadOnlySpan<nint> shards, int count, string name)
    {
        CheckCount(shards, count, name);
        int missing = shards.IndexOf(0);
        if (missing >= 0) throw new ArgumentException($"pointer {missing} is null", name);
    }

    /// <summary>Where shards lie that lie one behind the other.</summary>
    internal static Span<nint> Place(Span<nint> shards, byte* first, int length)
    {
        for (int i = 0; i < shards.Length; i++) shards[i] = (nint)(first + ((nint)i * length));
        return shards;
    }

    private static void CheckCount(ReadOnlySpan<nint> shards, int count, string name)
    {
        if (shards.Length != count) throw new ArgumentException($"{shards.Length} shards, expected {count}", name);
    }

    private void CheckShards(ReadOnlySpan<nint> data, ReadOnlySpan<nint> parity, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        CheckPointers(data, DataShards, nameof(data));
        CheckPointers(parity, ParityShards, nameof(parity));
    }

    private int ShardBytes(ReadOnlySpan<byte> data, ReadOnlySpan<byte> parity)
    {
        (int length, int rest) = Math.DivRem(data.Length, DataShards);
        if (rest != 0) throw new ArgumentException($"{data.Length} bytes: not {DataShards} equal shards", nameof(data));
        CheckParityBytes(parity, length);
        return length;
    }

    private void CheckParityBytes(ReadOnlySpan<byte> parity, int length)
    {
        if (parity.Length == (long)length * ParityShards) return;
        throw new ArgumentException($"{parity.Length} bytes: not {ParityShards} shards of {length}", nameof(parity));
    }
}
