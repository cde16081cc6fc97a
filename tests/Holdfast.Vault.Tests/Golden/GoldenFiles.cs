using System.Formats.Tar;
using System.Text;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>Where golden files lie, and how a vault is kept in one: a tar of its objects.</summary>
internal static class GoldenFiles
{
    public const string Password = "golden";

    private static readonly Lazy<string> Place = new(Find);
    private static readonly Dictionary<string, (string Slot, KeyRing Ring)> Opened = [];
    private static readonly Lock Gate = new();

    /// <summary>Whether those that are missing are to be written.</summary>
    public static bool IsAdding => Environment.GetEnvironmentVariable("HOLDFAST_GOLDEN_ADD") == "1";

    public static string PathOf(string name, string extension) => Path.Combine(Place.Value, name + extension);

    /// <summary>Names of all golden files of a kind that are there.</summary>
    public static IEnumerable<string> Names(string extension) => Directory.Exists(Place.Value)
        ? Directory.EnumerateFiles(Place.Value, "*" + extension).Select(path => Path.GetFileName(path)[..^extension.Length])
        : [];

    public static void Write(string name, MemoryObjectStore store)
    {
        Directory.CreateDirectory(Place.Value);
        using FileStream file = File.Create(PathOf(name, ".tar"));
        using var tar = new TarWriter(file, TarEntryFormat.Ustar);
        foreach (string objectName in store.Names)
        {
            byte[] content = store.TryGetAsync(objectName, IObjectStore.MaxObjectBytes, CancellationToken.None).GetAwaiter().GetResult()!;
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, objectName)
            {
                DataStream = new MemoryStream(content),
                ModificationTime = store.StatAsync(objectName, CancellationToken.None).GetAwaiter().GetResult()!.Value.Stored,
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
    }

    /// <summary>The objects with the times at which a store received them.</summary>
    /// <param name="name">Which vault.</param>
    /// <param name="clock">The store's; stands at the time of the newest object afterwards.</param>
    public static MemoryObjectStore Read(string name, SimulatedClock clock)
    {
        var store = new MemoryObjectStore(clock, name);
        DateTimeOffset newest = SimulatedClock.DefaultStart;
        using FileStream file = File.OpenRead(PathOf(name, ".tar"));
        using var tar = new TarReader(file);
        while (tar.GetNextEntry() is { } entry)
        {
            var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            clock.SetTimeOfDay(entry.ModificationTime);
            store.Overwrite(entry.Name, content.ToArray());
            if (entry.ModificationTime > newest) newest = entry.ModificationTime;
        }

        clock.SetTimeOfDay(newest);
        return store;
    }

    /// <summary>Opens a golden vault with its password, which is derived once for all vaults with the same key slots.</summary>
    public static async Task<OpenVault> OpenAsync(MemoryObjectStore store, CancellationToken stop, Host? host = null)
    {
        byte[] id = await VaultDescriptor.ReadIdAsync(store, stop);
        var slots = new StringBuilder(Convert.ToHexString(id));
        await foreach (ObjectEntry entry in store.ListAsync(KeyDirectory.Prefix, stop))
        {
            slots.Append(entry.Name).Append(Convert.ToHexString((await store.TryGetAsync(entry.Name, KeySlot.MaxBytes, stop))!));
        }

        (string Slot, KeyRing Ring) key;
        bool isKnown;
        lock (Gate) isKnown = Opened.TryGetValue(slots.ToString(), out key);
        if (!isKnown)
        {
            using var secret = new VaultSecret(Encoding.UTF8.GetBytes(Password));
            key = await KeyDirectory.OpenAsync(store, id, secret, stop);
            lock (Gate) Opened[slots.ToString()] = key;
        }

        return await OpenVault.OpenAsync(host ?? SimulatedHost.Create(1), store, id, key.Slot, key.Ring, OpenVault.DefaultCacheBytes, stop);
    }

    /// <summary>Opens it with another key, by that one's slot alone: to try a password on each takes long.</summary>
    public static async Task<OpenVault> OpenSlotAsync(MemoryObjectStore store, string slotId, string password, CancellationToken stop)
    {
        byte[] id = await VaultDescriptor.ReadIdAsync(store, stop);
        byte[] slot = (await store.TryGetAsync(KeyDirectory.Prefix + slotId, KeySlot.MaxBytes, stop))!;
        using var secret = new VaultSecret(Encoding.UTF8.GetBytes(password));
        KeyRing? ring = KeySlot.TryOpen(slot, secret, id, slotId);
        Assert.True(ring is not null, $"{store.Address}: the password does not open {slotId}");
        return await OpenVault.OpenAsync(SimulatedHost.Create(1), store, id, slotId, ring, OpenVault.DefaultCacheBytes, stop);
    }

    private static string Find()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Holdfast.slnx"))) directory = Path.GetDirectoryName(directory)!;
        return Path.Combine(directory, "tests", "golden");
    }
}
