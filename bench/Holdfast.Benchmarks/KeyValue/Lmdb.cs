using System.Runtime.InteropServices;

namespace Holdfast.Benchmarks.KeyValue;

/// <summary>The C functions of LMDB 0.9 (lmdb.h) that <see cref="LmdbEngine"/> needs.</summary>
/// <remarks>Each that returns a number returns 0, an errno, or one of its own errors, which are negative.</remarks>
internal static unsafe partial class Lmdb
{
    public const uint NoSync = 0x10000;
    public const uint ReadOnly = 0x20000;
    public const uint WriteMap = 0x80000;

    /// A reader belongs to its transaction, not to its thread.
    public const uint NoThreadLocalReaders = 0x200000;

    public const int NotFound = -30798;

    private const string Library = "liblmdb.so.0";

    [LibraryImport(Library, EntryPoint = "mdb_strerror")]
    public static partial byte* Describe(int error);

    [LibraryImport(Library, EntryPoint = "mdb_env_create")]
    public static partial int CreateEnvironment(out nint environment);

    [LibraryImport(Library, EntryPoint = "mdb_env_set_mapsize")]
    public static partial int SetMapBytes(nint environment, nuint bytes);

    [LibraryImport(Library, EntryPoint = "mdb_env_open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(nint environment, string directory, uint flags, uint mode);

    [LibraryImport(Library, EntryPoint = "mdb_env_set_flags")]
    public static partial int SetFlags(nint environment, uint flags, int isOn);

    [LibraryImport(Library, EntryPoint = "mdb_env_close")]
    public static partial void Close(nint environment);

    [LibraryImport(Library, EntryPoint = "mdb_env_copy2", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Copy(nint environment, string directory, uint flags);

    [LibraryImport(Library, EntryPoint = "mdb_txn_begin")]
    public static partial int Begin(nint environment, nint parent, uint flags, out nint transaction);

    [LibraryImport(Library, EntryPoint = "mdb_txn_commit")]
    public static partial int Commit(nint transaction);

    [LibraryImport(Library, EntryPoint = "mdb_txn_abort")]
    public static partial void Abort(nint transaction);

    [LibraryImport(Library, EntryPoint = "mdb_txn_reset")]
    public static partial void Reset(nint transaction);

    [LibraryImport(Library, EntryPoint = "mdb_txn_renew")]
    public static partial int Renew(nint transaction);

    [LibraryImport(Library, EntryPoint = "mdb_dbi_open")]
    public static partial int OpenTable(nint transaction, nint name, uint flags, out uint table);

    [LibraryImport(Library, EntryPoint = "mdb_get")]
    public static partial int Get(nint transaction, uint table, Value* key, Value* value);

    [LibraryImport(Library, EntryPoint = "mdb_put")]
    public static partial int Put(nint transaction, uint table, Value* key, Value* value, uint flags);

    /// <c>MDB_val</c>.
    public struct Value
    {
        public nuint Bytes;
        public byte* Start;
    }
}
