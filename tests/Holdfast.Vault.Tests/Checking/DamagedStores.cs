using Holdfast.Files;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Checking;

/// <summary>A source that makes every kind of object, and copies of its vault with one of them damaged.</summary>
internal static class DamagedStores
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A copy of the vault with one object damaged, and which chunks are lost by that.</summary>
    public static async Task<(IObjectStore Store, Loss Loss)> DamageAsync(
        MemoryObjectStore whole, VaultOracle oracle, Random random, string name, string way)
    {
        var copy = new MemoryObjectStore();
        foreach (string each in whole.Names) await copy.PutIfAbsentAsync(each, await ContentAsync(whole, each), Token);
        byte[] content = await ContentAsync(whole, name);
        PackFooter? pack = oracle.Packs.SingleOrDefault(pack => pack.Pack.ObjectName == name);
        HashSet<ChunkId> all = pack is null ? [] : [.. pack.Chunks.Select(chunk => chunk.Id)];
        int at = random.Next(content.Length);
        switch (way)
        {
            case "flip":
                content[at] ^= (byte)(1 << random.Next(8));
                copy.Overwrite(name, content);
                int group = pack is null ? -1 : Array.FindIndex(pack.Groups, group => at >= group.Offset && at < group.Offset + group.SealedBytes);
                if (group < 0) return (copy, new Loss(all, IsGroup: false, $"at byte {at}") { At = at });
                return (copy, new Loss([.. pack!.Chunks.Where(chunk => chunk.Group == group).Select(chunk => chunk.Id)], IsGroup: true, $"at byte {at} in group {group}"));
            case "truncate":
                copy.Overwrite(name, content[..at]);
                return (copy, new Loss(all, IsGroup: false, $"to {at} bytes") { At = at });
            case "delete":
                await copy.DeleteAsync(name, Token);
                return (copy, new Loss(all, IsGroup: false, "all of it"));
            default:
                // As of a disk that says EIO.
                var faulty = new FaultyObjectStore(copy)
                {
                    BeforeEach = call => call.Method == StoreMethod.Read && call.Name == name
                        ? throw new ObjectStoreException($"{name}: input/output error", isRetriable: false)
                        : Task.CompletedTask,
                };
                return (faulty, new Loss(all, IsGroup: false, "by errors"));
        }
    }

    public static async Task<byte[]> ContentAsync(IObjectStore store, string name) =>
        (await store.TryGetAsync(name, IObjectStore.MaxObjectBytes, Token))!;

    /// <summary>Nested directories, one of several pieces; files of some chunks, equal ones, and one with so many parts that it needs chunk lists.</summary>
    public static (string Path, DirectoryTree Tree) Source(FaultWorld world, Random random)
    {
        (string path, DirectoryTree tree) = world.Source("source");
        for (int i = 0; i < 8; i++) Write(path, $"d{i % 3}/e{i % 2}/f{i}", TestKeys.Random(random, random.Next(250_000)));
        byte[] same = TestKeys.Random(random, 90_000);
        Write(path, "d0/same", same);
        Write(path, "d1/same", same);
        for (int i = 0; i < 350; i++) Write(path, $"many/file with a name that is not short {i}", TestKeys.Random(random, random.Next(60)));
        using FileStream parts = File.Create(Path.Combine(path, "parts"));
        for (int i = 0; i < 300; i++)
        {
            parts.Position = (long)i * (8 << 10);
            parts.Write(TestKeys.Random(random, 50));
        }

        return (path, tree);
    }

    public static void Change(Random random, string path, int round)
    {
        Write(path, $"d{round}/e1/new", TestKeys.Random(random, 120_000));
        File.Delete(Path.Combine(path, $"d{round}/e0/f{(round == 1 ? 4 : 2)}"));
        Write(path, $"many/file with a name that is not short {random.Next(350)}", TestKeys.Random(random, 70));
        using FileStream parts = File.OpenWrite(Path.Combine(path, "parts"));
        parts.Position = (long)random.Next(300) * (8 << 10);
        parts.Write(TestKeys.Random(random, 50));
    }

    private static void Write(string path, string name, byte[] content)
    {
        string file = Path.Combine(path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content);
    }

    internal sealed record Loss(HashSet<ChunkId> Chunks, bool IsGroup, string Where)
    {
        /// <summary>The byte that was changed, or how many are left; null where all is gone.</summary>
        public int? At { get; init; }
    }
}
