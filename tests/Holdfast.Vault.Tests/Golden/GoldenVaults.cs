using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Hostile;
using Holdfast.Vault.Trees;
using static Holdfast.Vault.Tests.Hostile.VaultForge;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>Makes golden vaults, from fixed seeds and with a fixed clock; only the sealed keys of packs differ each time.</summary>
internal static class GoldenVaults
{
    public const string Export = "export";

    private const string Slot = "600d600d600d600d";
    private const int EndBytes = PackFooter.EndBytes + Libsodium.SignatureBytes;
    private static readonly byte[] VaultId = TestKeys.Content(16);
    private static readonly KeyRing Ring = TestKeys.Ring(seed: 600);

    private static readonly Lazy<byte[]> KeySlotContent = new(() =>
    {
        using var secret = new VaultSecret(Encoding.UTF8.GetBytes(GoldenFiles.Password));
        return KeySlot.Seal(Ring, secret, VaultId, Slot, PasswordKey.DefaultPasses, new SimulatedEntropy(601));
    });

    /// <summary>What is done to a vault of two points, sessions {1} and {2}.</summary>
    private static readonly Dictionary<string, Action<GoldenDamage>> Damages = new(StringComparer.Ordinal)
    {
        ["flipped-group"] = vault => vault.Flip("data/{1}/00000000", 200),
        ["flipped-tree-group"] = vault => vault.Flip("trees/{2}/00000000", 200),
        ["flipped-pack-header"] = vault => vault.Flip("data/{1}/00000000", 2),
        ["flipped-pack-key"] = vault => vault.Flip("data/{1}/00000000", 70),
        ["flipped-footer"] = vault => vault.Flip("data/{1}/00000000", -EndBytes - 20),
        ["flipped-pack-signature"] = vault => vault.Flip("data/{1}/00000000", -PackFooter.EndBytes - 1),
        ["flipped-pack-end"] = vault => vault.Flip("data/{1}/00000000", -1),
        ["truncated-pack"] = vault => vault.Truncate("data/{1}/00000000", 100),
        ["empty-pack"] = vault => vault.Truncate("data/{1}/00000000", int.MaxValue),
        ["missing-pack"] = vault => vault.Delete("data/{1}/00000000"),
        ["missing-tree-pack"] = vault => vault.Delete("trees/{2}/00000000"),
        ["exchanged-packs"] = vault => vault.Exchange("data/{1}/00000000", "data/{2}/00000000"),
        ["missing-index"] = vault => vault.Delete("index/{1}-00000000"),
        ["missing-all-indexes"] = vault => vault.Delete("index/{1}-00000000", "index/{2}-00000000"),
        ["flipped-index-root"] = vault => vault.Flip("index/{1}-00000000", -EndBytes - 20),
        ["flipped-index-page"] = vault => vault.Flip("index/{1}-00000000", 70),
        ["truncated-index"] = vault => vault.Truncate("index/{1}-00000000", 30),
        ["flipped-point"] = vault => vault.Flip("points/{2}", 80),
        ["truncated-point"] = vault => vault.Truncate("points/{2}", 10),
        ["missing-references"] = vault => vault.Delete("refs/{2}"),
        ["truncated-references"] = vault => vault.Truncate("refs/{2}", 10),
        ["flipped-references"] = vault => vault.Flip("refs/{1}", 80),
        ["missing-points"] = vault => vault.Delete("points/{1}", "points/{2}"),
        ["missing-descriptor"] = vault => vault.Delete("vault"),
        ["flipped-descriptor"] = vault => vault.Flip("vault", 20),
        ["unknown-version-descriptor"] = vault => vault.Set("vault", 8, 2),
        ["unknown-version-point"] = vault => vault.Set("points/{2}", 8, 2),
        ["unknown-version-pack"] = vault => vault.Set("data/{1}/00000000", 8, 2),
        ["unknown-version-key-slot"] = vault => vault.Set("keys/" + Slot, 8, 2),
        ["missing-key-slot"] = vault => vault.Delete("keys/" + Slot),
        ["flipped-key-slot"] = vault => vault.Flip("keys/" + Slot, -1),
        ["foreign-objects"] = vault => vault.Store.Overwrite("data/what-is-this", [1, 2, 3]),
    };

