using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Holdfast.Databases.RocksDb;

namespace Holdfast.Databases.Tests.RocksDb;

/// <summary>Databases of programs with code of their own in them: captured and checked as far as it goes, and never called damaged.</summary>
public sealed unsafe partial class ForeignDatabaseTests : RocksTest
{
    private static readonly RocksOptions Create = new() { CreateIfMissing = true };

    [Fact]
    public void ADatabaseWithAnOrderOfItsOwnIsCheckedByItsFiles()
    {
        nint comparator = CreateComparator(0, &Forget, &CompareBackward, &NameOfComparator);
        using (RocksDatabase database = Open(native => SetComparator(native, comparator)))
        {
            for (int i = 0; i < 200; i++) database.Put(Bytes($"key{i:d3}"), Bytes("value"));
            database.Flush();
            for (int i = 0; i < 200; i += 2) database.Put(Bytes($"key{i:d3}"), Bytes("other"));
            database.Flush();
            database.Compact();
            database.Put("last"u8, "logged"u8);
        }

        string path = NewCopyPath();
        Engine.Find(DatabasePath).Capture(path, new CaptureOptions(), Cancellation);
        DatabaseCheck check = Engine.Check(path, null, Cancellation);
        Assert.Empty(check.Problems);
        Assert.Contains("test.Backward", check.Limits, StringComparison.Ordinal);

        string table = Directory.GetFiles(path, "*.sst").Single();
        Flip(table, 20);
        Assert.NotEmpty(Engine.Check(path, null, Cancellation).Problems);
        DestroyComparator(comparator);
    }

    [Fact]
    public void ADatabaseWithValuesToBeJoinedIsNotCalledDamaged()
    {
        using (RocksDatabase database = Open(SetAddingMergeOperator))
        {
            byte[] one = [1, 0, 0, 0, 0, 0, 0, 0];
            for (int round = 0; round < 3; round++)
            {
                Merge(database, one);
                database.Flush();
            }
        }

        string path = NewCopyPath();
        Engine.Find(DatabasePath).Capture(path, new CaptureOptions(), Cancellation);
        DatabaseCheck check = Engine.Check(path, null, Cancellation);
        Assert.Empty(check.Problems);
        Assert.Contains("merge operator", check.Limits, StringComparison.Ordinal);
    }

    private static void Merge(RocksDatabase database, byte[] value)
    {
        using var batch = new RocksBatch();
        fixed (byte* key = "sum"u8, start = value)
        {
            BatchMerge(batch.Handle, database.Default.Handle, key, 3, start, (nuint)value.Length);
        }

        database.Write(batch);
    }

    private RocksDatabase Open(Action<OptionsHandle> adjust)
    {
        RocksError.RequireLibrary();
        return RocksDatabase.Open(DatabasePath, Create, [RocksDatabase.DefaultFamily], readOnly: false, adjust);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Forget(nint state)
    {
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CompareBackward(nint state, byte* left, nuint leftBytes, byte* right, nuint rightBytes) =>
        new ReadOnlySpan<byte>(right, (int)rightBytes).SequenceCompareTo(new ReadOnlySpan<byte>(left, (int)leftBytes));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte* NameOfComparator(nint state)
    {
        // A literal lies in the program, ended by a zero.
        fixed (byte* name = "test.Backward"u8) return name;
    }

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_comparator_create")]
    private static partial nint CreateComparator(
        nint state, delegate* unmanaged[Cdecl]<nint, void> destroy,
        delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, int> compare, delegate* unmanaged[Cdecl]<nint, byte*> name);

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_comparator_destroy")]
    private static partial void DestroyComparator(nint comparator);

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_options_set_comparator")]
    private static partial void SetComparator(OptionsHandle options, nint comparator);

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_options_set_uint64add_merge_operator")]
    private static partial void SetAddingMergeOperator(OptionsHandle options);

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_writebatch_merge_cf")]
    private static partial void BatchMerge(
        BatchHandle batch, FamilyHandle family, byte* key, nuint keyBytes, byte* value, nuint valueBytes);
}
