using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>Opening, and column families.</summary>
public sealed unsafe partial class RocksDatabase
{
    /// <summary>Name of the column family that every database has.</summary>
    public const string DefaultFamily = "default";

    private readonly ConcurrentDictionary<string, RocksColumnFamily> families = new(StringComparer.Ordinal);

    private RocksDatabase(
        string path, RocksOptions options, DatabaseHandle handle, CacheHandle? cache, IReadOnlyList<string> names, nint[] natives)
    {
        Address = new DatabaseAddress(RocksDbEngine.EngineName, path);
        this.options = options;
        this.handle = handle;
        this.cache = cache;
        for (int i = 0; i < names.Count; i++) Add(names[i], natives[i]);
        Default = families[DefaultFamily];
        LibRocksDb.SetSync(synced, 1);
        LibRocksDb.SetDisableWal(unlogged, 1);
    }

    /// <summary>The column family that every database has.</summary>
    public RocksColumnFamily Default { get; }

    /// <summary>All column families, in no particular order.</summary>
    public IReadOnlyCollection<RocksColumnFamily> ColumnFamilies => [.. families.Values];

    /// <summary>Opens a database, with all its column families.</summary>
    /// <param name="path">Its directory.</param>
    /// <param name="options">How; null for defaults, which make no new one.</param>
    /// <exception cref="HoldfastException">
    /// Kind NotThere: there is none. Busy: it is open, here or elsewhere. Damage: it is not whole. Failed: RocksDB refuses, or is not installed.
    /// </exception>
    public static RocksDatabase Open(string path, RocksOptions? options = null)
    {
        options ??= new RocksOptions();
        string full = FullPath(path);
        bool isNew = options.CreateIfMissing && !File.Exists($"{full}/{RocksFiles.Current}");
        return Open(full, options, isNew ? [DefaultFamily] : ListColumnFamilies(full), readOnly: false);
    }

    /// <summary>Opens a database, with all its column families, for reading only: nothing in its directory changes.</summary>
    /// <param name="path">Its directory. Nobody may have it open for writing: the state that is seen would be none that it ever had.</param>
    /// <param name="options">How; with an <see cref="RocksOptions.InfoLogDirectory"/>, or RocksDB writes its text log there.</param>
    /// <exception cref="HoldfastException">As in <see cref="Open(string, RocksOptions?)"/>.</exception>
    public static RocksDatabase OpenReadOnly(string path, RocksOptions? options = null)
    {
        string full = FullPath(path);
        return Open(full, options ?? new RocksOptions(), ListColumnFamilies(full), readOnly: true);
    }

    /// <summary>The names of a database's column families. Opens nothing, and takes no lock.</summary>
    /// <param name="path">Its directory.</param>
    /// <exception cref="HoldfastException">Kind NotThere: there is no database.</exception>
    public static IReadOnlyList<string> ListColumnFamilies(string path)
    {
        RocksError.RequireLibrary();
        string full = FullPath(path);
        if (!File.Exists($"{full}/{RocksFiles.Current}"))
        {
            throw new HoldfastException(ErrorKind.NotThere, $"{full}: there is no RocksDB database", "check the path");
        }

        using var native = new OptionsHandle();
        nint* list = LibRocksDb.ListFamilies(native, full, out nuint count, out nint error);
        RocksError.Check(error, full);
        var names = new string[(int)count];
        for (int i = 0; i < names.Length; i++) names[i] = Marshal.PtrToStringUTF8(list[i])!;
        LibRocksDb.DestroyFamilyList(list, count);
        return names;
    }

    /// <summary>The column family of a name; null when there is none.</summary>
    public RocksColumnFamily? FindColumnFamily(string name) => families.GetValueOrDefault(name);

    /// <summary>Makes a column family, kept as the options of open say. Durable when it returns.</summary>
    /// <param name="name">A name that none has.</param>
    public RocksColumnFamily CreateColumnFamily(string name)
    {
        using OptionsHandle native = NativeOptions.Create(options, options.Of(name), cache);
        nint value = LibRocksDb.CreateFamily(Handle, native, name, out nint error);
        RocksError.Check(error, Path);
        return Add(name, value);
    }

    /// <summary>Removes a column family with all that is in it. Durable when it returns.</summary>
    /// <param name="family">Not the default one. Iterators over it go on.</param>
    public void DropColumnFamily(RocksColumnFamily family)
    {
        ArgumentNullException.ThrowIfNull(family);
        LibRocksDb.DropFamily(Handle, family.Handle, out nint error);
        RocksError.Check(error, Path);
        families.TryRemove(new KeyValuePair<string, RocksColumnFamily>(family.Name, family));
        family.Handle.Dispose();
    }

    /// <summary>As the public ones, with what only a check needs.</summary>
    internal static RocksDatabase Open(
        string path, RocksOptions options, IReadOnlyList<string> names, bool readOnly, Action<OptionsHandle>? adjust = null)
    {
        RocksError.RequireLibrary();
        CacheHandle? cache = options.CacheBytes > 0 ? new CacheHandle(options.CacheBytes) : null;
        bool opened = false;
        var natives = new OptionsHandle[names.Count];
        try
        {
            for (int i = 0; i < natives.Length; i++)
            {
                natives[i] = NativeOptions.Create(options, options.Of(names[i]), cache);
                adjust?.Invoke(natives[i]);
            }

            lock (RocksLock.GateOf(path))
            {
                RocksDatabase database = Open(path, options, names, natives, cache, readOnly);
                opened = true;
                return database;
            }
        }
        finally
        {
            foreach (OptionsHandle native in natives) native?.Dispose();
            if (!opened) cache?.Dispose();
        }
    }

    private static RocksDatabase Open(
        string path, RocksOptions options, IReadOnlyList<string> names, OptionsHandle[] natives, CacheHandle? cache, bool readOnly)
    {
        var namePointers = new nint[names.Count];
        nint[] optionPointers = Array.ConvertAll(natives, native => native.Value);
        var families = new nint[names.Count];
        var handle = new DatabaseHandle();
        nint error;
        try
        {
            for (int i = 0; i < names.Count; i++) namePointers[i] = Marshal.StringToCoTaskMemUTF8(names[i]);
            fixed (nint* name = namePointers, option = optionPointers, family = families)
            {
                handle.Set(readOnly
                    ? LibRocksDb.OpenReadOnly(natives[0], path, names.Count, name, option, family, 0, out error)
                    : LibRocksDb.Open(natives[0], path, names.Count, name, option, family, out error));
            }
        }
        finally
        {
            foreach (nint name in namePointers) Marshal.FreeCoTaskMem(name);
        }

        if (error == 0) return new RocksDatabase(path, options, handle, cache, names, families);
        handle.Dispose();
        throw RocksError.ToException(RocksError.Take(error)!, path);
    }

    private static string FullPath(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string full = System.IO.Path.GetFullPath(path);
        return full.Length > 1 ? full.TrimEnd('/') : full;
    }

    private RocksColumnFamily Add(string name, nint native)
    {
        var familyHandle = new FamilyHandle(handle);
        familyHandle.Set(native);
        return families[name] = new RocksColumnFamily(name, familyHandle);
    }
}