    /// <summary>What a writer puts beside a good point who has a key.</summary>
    private static readonly Dictionary<string, string> Forgeries = new(StringComparer.Ordinal)
    {
        ["hostile-directories-without-end"] = "directories that name each other over and over",
        ["hostile-lists-without-end"] = "chunk lists that name each other over and over",
        ["hostile-run"] = "a run without end",
        ["hostile-bomb"] = "a group that grows beyond what is said",
        ["hostile-group"] = "a group that is said to be enormous",
        ["hostile-kind-of-list"] = "a directory in place of a list",
        ["hostile-kind-of-directory"] = "a list in place of a directory",
        ["hostile-kind-of-pack"] = "file content in place of a directory",
        ["hostile-names"] = "a name that leads up",
        ["hostile-order"] = "names out of order",
        ["hostile-symlink"] = "a symlink, and a directory of its name",
        ["hostile-root"] = "a tree that begins elsewhere",
        ["hostile-changes"] = "a change list over and over",
        ["hostile-index"] = "an index that leads nowhere",
        ["hostile-references"] = "references of absurd counts",
        ["hostile-epochs"] = "objects of an epoch that is not",
    };

    private static readonly Dictionary<string, Func<CancellationToken, Task<MemoryObjectStore>>> Whole = new(StringComparer.Ordinal)
    {
        ["whole"] = MakeWholeAsync,
        ["whole-two-roots"] = MakeTwoRootsAsync,
        ["whole-chacha"] = _ => Task.FromResult(MakeForged(CipherKind.ChaCha20Poly1305)),
        ["whole-deep-lists"] = _ => Task.FromResult(MakeForged(CipherKind.AesGcm)),
        ["whole-empty"] = _ => Task.FromResult(NewStore()),
    };

    private static readonly Dictionary<string, Func<CancellationToken, Task<MemoryObjectStore>>> Made =
        new([.. Whole, .. GoldenCare.All, .. GoldenKeys.All, .. GoldenCopies.All], StringComparer.Ordinal);

    /// <summary>All that are made.</summary>
    public static IEnumerable<string> Names => Made.Keys.Concat(Damages.Keys).Concat(Forgeries.Keys);

    public static async Task<MemoryObjectStore> MakeAsync(string name, CancellationToken stop)
    {
        if (Made.TryGetValue(name, out Func<CancellationToken, Task<MemoryObjectStore>>? make)) return await make(stop);
        if (Forgeries.TryGetValue(name, out string? forgery))
        {
            MemoryObjectStore forged = NewStore();
            var forge = new VaultForge(forged, Ring, seed: 602);
            forge.PutPoint(forge.Directory(File("good", forge.Data([9]))), point => point with { Time = point.Time.AddDays(-1) });
            HostileTrees.All.Single(hostile => hostile.Name == forgery).Forge(forge);
            return forged;
        }

        (MemoryObjectStore store, SessionId first, SessionId second) = await MakeTwoPointsAsync(stop);
        Damages[name](new GoldenDamage(store, first, second));
        return store;
    }

    public static async Task<byte[]> MakeExportAsync(CancellationToken stop)
    {
        MemoryObjectStore store = await MakeWholeAsync(stop);
        using OpenVault vault = Open(store, 603, TimeProvider.System);
        using var secret = new VaultSecret(Encoding.UTF8.GetBytes(GoldenFiles.Password));
        using var output = new MemoryStream();
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, stop);
        await ExportRun.RunAsync(vault, points[^1], null, output, secret, new WorkProgress(), stop);
        return output.ToArray();
    }

    private static MemoryObjectStore NewStore()
    {
        var store = new MemoryObjectStore();
        store.Overwrite(VaultDescriptor.Name, VaultDescriptor.Encode(VaultId));
        store.Overwrite(KeyDirectory.Prefix + Slot, KeySlotContent.Value);
        return store;
    }

    private static OpenVault Open(IObjectStore store, int seed, TimeProvider clock) => OpenVault.Open(
        new Host(new SimulatedDisk(seed), clock, new SimulatedEntropy(seed)), store, VaultId, Slot, Ring, OpenVault.DefaultCacheBytes);

    private static async Task<(MemoryObjectStore Store, SessionId First, SessionId Second)> MakeTwoPointsAsync(CancellationToken stop)
    {
        MemoryObjectStore store = NewStore();
        var clock = new SimulatedClock();
        using OpenVault vault = Open(store, 604, clock);
        using var source = new GoldenPlace();
        Write(source.Path, "first", 2500);
        Write(source.Path, "both/same", 1500);
        Write(source.Path, "both/other", 800);
        SessionId first = await BackupAsync(vault, source.Path, stop);
        clock.Advance(TimeSpan.FromHours(1));
        Write(source.Path, "both/second", 1200);
        System.IO.File.Delete(Path.Combine(source.Path, "both/other"));
        return (store, first, await BackupAsync(vault, source.Path, stop));
    }

    private static async Task<MemoryObjectStore> MakeTwoRootsAsync(CancellationToken stop)
    {
        MemoryObjectStore store = NewStore();
        using OpenVault vault = Open(store, 605, new SimulatedClock());
        using var source = new GoldenPlace();
        Write(source.Path, "a/file", 500);
        Write(source.Path, "b/file", 600);
        await BackupAsync(vault, source.Path, stop, "a", "b");
        return store;
    }

    /// <summary>All kinds of entries, several points, and a session that was cut off.</summary>
    private static async Task<MemoryObjectStore> MakeWholeAsync(CancellationToken stop)
    {
        MemoryObjectStore store = NewStore();
        var clock = new SimulatedClock();
        using OpenVault vault = Open(store, 606, clock);
        using var source = new GoldenPlace();
        GoldenSource.Create(source.Path);
        await BackupAsync(vault, source.Path, stop);
        clock.Advance(TimeSpan.FromHours(1));
        GoldenSource.Change(source.Path);
        await BackupAsync(vault, source.Path, stop);
        clock.Advance(TimeSpan.FromHours(1));
        Write(source.Path, "cut-off", 700);
        SessionId cutOff = await BackupAsync(vault, source.Path, stop);
        CutOff(vault, store, cutOff);
        return store;
    }

    /// <summary>What is there when a backup ends before its index is durable.</summary>
    private static void CutOff(OpenVault vault, MemoryObjectStore store, SessionId session)
    {
        foreach (string name in store.Names)
        {
            bool isLater = name == PointCodec.Name(session) || name == ReferenceSet.Name(session) || name.StartsWith($"index/{session}", StringComparison.Ordinal);
            if (isLater) store.DeleteAsync(name, CancellationToken.None).GetAwaiter().GetResult();
        }

        var body = new ByteWriter();
        body.SignedVarint(SimulatedClock.DefaultStart.ToUnixTimeSeconds());
        body.Varint(0);
        body.Text("golden");
        body.Varint(4711);
        string lease = $"leases/{session}-00000000";
        store.Overwrite(lease, vault.Sealer.Seal(ObjectKind.Lease, lease, body.Written));
    }

    /// <summary>A point whose file has lists four deep, sealed with one cipher.</summary>
    private static MemoryObjectStore MakeForged(CipherKind cipher)
    {
        MemoryObjectStore store = NewStore();
        var forge = new VaultForge(store, Ring, seed: 607) { Cipher = cipher };
        var content = new Content(0, [forge.Data(TestKeys.Content(100)), ContentItem.Hole(50_000), forge.Data("end"u8.ToArray())]);
        for (int depth = 1; depth <= Content.MaxDepth; depth++) content = new Content(depth, [forge.List(content), forge.List(content)]);
        var run = new Content(0, [new ContentItem(ContentItemKind.Run, forge.Data(TestKeys.Content(64)).Id, 64, 1000)]);
        forge.PutPoint(
            forge.Directory(Entry("lists", NodeKind.Regular, content), Entry("run", NodeKind.Regular, run)),
            point => point with { Counts = new BackupCounts { Files = 2, Directories = 1, Bytes = content.TotalBytes + run.TotalBytes } });
        return store;
    }

    /// <summary>Backs up a directory whose own times, and those of the directories in it, are set first.</summary>
    public static async Task<SessionId> BackupAsync(OpenVault vault, string path, CancellationToken stop, params string[] roots)
    {
        foreach (string directory in Directory.EnumerateDirectories(path).Append(path)) Directory.SetLastWriteTimeUtc(directory, SimulatedClock.DefaultStart.UtcDateTime);
        var trees = new List<DirectoryTree>();
        try
        {
            var backupRoots = new List<BackupRoot>();
            foreach (string root in roots.DefaultIfEmpty(""))
            {
                trees.Add(DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(Path.Combine(path, root))).Value);
                backupRoots.Add(new BackupRoot(Encoding.UTF8.GetBytes(root.Length == 0 ? "/golden" : "/golden/" + root), trees[^1], default));
            }

            var request = new BackupRequest { Roots = backupRoots, Host = "golden", Workers = 1, Program = "holdfast", Tags = ["golden"] };
            return (await BackupRun.RunAsync(vault, request, stop)).Point!.Value;
        }
        finally
        {
            foreach (DirectoryTree tree in trees) tree.Dispose();
        }
    }

    /// <summary>Writes a file of a fixed time whose content follows from its length.</summary>
    public static void Write(string root, string name, int bytes)
    {
        string path = Path.Combine(root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        byte[] content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        System.IO.File.WriteAllBytes(path, content);
        System.IO.File.SetLastWriteTimeUtc(path, SimulatedClock.DefaultStart.UtcDateTime);
    }
}
